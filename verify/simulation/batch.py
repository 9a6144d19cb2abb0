"""Simulation in many lanes at once, for violations that take many ticks.

The program runs in its NumPy form, with the goals as monitors. A lane is one simulated episode. Half of the lanes get
inputs by habit. The others are in groups with a shared past: each lane of a group tries other inputs, and the group
continues from the lane in which a value of interest (a memory cell, or a value that a goal compares) is most extreme.
A violation counts only if the reference interpreter confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Parameter, Property
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.simulation.input_drivers import TYPES, Array, InputDrivers
from hl_dsl.verify.simulation.monitors import add_monitors
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break

_GROUP = 8
_CHANCES = (0.0, 0.001, 0.004, 0.02, 0.1, 0.5)  # chance of a change at a tick, for lanes with a habit
_RESTART = 1 / 250  # chance of a new episode at a tick, for a third of the lanes
_RETARGET = 1 / 300  # chance at a tick that a group selects another value
_TRIES = 3
_MOST_WORK, _OVERHEAD = 400_000, 150  # array operations of a batch; of a tick, besides the program's own
_MOST_COMPARED = 8
_MOST_REPLAYS = 4  # replays for each goal


def simulate_batch(
    index: GraphIndex, ranges: Sequence[Interval], goals: Sequence[Goal], lanes: int, ticks: int, seed: int
) -> dict[str, SimulatedRun]:
    """Searches for runs that violate goals. The result is the same for the same seed.

    Args:
        index: The program.
        ranges: Ranges of the memory cells.
        goals: The goals.
        lanes: Number of lanes.
        ticks: Ticks of each lane.
        seed: Seed of all random numbers.

    Returns:
        Replayed runs, by goal id.
    """
    with np.errstate(all="ignore"):
        return _Batch(index, ranges, goals, lanes, seed).run(ticks)


class _Batch:
    def __init__(self, index: GraphIndex, ranges: Sequence[Interval], goals: Sequence[Goal], lanes: int, seed: int):
        self.index, self.flow, self.goals = index, index.flow, list(goals)
        self.generator = generator = np.random.default_rng(seed)
        self.groups = lanes // (2 * _GROUP)
        self.grouped = self.groups * _GROUP
        self.lanes = lanes = max(lanes, 1)
        monitored, self.aims = add_batch_monitors(self.flow, goals)
        self.step = compile_numpy(monitored)
        self.assumptions = sum(item.kind == "assume" for item in self.flow.properties)
        chances = generator.choice(_CHANCES, size=lanes)
        habits = generator.integers(-1, 5, size=lanes)
        chances[: self.grouped], habits[: self.grouped] = 1.0, -1
        chances[: self.grouped : _GROUP] = 0.0
        self.drivers = InputDrivers(Evaluator(index, ranges), generator, chances, habits)
        self.parameters = [self._parameter(entry) for entry in self.flow.parameters]
        self.start_values = [np.full(lanes, cell.start, TYPES[cell.base]) for cell in self.flow.memories]
        self.started_at = np.zeros(lanes, np.int64)
        self.restarting = np.arange(lanes) % 3 == 2
        self.restarting[: self.grouped] = np.repeat(np.arange(self.groups) % 3 == 2, _GROUP)
        self.first = np.arange(lanes)
        self.first[: self.grouped] -= np.arange(self.grouped) % _GROUP
        count = len(self.flow.memories) + self.aims
        self.targets = generator.permutation(2 * max(count, self.groups))[: self.groups] % (2 * max(count, 1))
        self.history: list[list[Array]] = []
        self.violations: dict[str, SimulatedRun] = {}
        self.replays = dict.fromkeys((goal.id for goal in goals), _MOST_REPLAYS)

    def run(self, ticks: int) -> dict[str, SimulatedRun]:
        memory = self.start_values
        work = _OVERHEAD + len(self.flow.nodes) * (_TRIES if self.assumptions else 1)
        for tick in range(min(ticks, _MOST_WORK // work)):
            rows, following, properties, valid = self._tick(memory)
            rows = list(rows)
            self.history.append(rows)
            for goal, holds in zip(self.goals, properties[self.assumptions :]):
                if goal.id not in self.violations and not holds.all():
                    self._record_violation(goal, np.flatnonzero(valid & ~holds))
            if len(self.violations) == len(self.goals):
                break
            memory = self._next_memory(tick, rows, following, properties[self.assumptions + len(self.goals) :], valid)
        return self.violations

    def _tick(self, memory: list[Array]) -> tuple[list[Array], Sequence[Array], list[Array], Array]:
        """Runs one tick, with inputs that keep the assumptions in those lanes for which a few draws find some.

        Returns:
            The inputs, the next memory, the properties, and the lanes (shape (lanes,), bool) that keep the
            assumptions.
        """
        before = self.drivers.last
        rows = self.drivers.draw()
        for attempt in range(_TRIES):
            _, following, properties = self.step(tuple(rows), tuple(memory), tuple(self.parameters))
            properties = [np.broadcast_to(values, (self.lanes,)) for values in properties]
            valid = (
                np.logical_and.reduce(properties[: self.assumptions]) if self.assumptions else np.ones(self.lanes, bool)
            )
            if attempt == _TRIES - 1 or valid.all():
                break
            drawn = self.drivers.draw() if attempt else before
            rows = [np.where(valid, old, new) for old, new in zip(rows, drawn)]
            self.drivers.last = rows
        self.drivers.last = rows
        return rows, following, properties, valid

    def _next_memory(
        self, tick: int, rows: list[Array], following: Sequence[Array], aims: Sequence[Array], valid: Array
    ) -> list[Array]:
        """Returns the memory of the next tick.

        Groups continue from their best lane. A lane that violated an assumption, or restarts at random, starts a new
        episode.
        """
        chosen = self.first.copy()
        if self.groups:
            best = self._best(following, aims, valid)
            chosen[: self.grouped] = np.repeat(best, _GROUP)
        else:
            chosen = np.arange(self.lanes)
        chosen[self.grouped :] = np.arange(self.grouped, self.lanes)
        over = ~valid[chosen]
        restarting = self.restarting & (self.generator.random(self.lanes) < _RESTART)
        over |= restarting[self.first] if restarting.any() else False
        if self.groups:
            for place in range(len(rows)):
                rows[place] = rows[place][chosen]
            self.drivers.last = rows
        memory = [
            np.where(over, start, np.broadcast_to(values, (self.lanes,))[chosen]).astype(start.dtype)
            for start, values in zip(self.start_values, following)
        ]
        if over.any():
            self.started_at[over] = tick + 1
            self.drivers.start_episodes(np.flatnonzero(over))
        return memory

    def _best(self, following: Sequence[Array], aims: Sequence[Array], valid: Array) -> Array:
        """Returns the lane from which each group continues."""
        values = [np.broadcast_to(value, (self.lanes,))[: self.grouped] for value in [*following, *aims]]
        retargeting = self.generator.random(self.groups) < _RETARGET
        if retargeting.any() and values:
            self.targets[retargeting] = self.generator.integers(2 * len(values), size=retargeting.sum())
        places = np.arange(self.grouped).reshape(self.groups, _GROUP)
        scores = np.zeros((self.groups, _GROUP))
        for number in set(self.targets.tolist()) if values else ():
            own = np.flatnonzero(self.targets == number)
            scores[own] = values[number // 2][places[own]].astype(np.float64) * (1 if number % 2 else -1)
        scores[~np.isfinite(scores)] = 0.0
        scores += (1e-12 + 1e-12 * np.abs(scores)) * self.generator.random(scores.shape)
        scores[~valid[: self.grouped].reshape(scores.shape)] = -np.inf
        best: Array = places[np.arange(self.groups), scores.argmax(axis=1)]
        return best

    def _record_violation(self, goal: Goal, lanes: Array) -> None:
        for lane in lanes[: self.replays[goal.id]].tolist():
            self.replays[goal.id] -= 1
            rows = tuple(
                tuple(values[lane].item() for values in row) for row in self.history[int(self.started_at[lane]) :]
            )
            run = SimulatedRun(
                {entry.name: values[lane].item() for entry, values in zip(self.flow.parameters, self.parameters)}, rows
            )
            if first_break(self.flow, goal, run) is not None:
                self.violations[goal.id] = run
                return

    def _parameter(self, entry: Parameter) -> Array:
        """Returns a parameter's values by lane: the same in a group, and an end of the range in 60 % of the draws."""
        drawn = self.generator.random(self.lanes)
        if entry.base == "bool":
            values = drawn < 0.5
        else:
            inside = entry.low + (entry.high - entry.low) * self.generator.random(self.lanes)
            values = np.clip(
                np.select(
                    [drawn < 0.3, drawn > 0.7],
                    [entry.low, entry.high],
                    np.round(inside) if entry.base == "int" else inside,
                ),
                entry.low,
                entry.high,
            ).astype(TYPES[entry.base])
        values[: self.grouped] = np.repeat(values[: self.grouped : _GROUP], _GROUP)
        return values


