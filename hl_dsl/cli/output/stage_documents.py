"""Pipeline stages as JSON: tree, checked program, graph and tape."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from hl_dsl.base.source import NOWHERE

if TYPE_CHECKING:
    from hl_dsl.base.source import SourceText, Span
    from hl_dsl.compiler.backends.tape.encoding import Tape
    from hl_dsl.compiler.ir.dataflow import Dataflow
    from hl_dsl.language.checker import CheckedProgram

_LAYOUT = ("after_blank",)  # fields of the tree that only the formatter reads


def tree_document(node: Any, source: SourceText) -> Any:
    """A syntax tree: each node as an object with its class in `node` and the line where it starts in `line`."""
    if isinstance(node, (tuple, list)):
        return [tree_document(item, source) for item in node]
    if not is_dataclass(node) or isinstance(node, type):
        return node
    values = {item.name: getattr(node, item.name) for item in fields(node)}
    document: dict[str, Any] = {"node": type(node).__name__, "line": _line(source, values.get("span", NOWHERE))}
    for name, value in values.items():
        if name != "span" and not name.endswith("_span") and name not in _LAYOUT:
            document[name] = tree_document(value, source)
    return document


def checked_document(checked: CheckedProgram) -> dict[str, Any]:
    """A checked program: what each name means, and the order in which definitions are evaluated."""
    return {
        "symbols": [
            {
                "name": name,
                "kind": symbol.kind,
                "type": None if symbol.type is None else str(symbol.type),
                "line": _line(checked.source, symbol.span),
            }
            for name, symbol in checked.symbols.items()
        ],
        "order": list(checked.order),
    }


def graph_document(graph: Dataflow) -> dict[str, Any]:
    """A dataflow graph: its nodes in order of evaluation, and what refers to them by number."""
    line = graph.source
    return {
        "nodes": [
            {"op": node.op, "args": list(node.args), "base": node.base, "value": node.value} for node in graph.nodes
        ],
        "inputs": [
            {"name": item.name, "base": item.base, "low": item.low, "high": item.high}
            | {"source": item.source, "column": item.column}
            for item in graph.inputs
        ],
        "parameters": [
            {"name": item.name, "base": item.base, "low": item.low, "high": item.high, "default": item.default}
            for item in graph.parameters
        ],
        "memories": [
            {"name": item.name, "base": item.base, "low": item.low, "high": item.high}
            | {"start": item.start, "next": item.next}
            for item in graph.memories
        ],
        "action": list(graph.action),
        "values": {name: {"type": str(value.type), "nodes": list(value.nodes)} for name, value in graph.values.items()},
        "properties": [
            {"kind": item.kind, "name": item.name, "node": item.node, "line": _line(line, item.span)}
            for item in graph.properties
        ],
        "obligations": [
            {"kind": item.kind, "says": item.says, "subject": item.subject}
            | {"guard": item.guard, "claim": item.claim, "line": _line(line, item.span)}
            for item in graph.obligations
        ],
        "plan": None
        if graph.plan is None
        else {
            "name": graph.plan.name,
            "inputs": list(graph.plan.inputs),
            "each": graph.plan.each,
            "final": graph.plan.final,
        },
    }


def tape_document(tape: Tape) -> dict[str, Any]:
    """A tape: instructions as form, target register and operand registers; and what the other registers hold."""
    instructions = []
    for opcode, target, *operands in tape.code.tolist():
        form = tape.forms[opcode]
        instructions.append({"form": form, "target": target, "operands": operands[: _arity(form)]})
    return {
        "registers": tape.registers,
        "instructions": instructions,
        "constants": [{"register": register, "value": value} for register, value in tape.fixed],
        "inputs": list(tape.inputs),
        "memories": list(tape.cells),
        "next_memories": list(tape.nexts),
        "parameters": list(tape.parameters),
        "monitored": list(tape.watched),
        "action": list(tape.action),
    }


def _arity(form: str) -> int:
    """How many operands `a`, `b`, `c` a form of the tape names."""
    return len({"a", "b", "c"} & set(re.findall(r"\b[a-z_]+\b", form)))


def _line(source: SourceText, span: Span) -> int | None:
    """The line of a span, from 1; None for a name of the environment, which is not in the text."""
    return None if span == NOWHERE else source.position(span.start)[0]
