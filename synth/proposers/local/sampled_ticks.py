"""Sampled ticks of a recorded episode, as columns of values for mutations to look at."""

from __future__ import annotations

import math

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.synth.mutation import Columns, RecordedValues
from hl_dsl.synth.rollouts.episode import Recording

from hl_dsl.program import Program

_WINDOWS, _WINDOW, _WARM_UP = 5, 40, 40


def sampled_columns(program: Program, recording: Recording) -> Columns:
    """The values of everything that has a name in the program, on a few stretches of the episode it played.

    Memory at the beginning of a stretch is what a short run before it leaves, which is near enough for a sample.
    """
    ticks, begins = _stretches(len(recording))
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
    named.update(_run(program, recording, ticks, begins))
    symbols = program.checked.symbols
    for symbol in symbols.values():
        if symbol.kind in ("action name", "mode name"):
            named[symbol.name] = RecordedValues(symbol.type.base, ([symbol.declaration] * len(ticks),))
    return Columns(named, begins, len(ticks))


def _stretches(length: int) -> tuple[list[int], list[int]]:
    """The sampled ticks, and the positions among them where a stretch begins."""
    if length <= _WINDOWS * _WINDOW:
        return list(range(length)), [0]
    ticks: list[int] = []
    begins = []
    for number in range(_WINDOWS):
        start = (length - _WINDOW) * number // (_WINDOWS - 1)
        begins.append(len(ticks))
        ticks += range(start, start + _WINDOW)
    return ticks, begins


def _run(program: Program, recording: Recording, ticks: list[int], begins: list[int]) -> dict[str, RecordedValues]:
    flow = program.flow
    interpreter = Interpreter(flow)
    nodes = {name: value for name, value in flow.values.items() if value.nodes and len(value.nodes) <= 16}
    table: dict[str, list[list]] = {name: [[] for _ in value.nodes] for name, value in nodes.items()}
    starts = set(begins)
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