def add_batch_monitors(flow: Dataflow, goals: Sequence[Goal]) -> tuple[Dataflow, int]:
    """Returns the program with monitors, and the number of values that it also gives out.

    The properties are the assumptions, each goal as a monitor, and the values that the goals compare. Memory that no
    goal depends on is not computed.
    """
    cells = {
        flow.nodes[node].position
        for node in find_closed_cone(flow, [node for goal in goals for node in goal.nodes] + _assumed(flow))
        if flow.nodes[node].op == "memory"
    }
    program = add_monitors(flow, goals)
    builder = Builder(program.nodes)
    # Memory that no goal depends on is not computed.
    memories = [
        cell if position in cells else replace(cell, next=builder.constant(cell.start, cell.base))
        for position, cell in enumerate(flow.memories)
    ]
    action = tuple(
        builder.constant({"bool": False, "int": 0, "real": 0.0}[flow.nodes[node].base], flow.nodes[node].base)
        for node in flow.action
    )
    aims = [
        Property("monitor", f"aim {place}", node, goals[0].span) for place, node in enumerate(_compared(flow, goals))
    ]
    return replace(
        program, nodes=builder.nodes, memories=memories, action=action, properties=[*program.properties, *aims]
    ), len(aims)


def _assumed(flow: Dataflow) -> list[int]:
    return [item.node for item in flow.of_kind("assume")]


def _compared(flow: Dataflow, goals: Sequence[Goal]) -> list[int]:
    """Returns the numeric nodes that the goals compare."""
    values: dict[int, None] = {}
    for node in reversed(flow.reachable([node for goal in goals for node in goal.nodes])):
        entry = flow.nodes[node]
        if entry.base == "bool" and entry.form is not None:
            values.update(
                (arg, None) for arg in entry.args if flow.nodes[arg].base != "bool" and flow.nodes[arg].form is not None
            )
    return list(values)[:_MOST_COMPARED]
