"""Traces: runs as plain data, for reports and JSON documents."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hl_dsl.compiler.backends.interpreter import Tick
from hl_dsl.compiler.ir.dataflow import Dataflow

_WIDEST = 110  # columns of a table
_INDENT = "       "
_MOST_ROWS = 24

# One dictionary for each tick, see `record_tick`.
Trace: TypeAlias = tuple[dict[str, Any], ...]
# A value of the language as JSON takes it: a number, a bool, or the name in an enumeration.
PlainValue: TypeAlias = int | float | str


def record_tick(flow: Dataflow, number: int, tick: Tick) -> dict[str, Any]:
    """Returns one tick as plain data.

    The keys are `tick`, `inputs`, `memory` (before the tick), `lets`, `mode`, `action` (names, if the card has any)
    and, if a property spans several ticks, `properties` (see `list_property_phases`).
    """
    names = flow.card.action.names
    action = [names[value] for value in tick.action] if names else [_plain(value) for value in tick.action]
    plain: dict[str, Any] = {
        "tick": number,
        "inputs": {entry.name: value for entry, value in zip(flow.inputs, tick.inputs)},
        "memory": {cell.name: _named(cell.names, value) for cell, value in zip(flow.memories, tick.memory)},
        "lets": {name: _value(flow, name, tick.values) for name in flow.lets},
    }
    if phases := list_property_phases(flow, tick):
        plain["properties"] = phases
    if "mode" in flow.values:
        plain["mode"] = flow.modes[tick.values[flow.values["mode"].nodes[0]]]
    plain["action"] = action[0] if len(action) == 1 else action
    return plain


def list_property_phases(flow: Dataflow, tick: Tick) -> dict[str, str]:
    """Returns the phase of each property that spans several ticks, by name.

    The phases are "idle", "asked" (the tick that triggers the property) and "waiting" (the ticks after it).
    """
    phases = {}
    for cell, before in zip(flow.memories, tick.memory):
        if cell.monitor_of:
            phases[cell.monitor_of] = "idle" if not tick.values[cell.next] else "waiting" if before else "asked"
    return phases


def describe_trigger_tick(trace: Sequence[Mapping[str, Any]], name: str) -> str:
    """Returns a phrase with the tick that triggered the property `name`; empty if there is none."""
    triggers = [entry["tick"] for entry in trace if entry.get("properties", {}).get(name) == "asked"]
    return f"; triggered at tick {triggers[-1]}" if triggers else ""


def _value(flow: Dataflow, name: str, values: Sequence[int | float]) -> PlainValue | list[PlainValue]:
    kind = flow.values[name].type
    names = {"action": flow.card.action.names or (), "mode": flow.modes}.get(kind.base, ())
    components = [_named(names, values[node]) for node in flow.values[name].nodes]
    return components[0] if kind.size is None else components


def _named(names: Sequence[str], value: int | float) -> PlainValue:
    return names[int(value)] if names and 0 <= value < len(names) else _plain(value)


def _plain(value: int | float) -> PlainValue:
    """Returns a value that every JSON reader accepts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def render_trace(trace: Sequence[Mapping[str, Any]], about: str = "", names: Sequence[str] | None = None) -> str:
    """Returns a trace as a table with a row for each tick. Values that never change are listed above it.

    Args:
        trace: The trace.
        about: Text of the property or line in question. Names that occur in it are the first columns.
        names: Names for the next columns, and the only lets that are shown; all by default. The remaining columns are
            shown as far as the width allows.
    """
    columns = _columns(trace, about, names)
    order = sorted(columns, key=lambda name: (name not in about, name not in (names or columns)))
    constant = [name for name in order if len(trace) > 1 and len(set(columns[name])) == 1]
    rows = [
        [str(entry["tick"]), *([entry["mode"]] if "mode" in entry else []), _text(entry.get("action", ""))]
        for entry in trace
    ]
    header = ["tick", *(["mode"] if "mode" in trace[-1] else []), "action"]
    _insert_columns(header, rows, {name: columns[name] for name in order if name not in constant})
    omitted = len(rows) - _MOST_ROWS if len(rows) > _MOST_ROWS + 1 else 0
    if omitted:
        rows = [*rows[: _MOST_ROWS // 3], *rows[-(_MOST_ROWS - _MOST_ROWS // 3) :]]  # more of the end, where it breaks
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    table = [_INDENT + "  ".join(text.rjust(size) for text, size in zip(row, widths)) for row in [header, *rows]]
    if omitted:
        table.insert(1 + _MOST_ROWS // 3, f"{_INDENT}… {omitted} ticks omitted")
    above = []
    if trace[0].get("parameters"):
        above.append(
            "parameters: " + ", ".join(f"{name} = {_text(value)}" for name, value in trace[0]["parameters"].items())
        )
    if constant:
        above.append("throughout: " + ", ".join(f"{name} = {columns[name][0]}" for name in constant))
    wrapped = [
        line
        for text in above
        for line in textwrap.wrap(text, _WIDEST, initial_indent=_INDENT, subsequent_indent=_INDENT + "  ")
    ]
    return "\n".join(wrapped + table)


def _columns(trace: Sequence[Mapping[str, Any]], about: str, names: Sequence[str] | None) -> dict[str, list[str]]:
    """Returns the texts of each name at all ticks, without the state of properties that are not in question."""
    columns: dict[str, list[str]] = {}
    others = trace[0].get("properties", {})
    for entry in trace:
        for group in ("properties", "lets", "memory", "inputs"):
            for name, value in entry.get(group, {}).items():
                if group == "lets" and names is not None and name not in names:
                    continue
                if name in about or (name if group == "properties" else name.rpartition(".")[0]) not in others:
                    columns.setdefault(name, []).append(_text(value))
    return columns


def _insert_columns(header: list[str], rows: list[list[str]], columns: Mapping[str, Sequence[str]]) -> None:
    """Inserts columns after the tick, those that fit into the width."""
    width = sum(max(len(row[i]) for row in [header, *rows]) + 2 for i in range(len(header)))
    place = 1
    for name, texts in columns.items():
        needed = max(len(name), *map(len, texts)) + 2
        if width + needed > _WIDEST:
            continue
        width += needed
        header.insert(place, name)
        for row, text in zip(rows, texts):
            row.insert(place, text)
        place += 1


def _text(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return repr(value) if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
