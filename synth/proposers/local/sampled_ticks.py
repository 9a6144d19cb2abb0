"""Sampled steps of a recorded episode, as columns of values for mutations."""

from __future__ import annotations

import math

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.program import Program
from hl_dsl.synth.mutation import Columns, RecordedValues
from hl_dsl.synth.rollouts.episode import Recording

_WINDOWS, _WINDOW = 5, 40  # number of windows; steps of each
_WARM_UP = 40  # steps before a window that set the memory


def sampled_columns(program: Program, recording: Recording) -> Columns:
    """The values of all names of the program, on a few windows of its episode.

    Memory at the start of a window comes from a short run before it, which is exact enough for a sample.

    Args:
        program: The program that played the episode.
        recording: The episode.
    """
    ticks, window_starts = _windows(len(recording))
    named = {}
    for name, field in program.card.fields.items():
        values = recording.shown.get(field.source)
        if values is None:
            continue
        convert = {"real": float, "int": int, "bool": bool}[field.base]
        rows = values[ticks] if values.ndim > 1 else values[ticks][:, None]
        columns = [
            [convert(value) if value == value else 0.0 for value in rows[:, column].tolist()] for column in field.index
        ]
        named[name] = RecordedValues(field.base, columns)
    named.update(_run(program, recording, ticks, window_starts))
    symbols = program.checked.symbols
    for symbol in symbols.values():
        if symbol.kind in ("action name", "mode name") and symbol.type is not None:
            named[symbol.name] = RecordedValues(symbol.type.base, ([symbol.declaration] * len(ticks),))
    return Columns(named, window_starts, len(ticks))


def _windows(length: int) -> tuple[list[int], list[int]]:
    """The sampled steps, and the positions among them at which windows start."""
    if length <= _WINDOWS * _WINDOW:
        return list(range(length)), [0]
    ticks: list[int] = []
    window_starts = []
    for number in range(_WINDOWS):
        start = (length - _WINDOW) * number // (_WINDOWS - 1)
        window_starts.append(len(ticks))
        ticks += range(start, start + _WINDOW)
    return ticks, window_starts


def _run(
    program: Program, recording: Recording, ticks: list[int], window_starts: list[int]
) -> dict[str, RecordedValues]:
    flow = program.flow
    interpreter = Interpreter(flow)
    nodes = {name: value for name, value in flow.values.items() if value.nodes and len(value.nodes) <= 16}
    table: dict[str, list[list]] = {name: [[] for _ in value.nodes] for name, value in nodes.items()}
    starts = set(window_starts)
    for position, tick in enumerate(ticks):
        if position in starts:
            interpreter.reset()
            if flow.memories:
                for before in range(max(0, tick - _WARM_UP), tick):
                    interpreter.tick(_raw(flow, recording, before))
        done = interpreter.tick(_raw(flow, recording, tick))
        for name, value in nodes.items():
            for column, node in zip(table[name], value.nodes):
                found = done.values[node]
                column.append(found if type(found) is not float or math.isfinite(found) else 0.0)
    return {name: RecordedValues(value.type.base, table[name]) for name, value in nodes.items()}


def _raw(flow, recording: Recording, tick: int) -> list:
    raw = []
    for entry in flow.inputs:
        values = recording.shown.get(entry.source)
        if values is None:  # a plan of another program's
            raw.append(entry.default)
            continue
        value = values[tick, entry.column] if values.ndim > 1 else values[tick]
        raw.append(value.item())
    return raw
