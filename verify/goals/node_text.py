"""Nodes of the graph as text of the language, for messages."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Expression, Name, Number

from hl_dsl.operators import OPERATORS

_DEEPEST = 12


class NodeNames:
    """What a program calls its nodes."""

    def __init__(self, flow: Dataflow):
        self.flow = flow
        self.names: dict[int, str] = {}
        for name, value in flow.values.items():
            for component, node in enumerate(value.nodes):
                if flow.nodes[node].op != "constant":
                    self.names.setdefault(node, name if value.type.size is None else f"{name}[{component}]")

    def text(self, node: int, outright: bool = True) -> str:
        """A node as an expression. `outright`: its own name will do, where it has one."""
        return " ".join(format_expression(self.expression(node, outright)).split())

    def expression(self, node: int, outright: bool = False, depth: int = 0) -> Expression:
        entry = self.flow.nodes[node]
        if outright and node in self.names:
            return Name(self.names[node])
        if entry.op == "constant":
            return Boolean(entry.value) if entry.base == "bool" else Number(entry.value)
        if entry.form is None:
            return Name(self._leaf(entry))
        if OPERATORS[entry.op].internal and len(entry.args) == 1:
            return self.expression(entry.args[0], True, depth)
        if depth > _DEEPEST:
            return Name("…")
        operands = tuple(self.expression(arg, True, depth + 1) for arg in entry.args)
        return Apply(entry.op, self._named(entry, operands))

    def _leaf(self, entry) -> str:
        if entry.op == "memory":
            return self.flow.memories[entry.value].name
        return (self.flow.inputs if entry.op == "input" else self.flow.parameters)[entry.value].name

    def _named(self, entry, operands: tuple) -> tuple:
        """Positions in an enumeration by their names, where the other operand tells which."""
        names = next((found for arg in entry.args if (found := self._enumeration(arg))), ())
        return tuple(
            Name(names[one.value])
            if names and type(one) is Number and type(one.value) is int and 0 <= one.value < len(names)
            else one
            for one in operands
        )

    def _enumeration(self, node: int) -> tuple:
        entry = self.flow.nodes[node]
        if entry.op == "memory":
            return self.flow.memories[entry.value].names
        for name in ("mode", "action"):
            value = self.flow.values.get(name)
            if value is not None and node in value.nodes and value.type.is_enumeration:
                return self.flow.modes if name == "mode" else self.flow.card.action.names or ()
        return ()
