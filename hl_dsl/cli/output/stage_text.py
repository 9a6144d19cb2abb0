"""Pipeline stages as text for people, made from their JSON documents."""

from __future__ import annotations

from typing import Any


def tree_text(node: dict[str, Any], indent: int = 0) -> str:
    """A syntax tree, one node a line: class, plain fields, then the nodes below it."""
    plain, below = [], []
    for name, value in node.items():
        if isinstance(value, dict):
            below.append(value)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            below += value
        elif name not in ("node", "line") and value is not None and value != []:
            plain.append(f"{name}={value!r}")
    line = "  " * indent + " ".join([node["node"], *plain])
    return "\n".join([line, *(tree_text(child, indent + 1) for child in below)])


def checked_text(document: dict[str, Any]) -> str:
    """A checked program: a table of its names, and the order of evaluation."""
    rows = [(item["name"], item["kind"], item["type"] or "-") for item in document["symbols"]]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {type_}" for name, kind, type_ in rows]
    return "\n".join([*lines, "", f"order: {', '.join(document['order'])}"])


def graph_text(document: dict[str, Any]) -> str:
    """A dataflow graph: `%node = operator operands : base`, then what refers to the nodes."""
    leaves = {"input": document["inputs"], "parameter": document["parameters"], "memory": document["memories"]}
    lines = []
    for number, node in enumerate(document["nodes"]):
        entries = leaves.get(node["op"])
        operands = [f"%{argument}" for argument in node["args"]]
        if entries is not None:
            operands = [_range(entries[node["value"]])]
        elif node["op"] == "constant":
            operands = [repr(node["value"])]
        lines.append(f"%{number} = {' '.join([node['op'], *operands])} : {node['base']}")
    lines += ["", f"action = {_nodes(document['action'])}"]
    lines += [f"next {item['name']} = %{item['next']}, start {item['start']!r}" for item in document["memories"]]
    lines += [f"{item['kind']} {item['name']} = %{item['node']}" for item in document["properties"]]
    lines += [f"obligation at line {item['line']}: {item['says']} {_about(item)}" for item in document["obligations"]]
    if document["plan"] is not None:
        plan = document["plan"]
        final = "" if plan["final"] is None else f", final %{plan['final']}"
        lines.append(f"plan {plan['name']}: each %{plan['each']}{final}")
    return "\n".join(lines)


def tape_text(document: dict[str, Any]) -> str:
    """A tape: what the registers hold at first, the instructions, and where the results are."""
    lines = [f"{document['registers']} registers"]
    lines += [f"r{item['register']} = constant {item['value']!r}" for item in document["constants"]]
    for kind, name in (("inputs", "input"), ("parameters", "parameter"), ("memories", "memory")):
        lines += [f"r{register} = {name} {position}" for position, register in enumerate(document[kind])]
    lines.append("")
    for item in document["instructions"]:
        operands = ", ".join(f"{letter} = r{register}" for letter, register in zip("abc", item["operands"]))
        lines.append(f"r{item['target']} = {item['form']}  with {operands}")
    lines.append("")
    for kind, name in (("next_memories", "next memory"), ("monitored", "monitored property"), ("action", "action")):
        lines += [f"{name} {position} = r{register}" for position, register in enumerate(document[kind])]
    return "\n".join(lines)


def _range(entry: dict[str, Any]) -> str:
    if entry["low"] is None:
        return str(entry["name"])
    return f"{entry['name']} in [{entry['low']!r}, {entry['high']!r}]"


def _nodes(numbers: list[int]) -> str:
    return ", ".join(f"%{number}" for number in numbers)


def _about(obligation: dict[str, Any]) -> str:
    parts = [f"%{obligation['subject']}"]
    parts += [f"claim %{obligation['claim']}"] if obligation["claim"] is not None else []
    parts += [f"if %{obligation['guard']}"] if obligation["guard"] is not None else []
    return f"({', '.join(parts)})"
