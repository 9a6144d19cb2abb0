"""Product of two programs: one graph over the same observations and parameters.

All memory cells are kept, or some are replaced by values that equal them (`links`). An expression that both programs
compute from the same leaves is one node, so both compute the same float by construction.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from hl_dsl.base.source import NOWHERE
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, Input, Obligation, Property
from hl_dsl.operators import OPERATORS
from hl_dsl.verify.equivalence.matching import Matching, match

SIDES = ("A", "B")
SAME = "same_actions"
HELPS = "equal_"  # prefix of invariants that only help other proofs


class SideCell(NamedTuple):
    """A memory cell of one of the programs: side 0 for A, 1 for B, and its position there."""

    side: int
    cell: int


@dataclass(frozen=True)
class Product:
    """The joint program.

    Attributes:
        flow: The program. Its invariant SAME states that the actions are equal, as numbers.
        nodes: For A and for B, the joint node of each node.
        actions: The joint action nodes of A and of B.
        identical: True if these are the same nodes.
        kept: The cells in the order of the joint memory.
        checks: For each replaced cell, the nodes of its next value and of its replacement at the next tick.
        matching: The joint observations and parameters.
    """

    flow: Dataflow
    nodes: tuple[dict[int, int], dict[int, int]]
    actions: tuple[tuple[int, ...], tuple[int, ...]]
    identical: bool
    kept: tuple[SideCell, ...]
    checks: dict[SideCell, tuple[int, int]]
    matching: Matching

    def flow_leaf(self, place: SideCell) -> int | None:
        """Returns the node that reads a kept cell; None if nothing reads it."""
        position = self.kept.index(place)
        return next(
            (number for number, node in enumerate(self.flow.nodes) if node.op == "memory" and node.value == position),
            None,
        )


def build_product(
    a: Dataflow,
    b: Dataflow,
    links: Mapping[SideCell, tuple[int, int]] = MappingProxyType({}),
    equal: Sequence[tuple[SideCell, SideCell]] = (),
    merged: Mapping[int, int] = MappingProxyType({}),
    obligations: bool = False,
) -> Product:
    """Returns the joint program.

    Args:
        a: Program A.
        b: Program B.
        links: For a replaced cell, the side and the node there that replace it, computed from kept cells.
        equal: Pairs of cells that are stated to be equal in invariants of their own.
        merged: Nodes of B, each with the node of A that replaces it.
        obligations: Whether the well-definedness obligations of both programs are included.
    """
    return _ProductBuilder((a, b), match(a, b)).join(links, equal, merged, obligations)


class _ProductBuilder:
    def __init__(self, flows: tuple[Dataflow, Dataflow], matching: Matching):
        self.flows, self.matching = flows, matching
        self.builder = Builder()
        self.kept: list[SideCell] = []
        self.leaves: dict[SideCell, int] = {}
        self.outer = tuple(self._outer(side) for side in (0, 1))

    def _outer(self, side: int) -> dict[tuple[str, int], int]:
        """Returns the joint nodes of a program's inputs and parameters."""
        nodes = {}
        for position, (joint, clamp) in enumerate(self.matching.inputs[side]):
            entry = self.matching.joint_inputs[joint]
            node = self.builder.leaf("input", joint, entry.base)
            nodes["input", position] = self._clamped(node, self.flows[side].inputs[position]) if clamp else node
        for position, place in enumerate(self.matching.parameters[side]):
            parameter = self.flows[side].parameters[position]
            nodes["parameter", position] = (
                self.builder.constant(parameter.default, parameter.base)
                if place is None
                else self.builder.leaf("parameter", place, parameter.base)
            )
        return nodes

    def _clamped(self, node: int, entry: Input) -> int:
        """Returns the admitted value of a raw observation."""
        apply, low, high = (
            self.builder.apply,
            self.builder.constant(entry.low, entry.base),
            self.builder.constant(entry.high, entry.base),
        )
        below, above = apply("less", (node, low)), apply("less", (high, node))
        return apply("if", (below, low, apply("if", (above, high, node))))

    def join(
        self,
        links: Mapping[SideCell, tuple[int, int]],
        equal: Sequence[tuple[SideCell, SideCell]],
        merged: Mapping[int, int],
        obligations: bool,
    ) -> Product:
        for side, flow in enumerate(self.flows):
            for position, cell in enumerate(flow.memories):
                if SideCell(side, position) not in links:
                    self.kept.append(SideCell(side, position))
                    self.leaves[SideCell(side, position)] = self.builder.leaf("memory", len(self.kept) - 1, cell.base)
        for place, (side, node) in links.items():
            self.leaves[place] = self._copied(side, [node], self.leaves)[node]
        first = self._copied(0, range(len(self.flows[0].nodes)), self.leaves)
        known = {number: first[other] for number, other in merged.items()}
        nodes = (first, self._copied(1, range(len(self.flows[1].nodes)), self.leaves, known))
        following = {
            SideCell(side, position): nodes[side][cell.next]
            for side, flow in enumerate(self.flows)
            for position, cell in enumerate(flow.memories)
        }
        checks = {
            place: (following[place], self._copied(side, [node], following)[node])
            for place, (side, node) in links.items()
        }
        actions = [[nodes[side][node] for node in flow.action] for side, flow in enumerate(self.flows)]
        properties = [self._invariant(SAME, list(zip(*actions)))]
        for place, pair in checks.items():
            if pair[0] != pair[1]:
                properties.append(self._invariant(f"link_{SIDES[place.side]}_{place.cell}", [pair]))
        for a, b in equal:
            properties.append(self._invariant(f"{HELPS}{a.cell}_{b.cell}", [(self.leaves[a], self.leaves[b])]))
        cells = [
            replace(
                self._cell(place),
                name=f"{SIDES[place.side]}.{self._cell(place).name}",
                next=following[place],
                span=NOWHERE,
            )
            for place in self.kept
        ]
        required = self._obligations(nodes, set(self.kept)) if obligations else []
        flow = replace(
            self.flows[0],
            name="A and B",
            nodes=self.builder.nodes,
            inputs=list(self.matching.joint_inputs),
            parameters=list(self.matching.joint_parameters),
            memories=cells,
            action=tuple(actions[0]),
            values={},
            lets=(),
            modes=(),
            properties=properties,
            obligations=required,
        )
        return Product(
            flow,
            nodes,
            (tuple(actions[0]), tuple(actions[1])),
            actions[0] == actions[1],
            tuple(self.kept),
            checks,
            self.matching,
        )

    def _cell(self, place: SideCell) -> Cell:
        return self.flows[place.side].memories[place.cell]

    def _invariant(self, name: str, pairs: Sequence[tuple[int, int]]) -> Property:
        node = self.builder.constant(True, "bool")
        for first, second in pairs:
            if first != second:
                test = self.builder.apply("equal", (first, second))
                node = test if self.builder.nodes[node].op == "constant" else self.builder.apply("and", (node, test))
        return Property("invariant", name, node, NOWHERE)

    def _copied(
        self,
        side: int,
        roots: Sequence[int],
        cells: Mapping[SideCell, int],
        known: Mapping[int, int] = MappingProxyType({}),
    ) -> dict[int, int]:
        """Returns the joint nodes of everything that `roots` of a program depend on.

        Operands that commute without a change of the float are ordered in the same way in both programs, and signs
        that cancel are removed.

        Args:
            side: The program.
            roots: Its nodes.
            cells: The joint node of each memory cell.
            known: Nodes of the program that are copied already, with their joint nodes.
        """
        flow, outer, builder = self.flows[side], self.outer[side], self.builder
        nodes: dict[int, int] = {}
        for number in flow.reachable(list(roots)):
            node = flow.nodes[number]
            if number in known:
                nodes[number] = known[number]
            elif node.form is not None:
                nodes[number] = self._applied(node.op, [nodes[arg] for arg in node.args])
            elif node.op == "constant":
                assert node.value is not None  # a constant has a value
                nodes[number] = builder.constant(node.value, node.base)
            else:
                nodes[number] = (
                    cells[SideCell(side, node.position)] if node.op == "memory" else outer[node.op, node.position]
                )
        return nodes

    def _applied(self, op: str, args: list[int]) -> int:
        """Applies an operator to joint nodes, after the rewrites of its row that hold bit for bit, even for zeros."""
        nodes, row = self.builder.nodes, OPERATORS[op]
        if row.involution and nodes[args[0]].op == op:
            return nodes[args[0]].args[0]
        if row.commutative:
            args = sorted(args, key=lambda arg: (row.absorbs is not None and nodes[arg].op == row.absorbs[0], arg))
        if row.absorbs is not None and nodes[args[-1]].op == row.absorbs[0]:
            return self._applied(row.absorbs[1], [*args[:-1], *nodes[args[-1]].args])
        return self.builder.apply(op, tuple(args))

    def _obligations(self, nodes: Sequence[Mapping[int, int]], kept: set[SideCell]) -> list[Obligation]:
        obligations: dict[Hashable, Obligation] = {}
        for side, flow in enumerate(self.flows):
            cells = {cell.name: position for position, cell in enumerate(flow.memories)}
            for item in flow.obligations:
                says = item.says
                if item.kind == "memory":
                    name = says.split("`")[1]
                    if SideCell(side, cells[name]) not in kept:
                        continue
                    says = says.replace(f"`{name}`", f"`{SIDES[side]}.{name}`", 1)
                subject = nodes[side][item.subject]
                guard = None if item.guard is None else nodes[side][item.guard]
                claim = None if item.claim is None else nodes[side][item.claim]
                obligations.setdefault(
                    (item.kind, subject, guard, claim), Obligation(item.kind, says, subject, guard, claim, NOWHERE)
                )
        return list(obligations.values())
