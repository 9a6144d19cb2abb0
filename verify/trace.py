"""Runs as plain data, for people and for JSON."""

from __future__ import annotations

import math
from typing import Sequence

from hl_dsl.compiler.interpreter import Tick
from hl_dsl.compiler.ir import Dataflow

_MOST_COLUMNS = 10
_MOST_ROWS = 24


def record(flow: Dataflow, number: int, tick: Tick) -> dict:
    """One tick: `tick`, `inputs`, `memory` (as it stood at the beginning), `lets`, `mode`, `action` (by name)."""
    names = flow.card.action.names
    action = [names[value] for value in tick.action] if names else [_plain(value) for value in tick.action]
    plain: dict = {
        "tick": number,
        "inputs": {entry.name: value for entry, value in zip(flow.inputs, tick.inputs)},
        "memory": {cell.name: _named(cell.names, value) for cell, value in zip(flow.memories, tick.memory)},
        "lets": {name: _value(flow, name, tick.values) for name in flow.lets},
    }
    if "mode" in flow.values:
        plain["mode"] = flow.modes[tick.values[flow.values["mode"].nodes[0]]]
    plain["action"] = action[0] if len(action) == 1 else action
    return plain


def _value(flow: Dataflow, name: str, values: Sequence):
    kind = flow.values[name].type
    names = {"action": flow.card.action.names or (), "mode": flow.modes}.get(kind.base, ())
    found = [_named(names, values[node]) for node in flow.values[name].nodes]
    return found[0] if kind.size is None else found


def _named(names: Sequence[str], value):
    return names[value] if names and 0 <= value < len(names) else _plain(value)


def _plain(value):
    """A value that any JSON reader takes."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def render_trace(trace: Sequence[dict]) -> str:
    """A trace as a table, a row for each tick; what never changes stands above it."""
    columns = {}
    for entry in trace:
        for group in ("inputs", "memory", "lets"):
            for name, value in entry.get(group, {}).items():
                columns.setdefault(name, []).append(value)
    constant = {name: values[0] for name, values in columns.items() if len(values) == len(trace) > 1 and all(v == values[0] for v in values)}
    shown = [name for name in columns if name not in constant][:_MOST_COLUMNS]
    header = ["tick", *shown, *(["mode"] if "mode" in trace[-1] else []), "action"]
    rows = []
    for entry in trace:
        values = {**entry.get("inputs", {}), **entry.get("memory", {}), **entry.get("lets", {})}
        rows.append([str(entry["tick"]), *(_text(values.get(name, "")) for name in shown),
                     *([entry["mode"]] if "mode" in entry else []), _text(entry.get("action", ""))])
    if len(rows) > _MOST_ROWS:
        rows = [*rows[: _MOST_ROWS // 2], ["…"] * len(header), *rows[-_MOST_ROWS // 2 :]]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["       " + "  ".join(text.rjust(width) for text, width in zip(row, widths)) for row in [header, *rows]]
    parameters = trace[0].get("parameters")
    above = [f"       parameters: {', '.join(f'{k} = {_text(v)}' for k, v in parameters.items())}"] if parameters else []
    if constant:
        above.append(f"       throughout: {', '.join(f'{k} = {_text(v)}' for k, v in list(constant.items())[:2 * _MOST_COLUMNS])}")
    return "\n".join(above + lines)


def _text(value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return f"{value:.17g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
