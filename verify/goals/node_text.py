"""Nodes of the graph as text of the language, for messages."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow, Node
from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Expression, Name, Number
from hl_dsl.operators import OPERATORS

_DEEPEST = 12  # nested operators in a message


class NodeNames:
    """Names and expressions of one program's nodes."""

    def __init__(self, flow: Dataflow):
        self.flow = flow
        self.names: dict[int, str] = {}
        for name, value in flow.values.items():
            for component, node in enumerate(value.nodes):
                if flow.nodes[node].op != "constant":
                    self.names.setdefault(node, name if value.type.size is None else f"{name}[{component}]")

    def text(self, node: int, use_name: bool = True) -> str:
        """Returns a node as an expression on one line; with `use_name`, only its name if it has one."""
        return " ".join(format_expression(self.expression(node, use_name)).split())

    def expression(self, node: int, use_name: bool = False, depth: int = 0) -> Expression:
        """Returns a node as an expression over named values. `depth` counts the enclosing operators."""
        entry = self.flow.nodes[node]
        if use_name and node in self.names:
            return Name(self.names[node])
        if entry.op == "constant":
            assert entry.value is not None  # a constant has a value
            return Boolean(bool(entry.value)) if entry.base == "bool" else Number(entry.value)
        if entry.form is None:
            return Name(self._leaf(entry))
        if OPERATORS[entry.op].internal and len(entry.args) == 1:
            return self.expression(entry.args[0], True, depth)
        if depth > _DEEPEST:
            return Name("…")
        operands = tuple(self.expression(arg, True, depth + 1) for arg in entry.args)
        return Apply(entry.op, self._with_enumeration_names(entry, operands))

    def _leaf(self, entry: Node) -> str:
        if entry.op == "memory":
            return self.flow.memories[entry.position].name
        return (self.flow.inputs if entry.op == "input" else self.flow.parameters)[entry.position].name

    def _with_enumeration_names(self, entry: Node, operands: tuple[Expression, ...]) -> tuple[Expression, ...]:
        """Writes positions in an enumeration as names, if the other operand determines the enumeration."""
        names = next((names for arg in entry.args if (names := self._enumeration(arg))), ())
        return tuple(
            Name(names[operand.value])
            if names and isinstance(operand, Number) and type(operand.value) is int and 0 <= operand.value < len(names)
            else operand
            for operand in operands
        )

    def _enumeration(self, node: int) -> Sequence[str]:
        entry = self.flow.nodes[node]
        if entry.op == "memory":
            return self.flow.memories[entry.position].names
        for name in ("mode", "action"):
            value = self.flow.values.get(name)
            if value is not None and node in value.nodes and value.type.is_enumeration:
                return self.flow.modes if name == "mode" else self.flow.card.action.names or ()
        return ()
