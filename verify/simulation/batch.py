"""Simulation in many lanes at once, for violations that take long to build up.

The program runs in its NumPy form, with the goals as monitors. Half the lanes are shown inputs by habit. The others are
in groups that share their past: each lane of a group tries something else, and the group goes on from where a value that
it cares for, a memory cell or what a goal compares, came furthest. What is found counts only when the reference
interpreter replays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.simulation.input_drivers import TYPES, InputDrivers
from hl_dsl.verify.simulation.monitors import add_monitors
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break

_GROUP = 8
_CHANCES = (0.0, 0.001, 0.004, 0.02, 0.1, 0.5)  # that a lane with a habit changes something at a tick
_RESTART = 1 / 250  # chance of it at a tick, for a third of the lanes
_RETARGET = 1 / 300
_TRIES = 3
_MOST_WORK, _OVERHEAD = 400_000, 150  # operations on arrays; of those, what a tick costs besides the program's own
_MOST_COMPARED = 8
_MOST_REPLAYS = 4  # of lanes that break a goal in NumPy, for each goal


def simulate_batch(
    index: GraphIndex, ranges: Sequence[Interval], goals: Sequence[Goal], lanes: int, ticks: int, seed: int
) -> dict[str, SimulatedRun]:
    """Runs that break goals, by id, replayed. The same for the same seed."""
    with np.errstate(all="ignore"):
        return _Batch(index, ranges, goals, lanes, seed).run(ticks)


class _Batch:
    def __init__(self, index: GraphIndex, ranges: Sequence[Interval], goals: Sequence[Goal], lanes: int, seed: int):
        self.index, self.flow, self.goals = index, index.flow, list(goals)
        self.generator = generator = np.random.default_rng(seed)
        self.groups = lanes // (2 * _GROUP)
        self.grouped = self.groups * _GROUP
        self.lanes = lanes = max(lanes, 1)
        watching, self.aims = add_batch_monitors(self.flow, goals)
        self.step = compile_numpy(watching)
        self.assumptions = sum(item.kind == "assume" for item in self.flow.properties)
        chances = generator.choice(_CHANCES, size=lanes)
        habits = generator.integers(-1, 5, size=lanes)
        chances[: self.grouped], habits[: self.grouped] = 1.0, -1
        chances[: self.grouped : _GROUP] = 0.0
        self.drivers = InputDrivers(Evaluator(index, ranges), generator, chances, habits)
        self.parameters = [self._parameter(entry) for entry in self.flow.parameters]
        self.starts = [np.full(lanes, cell.start, TYPES[cell.base]) for cell in self.flow.memories]
        self.begun = np.zeros(lanes, np.int64)
        self.restless = np.arange(lanes) % 3 == 2
        self.restless[: self.grouped] = np.repeat(np.arange(self.groups) % 3 == 2, _GROUP)
        self.first = np.arange(lanes)
        self.first[: self.grouped] -= np.arange(self.grouped) % _GROUP
        count = len(self.flow.memories) + self.aims
        self.targets = generator.permutation(2 * max(count, self.groups))[: self.groups] % (2 * max(count, 1))
        self.history: list[list[np.ndarray]] = []
        self.found: dict[str, SimulatedRun] = {}
        self.replays = dict.fromkeys((goal.id for goal in goals), _MOST_REPLAYS)

    def run(self, ticks: int) -> dict[str, SimulatedRun]:
        memory = self.starts
        work = _OVERHEAD + len(self.flow.nodes) * (_TRIES if self.assumptions else 1)
        for tick in range(min(ticks, _MOST_WORK // work)):
            rows, following, watched_now, kept = self._tick(memory)
            rows = list(rows)
            self.history.append(rows)
            for goal, holds in zip(self.goals, watched_now[self.assumptions :]):
                if goal.id not in self.found and not holds.all():
                    self._broken(goal, np.flatnonzero(kept & ~holds))
            if len(self.found) == len(self.goals):
                break
            memory = self._after(tick, rows, memory, following, watched_now[self.assumptions + len(self.goals) :], kept)
        return self.found

    def _tick(self, memory: list[np.ndarray]):
        """Inputs that keep the assumptions, in lanes where some are found in a few tries, and what follows from them."""
        before = self.drivers.last
        rows = self.drivers.draw()
        for attempt in range(_TRIES):
            _, following, now = self.step(tuple(rows), tuple(memory), tuple(self.parameters))
            now = [np.broadcast_to(values, (self.lanes,)) for values in now]
            kept = np.logical_and.reduce(now[: self.assumptions]) if self.assumptions else np.ones(self.lanes, bool)
            if attempt == _TRIES - 1 or kept.all():
                break
            drawn = self.drivers.draw() if attempt else before
            rows = [np.where(kept, old, new) for old, new in zip(rows, drawn)]
            self.drivers.last = rows
        self.drivers.last = rows
        return rows, following, now, kept

    def _after(
        self, tick: int, rows: list, memory: list, following: Sequence, aims: Sequence, kept: np.ndarray
    ) -> list[np.ndarray]:
        """The memory of the next tick: groups go on from their best lane, what broke an assumption or is restless begins anew."""
        chosen = self.first.copy()
        if self.groups:
            best = self._best(following, aims, kept)
            chosen[: self.grouped] = np.repeat(best, _GROUP)
        else:
            chosen = np.arange(self.lanes)
        chosen[self.grouped :] = np.arange(self.grouped, self.lanes)
        over = ~kept[chosen]
        restarting = self.restless & (self.generator.random(self.lanes) < _RESTART)
        over |= restarting[self.first] if restarting.any() else False
        if self.groups:
            for place in range(len(rows)):
                rows[place] = rows[place][chosen]
            self.drivers.last = rows
        memory = [
            np.where(over, start, np.broadcast_to(values, (self.lanes,))[chosen]).astype(start.dtype)
            for start, values in zip(self.starts, following)
        ]
        if over.any():
            self.begun[over] = tick + 1
            self.drivers.begin(np.flatnonzero(over))
        return memory

    def _best(self, following: Sequence, aims: Sequence, kept: np.ndarray) -> np.ndarray:
        """The lane that each group goes on from."""
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
        scores[~kept[: self.grouped].reshape(scores.shape)] = -np.inf
        return places[np.arange(self.groups), scores.argmax(axis=1)]

    def _broken(self, goal: Goal, lanes: np.ndarray) -> None:
        for lane in lanes[: self.replays[goal.id]].tolist():
            self.replays[goal.id] -= 1
            rows = tuple(tuple(values[lane].item() for values in row) for row in self.history[int(self.begun[lane]) :])
            run = SimulatedRun(
                {entry.name: values[lane].item() for entry, values in zip(self.flow.parameters, self.parameters)}, rows
            )
            if first_break(self.flow, goal, run) is not None:
                self.found[goal.id] = run
                return

    def _parameter(self, entry) -> np.ndarray:
        """Values by lane, the same in all lanes of a group, an end of the range more often than not."""
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
    """The program with its assumptions, each goal as a monitor, and after these what the goals compare, which are numbers;
    and how many of these there are."""
    wanted = {
        flow.nodes[node].value
        for node in find_closed_cone(flow, [node for goal in goals for node in goal.nodes] + _assumed(flow))
        if flow.nodes[node].op == "memory"
    }
    whole = add_monitors(flow, goals)
    builder = Builder(whole.nodes)
    # What no goal depends on need not be computed.
    memories = [
        cell if position in wanted else replace(cell, next=builder.constant(cell.start, cell.base))
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
        whole, nodes=builder.nodes, memories=memories, action=action, properties=[*whole.properties, *aims]
    ), len(aims)


def _assumed(flow: Dataflow) -> list[int]:
    return [item.node for item in flow.of_kind("assume")]


def _compared(flow: Dataflow, goals: Sequence[Goal]) -> list[int]:
    """Numbers of which the goals say something."""
    found: dict[int, None] = {}
    for node in reversed(flow.reachable([node for goal in goals for node in goal.nodes])):
        entry = flow.nodes[node]
        if entry.base == "bool" and entry.form is not None:
            found.update(
                (arg, None) for arg in entry.args if flow.nodes[arg].base != "bool" and flow.nodes[arg].form is not None
            )
    return list(found)[:_MOST_COMPARED]
