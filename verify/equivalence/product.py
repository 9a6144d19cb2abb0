"""Two programs as one: over the same observations and parameters, in one graph where what both compute alike is one node.

Cells of memory are all kept, or some are replaced by what they are equal to (`links`). An expression that both programs
compute from the same leaves is then one node, so it is the same float by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, Input, Obligation, Property
from hl_dsl.verify.equivalence.matching import Matching, match

from hl_dsl.base.source import NOWHERE
from hl_dsl.operators import OPERATORS

SIDES = ("A", "B")
SAME = "same_actions"
HELPS = "equal_"  # how the names of invariants begin that nothing hangs on but other proofs


class SideCell(NamedTuple):
    """A cell of one of the programs: 0 for A, 1 for B, and its position there."""

    side: int
    cell: int


@dataclass(frozen=True)
class Product:
    """`flow`: the joint program; its invariant SAME says that the actions are equal, as numbers. `nodes[side][n]`: the
    joint node of a program's node. `identical`: whether the actions are the same nodes. `kept`: the cells in the order of
    the joint memory. `checks[place]`: nodes of a replaced cell's next value, and of what replaces it at the next tick."""

    flow: Dataflow
    nodes: tuple[dict[int, int], dict[int, int]]
    actions: tuple[tuple[int, ...], tuple[int, ...]]
    identical: bool
    kept: tuple[SideCell, ...]
    checks: dict[SideCell, tuple[int, int]]
    matching: Matching

    def flow_leaf(self, place: SideCell) -> int | None:
        """The node of a cell that is kept; None where nothing reads it."""
        position = self.kept.index(place)
        return next(
            (number for number, node in enumerate(self.flow.nodes) if node.op == "memory" and node.value == position),
            None,
        )


def build_product(
    a: Dataflow,
    b: Dataflow,
    links: Mapping[SideCell, tuple[int, int]] = {},
    equal: Sequence[tuple[SideCell, SideCell]] = (),
    merged: Mapping[int, int] = {},
    obligations: bool = False,
) -> Product:
    """The joint program. `links`: for a cell, the side and the node there that replace it, computed from cells that stay.
    `equal`: cells to be stated equal in invariants of their own. `merged`: nodes of B and the nodes of A that stand for them.
    `obligations`: with what must be proved of both."""
    return _Joining((a, b), match(a, b)).join(links, equal, merged, obligations)


class _Joining:
    def __init__(self, flows: tuple[Dataflow, Dataflow], matching: Matching):
        self.flows, self.matching = flows, matching
        self.builder = Builder()
        self.kept: list[SideCell] = []
        self.leaves: dict[SideCell, int] = {}
        self.outer = tuple(self._outer(side) for side in (0, 1))

    def _outer(self, side: int) -> dict[tuple[str, int], int]:
        """The joint nodes of a program's inputs and parameters."""
        found = {}
        for position, (joint, clamp) in enumerate(self.matching.inputs[side]):
            entry = self.matching.joint_inputs[joint]
            node = self.builder.leaf("input", joint, entry.base)
            found["input", position] = self._clamped(node, self.flows[side].inputs[position]) if clamp else node
        for position, joint in enumerate(self.matching.parameters[side]):
            entry = self.flows[side].parameters[position]
            found["parameter", position] = (
                self.builder.constant(entry.default, entry.base)
                if joint is None
                else self.builder.leaf("parameter", joint, entry.base)
            )
        return found

    def _clamped(self, node: int, entry: Input) -> int:
        """What the boundary makes of a raw observation."""
        apply, low, high = (
            self.builder.apply,
            self.builder.constant(entry.low, entry.base),
            self.builder.constant(entry.high, entry.base),
        )
        below, above = apply("less", (node, low)), apply("less", (high, node))
        return apply("if", (below, low, apply("if", (above, high, node))))

    def join(self, links, equal, merged: Mapping[int, int], obligations: bool) -> Product:
        for side, flow in enumerate(self.flows):
            for position, cell in enumerate(flow.memories):
                if SideCell(side, position) not in links:
                    self.kept.append(SideCell(side, position))
                    self.leaves[SideCell(side, position)] = self.builder.leaf("memory", len(self.kept) - 1, cell.base)
        for place, (side, node) in links.items():
            self.leaves[place] = self._copied(side, [node], self.leaves)[node]
        first = self._copied(0, range(len(self.flows[0].nodes)), self.leaves)
        taken = {number: first[other] for number, other in merged.items()}
        nodes = (first, self._copied(1, range(len(self.flows[1].nodes)), self.leaves, taken))
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
        for first, second in equal:
            properties.append(
                self._invariant(f"{HELPS}{first.cell}_{second.cell}", [(self.leaves[first], self.leaves[second])])
            )
        cells = [
            replace(
                self._cell(place),
                name=f"{SIDES[place.side]}.{self._cell(place).name}",
                next=following[place],
                span=NOWHERE,
            )
            for place in self.kept
        ]
        due = self._obligations(nodes, set(self.kept)) if obligations else []
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
            obligations=due,
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
        self, side: int, roots: Sequence[int], cells: Mapping[SideCell, int], taken: Mapping[int, int] = {}
    ) -> dict[int, int]:
        """The joint nodes of what `roots` of a program are computed from, over these nodes for its memory; those of `taken` are
        there already. Where operands commute without changing a float, their order is made the same. Signs that cancel are
        removed, in both programs."""
        flow, outer, builder = self.flows[side], self.outer[side], self.builder
        found: dict[int, int] = {}
        for number in flow.reachable(list(roots)):
            node = flow.nodes[number]
            if number in taken:
                found[number] = taken[number]
            elif node.form is not None:
                found[number] = self._applied(node.op, [found[arg] for arg in node.args])
            elif node.op == "constant":
                found[number] = builder.constant(node.value, node.base)
            else:
                found[number] = cells[SideCell(side, node.value)] if node.op == "memory" else outer[node.op, node.value]
        return found

    def _applied(self, op: str, args: list[int]) -> int:
        """An operator on joint nodes, after the rewrites of its row that hold bit for bit, the sign of a zero included."""
        nodes, row = self.builder.nodes, OPERATORS[op]
        if row.involution and nodes[args[0]].op == op:
            return nodes[args[0]].args[0]
        if row.commutative:
            args = sorted(args, key=lambda arg: (row.absorbs is not None and nodes[arg].op == row.absorbs[0], arg))
        if row.absorbs is not None and nodes[args[-1]].op == row.absorbs[0]:
            return self._applied(row.absorbs[1], [*args[:-1], *nodes[args[-1]].args])
        return self.builder.apply(op, tuple(args))

    def _obligations(self, nodes, kept: set[SideCell]) -> list[Obligation]:
        due: dict[tuple, Obligation] = {}
        for side, flow in enumerate(self.flows):
            cells = {cell.name: position for position, cell in enumerate(flow.memories)}
            for item in flow.obligations:
                says = item.says
                if item.kind == "memory":
                    name = says.split("`")[1]
                    if SideCell(side, cells[name]) not in kept:
                        continue
                    says = says.replace(f"`{name}`", f"`{SIDES[side]}.{name}`", 1)
                there = [None if node is None else nodes[side][node] for node in (item.subject, item.guard, item.claim)]
                due.setdefault((item.kind, *there), Obligation(item.kind, says, *there, NOWHERE))
        return list(due.values())
