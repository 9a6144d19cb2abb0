"""Runs of the reference interpreter as evidence: nothing is called violated that was not replayed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hl_dsl.compiler.backends.interpreter import Interpreter, Tick
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.simulation.trace import record_tick

from hl_dsl.operators.scalar import LARGEST_INT

_MOST_REPLAYS, _MOST_TICKS = 300, 20_000  # to shorten a run; what takes hundreds of ticks seldom gets shorter


class SimulatedRun(NamedTuple):
    """Parameters by name and the observations of each tick, from the start of an episode."""

    parameters: Mapping[str, int | float | bool]
    rows: tuple[tuple, ...]


def breaks(goal: Goal, values: Sequence) -> bool:
    """Whether a tick with these node values breaks the goal."""
    if goal.property is not None:
        return not values[goal.property.node]
    item = goal.obligation
    if item.guard is not None and not values[item.guard]:
        return False
    if item.claim is not None:
        return not values[item.claim]
    if item.kind == "finite":
        return not math.isfinite(values[item.subject])
    return abs(values[item.subject]) > LARGEST_INT


def keeps_assumptions(flow: Dataflow, values: Sequence) -> bool:
    return all(values[item.node] for item in flow.properties if item.kind == "assume")


def first_break(flow: Dataflow, goal: Goal, run: SimulatedRun) -> int | None:
    """The first tick of a run that breaks the goal; None if none does before an assumption or a range is broken."""
    interpreter = Interpreter(flow, run.parameters)
    for number, row in enumerate(run.rows):
        tick = interpreter.tick(row)
        if tick.out_of_range or not keeps_assumptions(flow, tick.values):
            return None
        if breaks(goal, tick.values):
            return number
    return None


def shorten_run(flow: Dataflow, goal: Goal, run: SimulatedRun) -> SimulatedRun:
    """A run that breaks the goal with as few ticks as a bounded number of replays finds."""
    rows = list(run.rows[: first_break(flow, goal, run) + 1])
    replays = ticks = 0
    size = len(rows) // 2
    while size >= 1 and replays < _MOST_REPLAYS and ticks < _MOST_TICKS:
        start = 0
        while start + size <= len(rows) - 1 and replays < _MOST_REPLAYS and ticks < _MOST_TICKS:
            trial = SimulatedRun(run.parameters, tuple(rows[:start] + rows[start + size :]))
            replays += 1
            ticks += len(trial.rows)
            found = first_break(flow, goal, trial)
            if found is None:
                start += size
            else:
                rows = list(trial.rows[: found + 1])
        size //= 2
    return SimulatedRun(run.parameters, tuple(rows))


def trace_run(flow: Dataflow, run: SimulatedRun) -> tuple[dict, ...]:
    """A run as plain data, with the parameters in its first tick."""
    interpreter = Interpreter(flow, run.parameters)
    return _plain(flow, run.parameters, [interpreter.tick(row) for row in run.rows])


def trace_from_state(
    flow: Dataflow, parameters: Mapping, memory: Sequence, rows: Sequence[Sequence], broken: Callable[[Sequence], bool]
) -> tuple[dict, ...] | None:
    """The same from any memory state; None unless assumptions are kept and the last tick is `broken`."""
    interpreter = Interpreter(flow, parameters)
    interpreter.memory = tuple(memory)
    ticks = [interpreter.tick(row) for row in rows]
    if any(tick.out_of_range or not keeps_assumptions(flow, tick.values) for tick in ticks) or not broken(
        ticks[-1].values
    ):
        return None
    return _plain(flow, parameters, ticks)


def _plain(flow: Dataflow, parameters: Mapping, ticks: Sequence[Tick]) -> tuple[dict, ...]:
    trace = [record_tick(flow, number, tick) for number, tick in enumerate(ticks)]
    trace[0]["parameters"] = dict(parameters)
    return tuple(trace)
