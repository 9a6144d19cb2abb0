"""Cone of influence of a solver query, in a canonical order.

The order depends only on the query: programs that compute the same values give the same order, whatever else they
contain. The text of a query, which numbers its nodes in this order, therefore identifies the query.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow


def order_nodes(flow: Dataflow, roots: Iterable[int], ends: Container[int] = ()) -> list[int]:
    """Returns the nodes that `roots` depend on within one tick, operands first.

    The operands of `ends` are not visited.
    """
    order: dict[int, None] = {}
    nodes = flow.nodes
    for root in roots:
        stack = [root]
        while stack:
            number = stack[-1]
            if number in order:
                stack.pop()
                continue
            waiting = [] if number in ends else [arg for arg in nodes[number].args if arg not in order]
            if waiting:
                stack += reversed(waiting)
            else:
                order[stack.pop()] = None
    return list(order)


def list_next_values(flow: Dataflow, nodes: Iterable[int]) -> list[int]:
    """Returns the next-value nodes of the memory cells that are read among `nodes`."""
    return [flow.memories[flow.nodes[number].position].next for number in nodes if flow.nodes[number].op == "memory"]


def find_cones(
    flow: Dataflow, roots: Sequence[Iterable[int]], slicing: bool = True, ends: Container[int] = ()
) -> list[list[int]]:
    """Returns the cone of influence of each tick of a sequence of ticks.

    Args:
        flow: The program.
        roots: For each tick, the nodes that the query uses there.
        slicing: If False, each cone holds all nodes of the program.
        ends: Nodes whose operands are not needed.

    Returns:
        For each tick, the nodes that its roots and the roots of later ticks depend on.
    """
    if not slicing:
        return [list(range(len(flow.nodes)))] * len(roots)
    cones: list[list[int]] = []
    wanted: list[int] = []
    for own in reversed(roots):
        nodes = order_nodes(flow, [*own, *wanted], ends)
        wanted = list_next_values(flow, nodes)
        cones.append(nodes)
    return cones[::-1]


def find_closed_cone(flow: Dataflow, roots: Iterable[int], slicing: bool = True) -> list[int]:
    """Returns all nodes of a tick that `roots` depend on, at the same tick or at an earlier one."""
    if not slicing:
        return list(range(len(flow.nodes)))
    reached = list(roots)
    while True:
        nodes = order_nodes(flow, reached)
        added = [number for number in dict.fromkeys(list_next_values(flow, nodes)) if number not in reached]
        if not added:
            return nodes
        reached += added
