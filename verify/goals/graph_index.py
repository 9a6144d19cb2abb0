"""What the interval tier needs of a program, laid out once so that evaluating it is a chain of tuple look-ups."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property

from hl_dsl.compiler.ir.dataflow import Dataflow, Node, Obligation
from hl_dsl.verify.goals import terms
from hl_dsl.verify.goals.terms import SORTS, Term, literal

from hl_dsl.operators import OPERATORS
from hl_dsl.operators.intervals import ANYTHING, EITHER, FALSE, TRUE, whole

Interval = tuple


class GraphIndex:
    """Arrays over a program's nodes.

    live[n]     bits of the nodes that node n depends on and that are no constants, itself included
    guards      by operator, of those that have any
    depth       length of the longest path through the nodes
    constants   intervals of constants, by node; `fixed` those of inputs and parameters
    leaf_keys   what tells a leaf that is no constant from others, by node
    """

    def __init__(self, flow: Dataflow):
        self.flow = flow
        self.nodes = nodes = flow.nodes
        self.constants: dict[int, Interval] = {}
        self.fixed: dict[int, Interval] = {}
        self.leaf_keys: dict[int, tuple] = {}
        self.memory_nodes: list[tuple[int, int]] = []
        self.live: list[int] = []
        self.guards = {name: row.guards for name, row in OPERATORS.items() if row.guards}
        self._parts: dict[tuple[int, bool], tuple | None] = {}
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
                    self._leaf(number, node)
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

    def _leaf(self, number: int, node: Node) -> None:
        if node.op == "memory":
            cell = self.flow.memories[node.value]
            self.memory_nodes.append((number, node.value))
            self.leaf_keys[number] = ("memory", cell.name, cell.declared, cell.base)
        else:
            entry = (self.flow.inputs if node.op == "input" else self.flow.parameters)[node.value]
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
        """Bits of everything an assumption speaks of."""
        bits = 0
        for node in self.assumes:
            bits |= self.live[node]
        return bits

    @cached_property
    def compared(self) -> dict[int, set]:
        """By node, the literals that a condition compares it with."""
        found: dict[int, set] = {}
        for node in self.nodes:
            if node.base == "bool" and len(node.args) == 2:
                for arg, other in (node.args, node.args[::-1]):
                    low, high = self.constants.get(other, ANYTHING)
                    if low == high and arg not in self.constants:
                        found.setdefault(arg, set()).add(low)
        return found

    @cached_property
    def opaque(self) -> set[int]:
        """Nodes that z3 knows nothing of but their intervals."""
        return {number for number, node in enumerate(self.nodes) if node.form is not None and node.form.z3 is None}

    @cached_property
    def nonlinear(self) -> set[int]:
        """Nodes that multiply what is no constant, or divide by it."""
        stands = [
            literal(1, SORTS[node.base]) if node.op == "constant" else Term("x", SORTS[node.base])
            for node in self.nodes
        ]
        return {
            number
            for number, node in enumerate(self.nodes)
            if node.form is not None
            and node.form.z3 is not None
            and not node.form.z3(terms, *[stands[arg] for arg in node.args]).linear
        }

    def touching(self, bits: int) -> tuple[int, tuple[int, ...]]:
        """The assumptions that can tell something about nodes with these `live` bits: those that share a node with them,
        or with another that does. Gives all their bits together, and the assumptions."""
        found: list[int] = []
        rest = list(self.assumes)
        grown = True
        while grown and rest:
            grown = False
            for node in list(rest):
                if self.live[node] & bits:
                    bits |= self.live[node]
                    rest.remove(node)
                    found.append(node)
                    grown = True
        return bits, tuple(found)

    def without_assumptions(self, item: Obligation) -> bool:
        """Whether an assumption is computed from what must not overflow here: then it may not lean on that assumption."""
        return item.kind in ("finite", "integer") and bool(self.assumed >> item.subject & 1)

    def signed(self, node: int, truth: bool) -> tuple[int, bool]:
        """The same condition without leading negations."""
        known = self._polarity.get(node)
        if known is None:
            known = self._polarity[node] = self._strip(node)
        return known[0], truth if known[1] else not truth

    def _strip(self, node: int) -> tuple[int, bool]:
        truth = True
        while True:
            entry = self.nodes[node]
            if len(entry.args) != 1 or entry.form.refine is None or self.nodes[entry.args[0]].base != "bool":
                return node, truth
            (inner,) = _operands(entry.form.refine, True, 1)
            if inner == FALSE:
                truth = not truth
            elif inner != TRUE:
                return node, truth
            node = entry.args[0]

    def parts(self, node: int, truth: bool) -> tuple | None:
        """Conditions that together say the same as `node` being `truth`, where its operands are then all known."""
        key = (node, truth)
        if key not in self._parts:
            self._parts[key] = self._split(node, truth)
        return self._parts[key]

    def _split(self, node: int, truth: bool) -> tuple | None:
        entry = self.nodes[node]
        if (
            len(entry.args) < 2
            or entry.form.refine is None
            or any([self.nodes[arg].base != "bool" for arg in entry.args])
        ):
            return None
        pairs = _operands(entry.form.refine, truth, len(entry.args))
        if EITHER in pairs:
            return None
        return tuple([(arg, pair == TRUE) for arg, pair in zip(entry.args, pairs)])


@cache
def _operands(refine: Callable, truth: bool, count: int) -> tuple[Interval, ...]:
    """What a connective being `truth` says of truth values that nothing is known of."""
    return tuple(refine(truth, *(EITHER,) * count, "bool"))


def interval_of_constant(node: Node) -> Interval:
    value = node.value
    if node.base == "real":
        return (value, value) if value == value else ANYTHING
    return whole(int(value), int(value))
