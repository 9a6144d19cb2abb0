"""Runs as plain data, for people and for JSON."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from hl_dsl.compiler.backends.interpreter import Tick
from hl_dsl.compiler.ir.dataflow import Dataflow

_WIDEST = 110
_INDENT = "       "
_MOST_ROWS = 24


def record_tick(flow: Dataflow, number: int, tick: Tick) -> dict:
    """One tick: `tick`, `inputs`, `memory` (as it stood at the beginning), `lets`, `mode`, `action` (by name), and for
    properties over several ticks `properties` (see `list_property_phases`)."""
    names = flow.card.action.names
    action = [names[value] for value in tick.action] if names else [_plain(value) for value in tick.action]
    plain: dict = {
        "tick": number,
        "inputs": {entry.name: value for entry, value in zip(flow.inputs, tick.inputs)},
        "memory": {cell.name: _named(cell.names, value) for cell, value in zip(flow.memories, tick.memory)},
        "lets": {name: _value(flow, name, tick.values) for name in flow.lets},
    }
    if waiting := list_property_phases(flow, tick):
        plain["properties"] = waiting
    if "mode" in flow.values:
        plain["mode"] = flow.modes[tick.values[flow.values["mode"].nodes[0]]]
    plain["action"] = action[0] if len(action) == 1 else action
    return plain


def list_property_phases(flow: Dataflow, tick: Tick) -> dict[str, str]:
    """What each property with a ghost cell waits for in a tick: "idle", "asked" where that begins, "waiting" after it."""
    found = {}
    for cell, before in zip(flow.memories, tick.memory):
        if cell.monitor_of:
            found[cell.monitor_of] = "idle" if not tick.values[cell.next] else "waiting" if before else "asked"
    return found


def describe_trigger_tick(trace: Sequence[dict], name: str) -> str:
    """In words: the tick from which on the property that a trace breaks had to be answered, or to hold."""
    begun = [entry["tick"] for entry in trace if entry.get("properties", {}).get(name) == "asked"]
    return f"; asked for at tick {begun[-1]}" if begun else ""


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


def render_trace(trace: Sequence[dict], about: str = "", names: Sequence[str] | None = None) -> str:
    """A trace as a table, a row for each tick; what never changes stands above it. What `about` mentions is shown first, then
    the other `names`, then as much of the rest as fits; of the lets only those among `names`, where these are given."""
    columns: dict[str, list] = {}
    others = trace[0].get("properties", {})  # what other properties wait for is of no interest
    for entry in trace:
        for group in ("properties", "lets", "memory", "inputs"):
            for name, value in entry.get(group, {}).items():
                if group == "lets" and names is not None and name not in names:
                    continue
                if name in about or (name if group == "properties" else name.rpartition(".")[0]) not in others:
                    columns.setdefault(name, []).append(_text(value))
    order = sorted(columns, key=lambda name: (name not in about, name not in (names or columns)))
    constant = [name for name in order if len(trace) > 1 and len(set(columns[name])) == 1]
    rows = [
        [str(entry["tick"]), *([entry["mode"]] if "mode" in entry else []), _text(entry.get("action", ""))]
        for entry in trace
    ]
    header = ["tick", *(["mode"] if "mode" in trace[-1] else []), "action"]
    width = sum(max(len(row[i]) for row in [header, *rows]) + 2 for i in range(len(header)))
    place = 1
    for name in order:
        needed = max(len(name), *map(len, columns[name])) + 2
        if name in constant or width + needed > _WIDEST:
            continue
        width += needed
        header.insert(place, name)
        for row, value in zip(rows, columns[name]):
            row.insert(place, value)
        place += 1
    left_out = len(rows) - _MOST_ROWS if len(rows) > _MOST_ROWS + 1 else 0
    if left_out:
        rows = [*rows[: _MOST_ROWS // 3], *rows[-(_MOST_ROWS - _MOST_ROWS // 3) :]]  # more of the end, where it breaks
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
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
    table = [_INDENT + "  ".join(text.rjust(size) for text, size in zip(row, widths)) for row in [header, *rows]]
    if left_out:
        table.insert(1 + _MOST_ROWS // 3, f"{_INDENT}… {left_out} ticks left out")
    return "\n".join(wrapped + table)


def _text(value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return repr(value) if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
