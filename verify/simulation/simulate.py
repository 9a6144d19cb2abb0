"""A search for violations by running the program: finds shallow ones fastest."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.simulation.input_sampling import Sampler
from hl_dsl.verify.simulation.replay import SimulatedRun, breaks, keeps_assumptions

_TRIES = 8


class SimulationResult:
    """What simulation saw: a run for each goal broken, and which of the conditions asked about were ever met."""

    def __init__(self):
        self.broken: dict[str, SimulatedRun] = {}
        self.met: set[tuple[int, bool]] = set()
        self.ticks = 0
        self.watched: list = []


def simulate(
    index: GraphIndex,
    goals: Sequence[Goal],
    episodes: int,
    ticks: int,
    first_seed: int = 0,
    conditions: Sequence[tuple[int, bool]] = (),
    watch: Callable[[Sequence], list] | None = None,
) -> SimulationResult:
    """Runs episodes until every goal is broken and every condition met, or the budget is spent; all of it with `watch`,
    whose lists, one for the values of each tick, are put together.

    Deterministic: episode `i` depends on the seed `first_seed + i` only. Every tick keeps ranges and assumptions.
    """
    seen = SimulationResult()
    open_goals = list(goals)
    for episode in range(episodes):
        if watch is None and not open_goals and len(seen.met) == len(set(conditions)):
            break
        _episode(index, random.Random(first_seed + episode), ticks, open_goals, conditions, seen, watch)
        open_goals = [goal for goal in open_goals if goal.id not in seen.broken]
    return seen


def _episode(
    index: GraphIndex,
    generator: random.Random,
    ticks: int,
    goals: list[Goal],
    conditions,
    seen: SimulationResult,
    watch,
) -> None:
    sampler = Sampler(index, generator)
    interpreter = Interpreter(index.flow, sampler.parameters)
    rows: list[tuple] = []
    for _ in range(ticks):
        for _ in range(_TRIES):
            row = sampler.draw(interpreter.memory)
            if row is None:
                continue
            values = interpreter.evaluate(row, interpreter.memory)
            if keeps_assumptions(index.flow, values):
                break
        else:
            return
        rows.append(row)
        seen.ticks += 1
        interpreter.memory = tuple(values[cell.next] for cell in index.flow.memories)
        for goal in goals:
            if goal.id not in seen.broken and breaks(goal, values):
                seen.broken[goal.id] = SimulatedRun(sampler.parameters, tuple(rows))
        if watch is not None:
            seen.watched += watch(values)
        seen.met.update(condition for condition in conditions if bool(values[condition[0]]) == condition[1])
