"""Simulation with the reference interpreter: finds shallow violations fastest."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.simulation.input_sampling import InputRow, Sampler
from hl_dsl.verify.simulation.replay import SimulatedRun, Values, breaks, keeps_assumptions

_TRIES = 8  # draws of inputs before an episode ends because none keeps the assumptions


class SimulationResult:
    """Result of a simulation.

    Attributes:
        broken: A run for each violated goal, by id.
        met: The conditions (node, truth) that were met.
        ticks: Number of simulated ticks.
        watched: What `watch` returned, in order.
    """

    def __init__(self) -> None:
        self.broken: dict[str, SimulatedRun] = {}
        self.met: set[tuple[int, bool]] = set()
        self.ticks = 0
        self.watched: list[object] = []


def simulate(
    index: GraphIndex,
    goals: Sequence[Goal],
    episodes: int,
    ticks: int,
    first_seed: int = 0,
    conditions: Sequence[tuple[int, bool]] = (),
    watch: Callable[[Values], list[object]] | None = None,
) -> SimulationResult:
    """Runs episodes until every goal is violated and every condition met, or until the budget is spent.

    The result is deterministic: episode `i` depends on the seed `first_seed + i` only. Every tick keeps ranges and
    assumptions.

    Args:
        index: The program.
        goals: Goals to violate.
        episodes: Largest number of episodes.
        ticks: Ticks of each episode.
        first_seed: Seed of the first episode.
        conditions: Conditions (node, truth) to meet.
        watch: Is called with the node values of each tick. With it, the whole budget is spent.
    """
    result = SimulationResult()
    open_goals = list(goals)
    for episode in range(episodes):
        if watch is None and not open_goals and len(result.met) == len(set(conditions)):
            break
        sampler = Sampler(index, random.Random(first_seed + episode))
        _run_episode(sampler, ticks, open_goals, conditions, result, watch)
        open_goals = [goal for goal in open_goals if goal.id not in result.broken]
    return result


def _run_episode(
    sampler: Sampler,
    ticks: int,
    goals: Sequence[Goal],
    conditions: Sequence[tuple[int, bool]],
    result: SimulationResult,
    watch: Callable[[Values], list[object]] | None,
) -> None:
    flow = sampler.flow
    interpreter = Interpreter(flow, sampler.parameters)
    rows: list[InputRow] = []
    for _ in range(ticks):
        for _ in range(_TRIES):
            row = sampler.draw(interpreter.memory)
            if row is None:
                continue
            values = interpreter.evaluate(row, interpreter.memory)
            if keeps_assumptions(flow, values):
                break
        else:
            return
        rows.append(row)
        result.ticks += 1
        interpreter.memory = tuple(values[cell.next] for cell in flow.memories)
        for goal in goals:
            if goal.id not in result.broken and breaks(goal, values):
                result.broken[goal.id] = SimulatedRun(sampler.parameters, tuple(rows))
        if watch is not None:
            result.watched += watch(values)
        result.met.update(condition for condition in conditions if bool(values[condition[0]]) == condition[1])
