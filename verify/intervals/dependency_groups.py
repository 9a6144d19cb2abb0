"""Memory cells grouped by dependence on each other, in the order in which they can be solved."""

from __future__ import annotations

from typing import NamedTuple

from hl_dsl.verify.goals.graph_index import GraphIndex


class DependencyGroup(NamedTuple):
    """Cells that depend on each other through the ticks (`cyclic`), or a single one that does not.

    `assumes` are the assumptions that can tell something about their next values, `before` the other cells that these
    and the next values are computed from.
    """

    cells: tuple[int, ...]
    cyclic: bool
    assumes: tuple[int, ...]
    before: tuple[int, ...]

    def nodes(self, index: GraphIndex) -> list[int]:
        """What the assumptions and the next values are computed from."""
        return index.flow.reachable([*(index.flow.memories[cell].next for cell in self.cells), *self.assumes])


def find_groups(index: GraphIndex) -> list[DependencyGroup]:
    """All cells in groups, each after those it depends on. A cell depends on what the assumptions that touch it speak of."""
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
    """Strongly connected components (Tarjan), those used before those that use them. Without recursion."""
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
                    component = []
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
