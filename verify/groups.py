"""Memory cells grouped by dependence on each other, in the order in which they can be solved."""

from __future__ import annotations

from typing import NamedTuple

from hl_dsl.verify.plan import Plan


class Group(NamedTuple):
    """Cells that depend on each other through the ticks (`cyclic`), or a single one that does not.

    `nodes` are what their next values are computed from, `before` the other cells among these.
    """

    cells: tuple[int, ...]
    cyclic: bool
    nodes: tuple[int, ...]
    before: tuple[int, ...]


def groups(plan: Plan) -> list[Group]:
    """All cells in groups, each after those it depends on. With assumptions, a cell depends on all that these speak of."""
    cells = plan.flow.memories
    reads = [plan.live[cell.next] | plan.assumed for cell in cells]
    uses = [[other for node, other in plan.memory_nodes if bits >> node & 1] for bits in reads]
    return [_group(plan, component, uses) for component in _components(uses)]


def _group(plan: Plan, component: list[int], uses: list[list[int]]) -> Group:
    members = set(component)
    used = {other for cell in component for other in uses[cell]}
    roots = [plan.flow.memories[cell].next for cell in component] + plan.assumes
    return Group(tuple(sorted(component)), bool(used & members), tuple(plan.flow.reachable(roots)), tuple(sorted(used - members)))


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
