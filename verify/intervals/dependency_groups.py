"""Memory cells in groups that depend on each other, in the order in which they can be solved."""

from __future__ import annotations

from typing import NamedTuple

from hl_dsl.verify.goals.graph_index import GraphIndex


class DependencyGroup(NamedTuple):
    """Memory cells that depend on each other through the ticks, or one cell that does not.

    Attributes:
        cells: Positions of the cells.
        cyclic: True if a cell of the group depends on a cell of the group.
        assumes: The assumptions that may restrict the next values of the cells.
        before: The other cells that the next values and the assumptions depend on.
    """

    cells: tuple[int, ...]
    cyclic: bool
    assumes: tuple[int, ...]
    before: tuple[int, ...]

    def nodes(self, index: GraphIndex) -> list[int]:
        """Returns the nodes that the assumptions and the next values depend on."""
        return index.flow.reachable([*(index.flow.memories[cell].next for cell in self.cells), *self.assumes])


def find_groups(index: GraphIndex) -> list[DependencyGroup]:
    """Returns all cells in groups, each after the groups that it depends on.

    A cell depends on everything that its next value is computed from, and on the nodes of the assumptions that share a
    node with it.
    """
    cells = index.flow.memories
    touching = [index.touching(index.live[cell.next]) for cell in cells]
    uses = [[other for node, other in index.memory_nodes if bits >> node & 1] for bits, _ in touching]
    return [_group(index, component, uses, touching) for component in _components(uses)]


def _group(
    index: GraphIndex, component: list[int], uses: list[list[int]], touching: list[tuple[int, tuple[int, ...]]]
) -> DependencyGroup:
    members = set(component)
    used = {other for cell in component for other in uses[cell]}
    assumes = tuple(node for node in index.assumes if any(node in touching[cell][1] for cell in component))
    return DependencyGroup(tuple(sorted(component)), bool(used & members), assumes, tuple(sorted(used - members)))


def _components(uses: list[list[int]]) -> list[list[int]]:
    """Returns the strongly connected components, those used before those that use them. Iterative.

    Source: R. Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972).
    """
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for first in range(len(uses)):
        if first in order:
            continue
        work = [(first, iter(uses[first]))]
        order[first] = lowest[first] = len(order)
        stack.append(first)
        on_stack.add(first)
        while work:
            cell, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[cell])
                if lowest[cell] == order[cell]:
                    component: list[int] = []
                    while not component or component[-1] != cell:
                        component.append(stack.pop())
                    on_stack -= set(component)
                    found.append(component)
            elif following not in order:
                order[following] = lowest[following] = len(order)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(uses[following])))
            elif following in on_stack:
                lowest[cell] = min(lowest[cell], order[following])
    return found
