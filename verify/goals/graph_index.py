"""Index of a program's graph for interval evaluation: ranges of leaves, dependencies, guards, parts of conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow, Node, Obligation
from hl_dsl.operators import OPERATORS
from hl_dsl.operators.intervals import ANYTHING, EITHER, FALSE, TRUE, whole
from hl_dsl.verify.goals import terms
from hl_dsl.verify.goals.terms import SORTS, Term, literal

# Closed interval (low, high) of a node's values. Ends are ints for int and bool nodes, and may be infinite.
Interval: TypeAlias = tuple[float, float]
# (operand, by, truth): the operand is needed only where operand number `by` is `truth`.
Guard: TypeAlias = tuple[int, int, bool]


class GraphIndex:
    """Arrays over a program's nodes.

    Attributes:
        flow: The program.
        nodes: Its nodes.
        live: By node, bits of the nodes that it depends on and that are not constants, itself included.
        guards: The guards of the operators that have any, by operator.
        depth: Length of the longest path through the nodes.
        constants: Intervals of constants, by node.
        fixed: Ranges of inputs and parameters, by node.
        leaf_keys: By node, what distinguishes a leaf that is not a constant from other leaves.
        memory_nodes: The leaves that read memory, each with the position of its cell.
    """

    def __init__(self, flow: Dataflow):
        self.flow = flow
        self.nodes = nodes = flow.nodes
        self.constants: dict[int, Interval] = {}
        self.fixed: dict[int, Interval] = {}
        self.leaf_keys: dict[int, tuple[object, ...]] = {}
        self.memory_nodes: list[tuple[int, int]] = []
        self.live: list[int] = []
        self.guards: dict[str, tuple[Guard, ...]] = {name: row.guards for name, row in OPERATORS.items() if row.guards}
        self._parts: dict[tuple[int, bool], tuple[tuple[int, bool], ...] | None] = {}
        self._polarity: dict[int, tuple[int, bool]] = {}
        live = self.live
        depths: list[int] = []
        bit = 1
        for number, node in enumerate(nodes):
            op, args, _, form, _ = node
            if form is None:
                depths.append(1)
                if op == "constant":
                    live.append(0)
                    self.constants[number] = interval_of_constant(node)
                else:
                    live.append(bit)
                    self._add_leaf(number, node)
            else:
                bits, depth = bit, 0
                for arg in args:
                    bits |= live[arg]
                    if depths[arg] > depth:
                        depth = depths[arg]
                depths.append(depth + 1)
                live.append(bits)
            bit <<= 1
        self.depth = max(depths, default=0)

    def _add_leaf(self, number: int, node: Node) -> None:
        if node.op == "memory":
            cell = self.flow.memories[node.position]
            self.memory_nodes.append((number, node.position))
            self.leaf_keys[number] = ("memory", cell.name, cell.declared, cell.base)
        else:
            entry = (self.flow.inputs if node.op == "input" else self.flow.parameters)[node.position]
            self.leaf_keys[number] = (node.op, entry.name, entry.base)
            self.fixed[number] = (entry.low, entry.high) if node.base != "bool" else EITHER

    @cached_property
    def moving(self) -> list[int]:
        """Nodes that depend on memory."""
        memory = 0
        for node, _ in self.memory_nodes:
            memory |= 1 << node
        return [number for number, bits in enumerate(self.live) if bits & memory]

    @cached_property
    def assumes(self) -> list[int]:
        """Nodes that the environment is assumed to make true at every tick."""
        return [item.node for item in self.flow.properties if item.kind == "assume"]

    @cached_property
    def assumed(self) -> int:
        """Bits of the nodes that the assumptions depend on."""
        bits = 0
        for node in self.assumes:
            bits |= self.live[node]
        return bits

    @cached_property
    def compared(self) -> dict[int, set[float]]:
        """By node, the literals that a condition compares it with."""
        literals: dict[int, set[float]] = {}
        for node in self.nodes:
            if node.base == "bool" and len(node.args) == 2:
                for arg, other in (node.args, node.args[::-1]):
                    low, high = self.constants.get(other, ANYTHING)
                    if low == high and arg not in self.constants:
                        literals.setdefault(arg, set()).add(low)
        return literals

    @cached_property
    def opaque(self) -> set[int]:
        """Nodes of which z3 knows nothing but their intervals."""
        return {number for number, node in enumerate(self.nodes) if node.form is not None and node.form.z3 is None}

    @cached_property
    def nonlinear(self) -> set[int]:
        """Nodes that multiply two values that are not constants, or divide by one."""
        operands = [
            literal(1, SORTS[node.base]) if node.op == "constant" else Term("x", SORTS[node.base])
            for node in self.nodes
        ]
        return {
            number
            for number, node in enumerate(self.nodes)
            if node.form is not None
            and node.form.z3 is not None
            and not node.form.z3(terms, *[operands[arg] for arg in node.args]).linear
        }

    def touching(self, bits: int) -> tuple[int, tuple[int, ...]]:
        """Returns the assumptions that may restrict nodes with these `live` bits.

        These share a node with them, or with another such assumption. The first result is all bits together.
        """
        assumptions: list[int] = []
        remaining = list(self.assumes)
        grown = True
        while grown and remaining:
            grown = False
            for node in list(remaining):
                if self.live[node] & bits:
                    bits |= self.live[node]
                    remaining.remove(node)
                    assumptions.append(node)
                    grown = True
        return bits, tuple(assumptions)

    def without_assumptions(self, item: Obligation) -> bool:
        """Returns True if an assumption depends on the value that must not overflow here.

        The obligation may then not use the assumptions: their own values are not known to be finite.
        """
        return item.kind in ("finite", "integer") and bool(self.assumed >> item.subject & 1)

    def signed(self, node: int, truth: bool) -> tuple[int, bool]:
        """Returns an equivalent condition without leading negations, as a node and its truth value."""
        known = self._polarity.get(node)
        if known is None:
            known = self._polarity[node] = self._strip(node)
        return known[0], truth if known[1] else not truth

    def _strip(self, node: int) -> tuple[int, bool]:
        truth = True
        while True:
            _, args, _, form, _ = self.nodes[node]
            if len(args) != 1 or form is None or form.refine is None or self.nodes[args[0]].base != "bool":
                return node, truth
            (inner,) = _implied_operands(form.refine, True, 1)
            if inner == FALSE:
                truth = not truth
            elif inner != TRUE:
                return node, truth
            node = args[0]

    def parts(self, node: int, truth: bool) -> tuple[tuple[int, bool], ...] | None:
        """Returns conditions whose conjunction is `node == truth`; None if that is not a conjunction."""
        key = (node, truth)
        if key not in self._parts:
            self._parts[key] = self._split(node, truth)
        return self._parts[key]

    def _split(self, node: int, truth: bool) -> tuple[tuple[int, bool], ...] | None:
        _, args, _, form, _ = self.nodes[node]
        if len(args) < 2 or form is None or form.refine is None or any(self.nodes[arg].base != "bool" for arg in args):
            return None
        intervals = _implied_operands(form.refine, truth, len(args))
        if EITHER in intervals:
            return None
        return tuple([(arg, interval == TRUE) for arg, interval in zip(args, intervals)])


@cache
def _implied_operands(
    refine: Callable[..., Sequence[Interval]], truth: bool, count: int
) -> tuple[tuple[float, float], ...]:
    """Returns what a connective being `truth` implies about operands of which nothing is known."""
    return tuple(refine(truth, *(EITHER,) * count, "bool"))


def interval_of_constant(node: Node) -> Interval:
    """Returns the interval of a constant node; ANYTHING for NaN."""
    value = node.value
    assert value is not None  # a constant has a value
    if node.base == "real":
        return (value, value) if value == value else ANYTHING
    return whole(int(value), int(value))
