"""Replay by the reference interpreter: no goal is reported as violated without it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from hl_dsl.compiler.backends.interpreter import Interpreter, Tick
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators.scalar import LARGEST_INT
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.simulation.trace import Trace, record_tick

# Limits of shortening. A run that takes hundreds of ticks seldom gets shorter.
_MOST_REPLAYS, _MOST_TICKS = 300, 20_000

# Values of all nodes at a tick.
Values: TypeAlias = Sequence[int | float]


class SimulatedRun(NamedTuple):
    """Parameters by name, and the observations of each tick, from the start of an episode."""

    parameters: Mapping[str, int | float]
    rows: tuple[tuple[int | float, ...], ...]


def breaks(goal: Goal, values: Values) -> bool:
    """Returns True if a tick with these node values violates the goal."""
    if goal.declaration is not None:
        return not values[goal.declaration.node]
    item = goal.required
    if item.guard is not None and not values[item.guard]:
        return False
    if item.claim is not None:
        return not values[item.claim]
    if item.kind == "finite":
        return not math.isfinite(values[item.subject])
    return abs(values[item.subject]) > LARGEST_INT


def keeps_assumptions(flow: Dataflow, values: Values) -> bool:
    """Returns True if all assumptions hold at a tick with these node values."""
    return all(values[item.node] for item in flow.properties if item.kind == "assume")


def first_break(flow: Dataflow, goal: Goal, run: SimulatedRun) -> int | None:
    """Returns the first tick that violates the goal; None if none does, or if an assumption or range fails first."""
    interpreter = Interpreter(flow, run.parameters)
    for number, row in enumerate(run.rows):
        tick = interpreter.tick(row)
        if tick.out_of_range or not keeps_assumptions(flow, tick.values):
            return None
        if breaks(goal, tick.values):
            return number
    return None


def shorten_run(flow: Dataflow, goal: Goal, run: SimulatedRun) -> SimulatedRun:
    """Returns a run that violates the goal with as few ticks as a bounded number of replays finds.

    Removes chunks of ticks, of half the length first, as delta debugging does (Zeller and Hildebrandt, 2002).
    """
    broken = first_break(flow, goal, run)
    assert broken is not None  # `run` violates the goal
    rows = list(run.rows[: broken + 1])
    replays = ticks = 0
    size = len(rows) // 2
    while size >= 1 and replays < _MOST_REPLAYS and ticks < _MOST_TICKS:
        start = 0
        while start + size <= len(rows) - 1 and replays < _MOST_REPLAYS and ticks < _MOST_TICKS:
            trial = SimulatedRun(run.parameters, tuple(rows[:start] + rows[start + size :]))
            replays += 1
            ticks += len(trial.rows)
            broken = first_break(flow, goal, trial)
            if broken is None:
                start += size
            else:
                rows = list(trial.rows[: broken + 1])
        size //= 2
    return SimulatedRun(run.parameters, tuple(rows))


def trace_run(flow: Dataflow, run: SimulatedRun) -> Trace:
    """Returns a run as plain data, with the parameters in its first tick."""
    interpreter = Interpreter(flow, run.parameters)
    return _trace(flow, run.parameters, [interpreter.tick(row) for row in run.rows])


def trace_from_state(
    flow: Dataflow,
    parameters: Mapping[str, int | float],
    memory: Sequence[int | float],
    rows: Sequence[Sequence[int | float]],
    is_broken: Callable[[Values], bool],
) -> Trace | None:
    """Returns the trace of a run from a memory state.

    Args:
        flow: The program.
        parameters: Values by name.
        memory: The state before the first tick.
        rows: The observations of each tick.
        is_broken: The condition that the node values of the last tick must meet.

    Returns:
        The trace; None if an assumption or a range is violated, or if the last tick does not meet `is_broken`.
    """
    interpreter = Interpreter(flow, parameters)
    interpreter.memory = tuple(memory)
    ticks = [interpreter.tick(row) for row in rows]
    if any(tick.out_of_range or not keeps_assumptions(flow, tick.values) for tick in ticks):
        return None
    return _trace(flow, parameters, ticks) if is_broken(ticks[-1].values) else None


def _trace(flow: Dataflow, parameters: Mapping[str, int | float], ticks: Sequence[Tick]) -> Trace:
    trace = [record_tick(flow, number, tick) for number, tick in enumerate(ticks)]
    trace[0]["parameters"] = dict(parameters)
    return tuple(trace)
