"""Builder of dataflow graphs: makes each node once (hash consing) and folds constants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hl_dsl.compiler.ir.dataflow import Node
from hl_dsl.operators import OPERATORS, choose_form


@dataclass
class Builder:
    """Makes the nodes of one or several programs, each node once.

    Attributes:
        nodes: All nodes; the operands of a node precede it.
        used: Numbers of the nodes that were requested, in the order of their first request. After it is cleared, it
            collects the nodes of one program, as a builder of its own would make them.
    """

    nodes: list[Node] = field(default_factory=list)
    used: dict[int, None] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], int] = field(default_factory=dict)
    _applied: dict[tuple[str, tuple[int, ...]], tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    def _intern(self, key: tuple[Any, ...], node: Node) -> int:
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.nodes)
            self.nodes.append(node)
        self.used[number] = None
        return number

    def constant(self, value: int | float | bool, base: str) -> int:
        """Returns the number of a constant's node. `base` is "real", "int" or "bool"."""
        return self._intern(("constant", base, repr(value)), Node("constant", (), base, None, value))

    def leaf(self, kind: str, place: Any, base: str) -> int:
        """Returns the number of a leaf's node.

        Args:
            kind: "input", "parameter" or "memory".
            place: Distinguishes the leaf from others of its kind and becomes the value of the node. It may be any
                hashable value until `compiler/lowering/finish.py` replaces it by a position.
            base: "real", "int" or "bool".
        """
        return self._intern((kind, place), Node(kind, (), base, None, place))

    def widen(self, number: int, base: str) -> int:
        """Returns the node converted to `base`.

        Only int to real is a conversion; otherwise the node itself is returned.
        """
        node = self.nodes[number]
        if base != "real" or node.base != "int":
            return number
        if node.op == "constant":
            assert node.value is not None
            return self.constant(float(node.value), "real")
        return self.apply("to_real", (number,))

    def apply(self, op: str, args: tuple[int, ...]) -> int:
        """Returns the number of the node that applies the operator `op`. Operands are widened and constants folded.

        Raises:
            LookupError: The operator has no form for operands of these types.
        """
        key = (op, args)
        known = self._applied.get(key)
        if known is None:
            known = self._applied[key] = self._apply(op, args)
        number, widened = known
        used = self.used
        for operand in widened:
            used[operand] = None
        used[number] = None
        return number

    def _apply(self, op: str, args: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Returns the node, and its operands that are not in `args` (the widened ones)."""
        nodes = self.nodes
        given = tuple([nodes[arg].base for arg in args])
        chosen = choose_form(OPERATORS[op], given)
        if chosen is None:
            raise LookupError(f"`{op}` does not take {list(given)}")
        form, bases, base = chosen
        widened: tuple[int, ...] = ()
        operands = args
        if given != bases:
            operands = tuple([self.widen(arg, wanted) for arg, wanted in zip(args, bases)])
            widened = tuple([operand for operand, arg in zip(operands, args) if operand != arg])
        key = (op, operands)
        number = self._known.get(key)
        if number is not None:
            return number, widened
        for operand in operands:
            if nodes[operand].op != "constant":
                number = self._known[key] = len(nodes)
                nodes.append(Node(op, operands, base, form, None))
                return number, widened
        return self.constant(form.scalar(*[nodes[operand].value for operand in operands]), base), widened
