"""z3's models as runs of the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.simulation.replay import SimulatedRun

from hl_dsl.operators.intervals import INF


def model_to_run(flow: Dataflow, frames: Sequence[Mapping[str, object]]) -> SimulatedRun:
    """Parameters and observations of a model, as the program would hold them. What the model leaves open is a default."""
    merged = {leaf: value for frame in frames for leaf, value in frame.items() if leaf.startswith("parameter:")}
    parameters = {
        entry.name: _held(merged.get(f"parameter:{position}"), entry.base, entry.low, entry.high, entry.default)
        for position, entry in enumerate(flow.parameters)
    }
    return SimulatedRun(
        parameters,
        tuple(
            tuple(
                _held(frame.get(f"input:{position}"), entry.base, entry.low, entry.high, entry.default)
                for position, entry in enumerate(flow.inputs)
            )
            for frame in frames
        ),
    )


def model_to_memory(flow: Dataflow, frame: Mapping[str, object], ranges: Sequence[tuple]) -> tuple:
    """The memory state at the beginning of a frame; a cell the model leaves open has its start value."""
    return tuple(
        _held(frame.get(f"memory:{position}"), cell.base, *pair, cell.start)
        for position, (cell, pair) in enumerate(zip(flow.memories, ranges))
    )


def _held(value, base: str, low, high, default):
    if value is None:
        return default
    if base == "bool":
        return bool(value)
    if base == "int":
        return min(max(int(value), low), high)
    try:
        number = float(value)
    except OverflowError:
        number = INF if value > 0 else -INF
    return float(min(max(number, low), high))
