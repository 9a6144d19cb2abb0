"""Simulation in many lanes at once, for violations that take long to build up.

The program runs in its NumPy form, with the goals as monitors. A lane is a run that starts an episode; what it finds
counts only when the reference interpreter replays it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Sequence

import numpy as np

from hl_dsl.compiler.ir import Builder, Dataflow, Property
from hl_dsl.compiler.numpy_form import compile_numpy
from hl_dsl.operators.interval import INF
from hl_dsl.verify.interval_tier import LARGEST_INT
from hl_dsl.verify.obligations import Goal
from hl_dsl.verify.plan import Plan
from hl_dsl.verify.replay import Run, first_break

_TYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_}
_HABITS = ("low", "high", "stay", "step", "literal", "anywhere")
_CHANGES = (0.0, 0.02, 0.2)  # chances, by lane, that an input takes another habit at a tick
_TRIES = 3


def simulate_batch(plan: Plan, goals: Sequence[Goal], lanes: int, ticks: int, seed: int) -> dict[str, Run]:
    """Runs that break goals, by id, replayed. The same for the same seed."""
    flow = plan.flow
    generator = np.random.default_rng(seed)
    step = compile_numpy(_watching(flow, goals))
    assumptions = sum(item.kind == "assume" for item in flow.properties)
    parameters = [_anywhere(generator, entry.base, np.full(lanes, entry.low), np.full(lanes, entry.high)) for entry in flow.parameters]
    inputs = _Inputs(plan, generator, lanes)
    memory = [np.full(lanes, cell.start, _TYPES[cell.base]) for cell in flow.memories]
    begun = np.zeros(lanes, np.int64)
    history: list[list[np.ndarray]] = []
    found: dict[str, Run] = {}
    with np.errstate(all="ignore"):
        for tick in range(ticks):
            rows = inputs.draw()
            for attempt in range(_TRIES):
                _, following, watched = step(tuple(rows), tuple(memory), tuple(parameters))
                watched = [np.broadcast_to(values, (lanes,)) for values in watched]
                kept = np.logical_and.reduce(watched[:assumptions]) if assumptions else np.ones(lanes, bool)
                if kept.all() or attempt == _TRIES - 1:
                    break
                rows = [np.where(kept, old, new) for old, new in zip(rows, inputs.draw())]
            inputs.last = rows
            history.append(rows)
            for goal, holds in zip(goals, watched[assumptions:]):
                if goal.id not in found and (broken := kept & ~holds).any():
                    run = _run(flow, parameters, history, begun, int(np.flatnonzero(broken)[0]))
                    if first_break(flow, goal, run) is not None:
                        found[goal.id] = run
            if len(found) == len(goals):
                break
            begun = np.where(kept, begun, tick + 1)
            memory = [np.where(kept, np.broadcast_to(values, (lanes,)), cell.start).astype(_TYPES[cell.base])
                      for cell, values in zip(flow.memories, following)]
    return found


def _watching(flow: Dataflow, goals: Sequence[Goal]) -> Dataflow:
    """The program with its assumptions, and each goal as a monitor."""
    builder = Builder(list(flow.nodes))
    properties = [item for item in flow.properties if item.kind == "assume"]
    for goal in goals:
        properties.append(Property("monitor", goal.id, _holding(builder, goal), goal.span))
    return replace(flow, nodes=builder.nodes, properties=properties)


def _holding(builder: Builder, goal: Goal) -> int:
    """A node that says that the goal holds."""
    if goal.property is not None:
        return goal.property.node
    item = goal.obligation
    claim = item.claim
    if claim is None:
        base = "real" if item.kind == "finite" else "int"
        largest = float(np.finfo(np.float64).max) if base == "real" else LARGEST_INT
        low = builder.apply("less_equal", (builder.constant(-largest, base), item.subject))
        claim = builder.apply("and", (low, builder.apply("less_equal", (item.subject, builder.constant(largest, base)))))
    return claim if item.guard is None else builder.apply("implies", (item.guard, claim))


def _run(flow: Dataflow, parameters: list, history: list, begun: np.ndarray, lane: int) -> Run:
    rows = tuple(tuple(values[lane].item() for values in row) for row in history[int(begun[lane]) :])
    return Run({entry.name: values[lane].item() for entry, values in zip(flow.parameters, parameters)}, rows)


@dataclass
class _Inputs:
    """What the lanes are shown: each input of each lane has a habit for a while."""

    plan: Plan
    generator: np.random.Generator
    lanes: int

    def __post_init__(self):
        self.entries = self.plan.flow.inputs
        self.habits = [self.generator.integers(len(_HABITS), size=self.lanes) for _ in self.entries]
        self.changes = self.generator.choice(_CHANGES, size=self.lanes)
        self.last = [np.full(self.lanes, entry.default, _TYPES[entry.base]) for entry in self.entries]
        literals = sorted({value + off for number, node in enumerate(self.plan.nodes) if node.op == "constant" and node.base != "bool"
                           for value in self.plan.constants[number][:1] for off in (-1, 0, 1) if -INF < value < INF})
        self.literals = np.array(literals or [0], np.float64)

    def draw(self) -> list[np.ndarray]:
        return [self._one(position, entry) for position, entry in enumerate(self.entries)]

    def _one(self, position: int, entry) -> np.ndarray:
        generator, lanes = self.generator, self.lanes
        changed = generator.random(lanes) < self.changes
        habit = self.habits[position] = np.where(changed, generator.integers(len(_HABITS), size=lanes), self.habits[position])
        low, high = np.full(lanes, entry.low, np.float64), np.full(lanes, entry.high, np.float64)
        if entry.base == "bool":
            return np.select([habit == 0, habit == 1], [np.zeros(lanes, bool), np.ones(lanes, bool)], generator.random(lanes) < 0.5)
        last = self.last[position]
        moved = last + (generator.integers(-1, 2, size=lanes) if entry.base == "int" else generator.normal(size=lanes))
        values = np.select([habit == place for place in range(5)], [low, high, last, moved, generator.choice(self.literals, size=lanes)],
                           _anywhere(generator, entry.base, low, high))
        values = np.clip(values, low, high)
        if entry.base == "int":
            return np.clip(np.round(values).astype(np.int64), entry.low, entry.high)
        return values


def _anywhere(generator: np.random.Generator, base: str, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Anything between, with the ends more often."""
    lanes = len(low)
    if base == "bool":
        return generator.random(lanes) < 0.5
    inside = low + (np.asarray(high, np.float64) - low) * generator.random(lanes)
    values = np.select([generator.random(lanes) < 0.1, generator.random(lanes) < 0.1], [low, high], np.clip(inside, low, high))
    return np.clip(np.round(values).astype(np.int64), low.astype(np.int64), high.astype(np.int64)) if base == "int" else values.astype(np.float64)
