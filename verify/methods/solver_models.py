"""Models of z3 as runs of the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators.intervals import INF
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.simulation.replay import SimulatedRun
from hl_dsl.verify.smt.s_expressions import ModelValue


def model_to_run(flow: Dataflow, frames: Sequence[Mapping[str, ModelValue | float | None]]) -> SimulatedRun:
    """Returns the parameters and observations of a model, as the program holds them.

    A value that the model does not determine is the default.
    """
    merged = {leaf: value for frame in frames for leaf, value in frame.items() if leaf.startswith("parameter:")}
    parameters = {
        entry.name: _held(merged.get(f"parameter:{position}"), entry.base, (entry.low, entry.high), entry.default)
        for position, entry in enumerate(flow.parameters)
    }
    return SimulatedRun(
        parameters,
        tuple(
            tuple(
                _held(frame.get(f"input:{position}"), entry.base, (entry.low, entry.high), entry.default)
                for position, entry in enumerate(flow.inputs)
            )
            for frame in frames
        ),
    )


def model_to_memory(
    flow: Dataflow, frame: Mapping[str, ModelValue | float | None], ranges: Sequence[Interval]
) -> tuple[int | float, ...]:
    """Returns the memory state before a frame. A cell that the model does not determine has its start value."""
    return tuple(
        _held(frame.get(f"memory:{position}"), cell.base, interval, cell.start)
        for position, (cell, interval) in enumerate(zip(flow.memories, ranges))
    )


def _held(value: ModelValue | float | None, base: str, interval: Interval, default: int | float) -> int | float:
    """Returns a value of a model as a value of the program, within its interval."""
    if value is None:
        return default
    if base == "bool":
        return bool(value)
    low, high = interval
    if base == "int":
        return min(max(int(value), low), high)
    try:
        number = float(value)
    except OverflowError:
        number = INF if value > 0 else -INF
    return float(min(max(number, low), high))
