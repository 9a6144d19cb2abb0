"""What a question to the solver is about: the nodes it depends on, in an order that depends on nothing else.

Two programs in which the same is computed give the same order, whatever else they hold. So the text of a question, which
numbers things in this order, names the question.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow


def order_nodes(flow: Dataflow, roots: Iterable[int], ends: Container[int] = ()) -> list[int]:
    """The nodes that `roots` depend on within one tick, operands before what uses them; of `ends` only themselves."""
    found: dict[int, None] = {}
    nodes = flow.nodes
    for root in roots:
        stack = [root]
        while stack:
            number = stack[-1]
            if number in found:
                stack.pop()
                continue
            waiting = [] if number in ends else [arg for arg in nodes[number].args if arg not in found]
            if waiting:
                stack += reversed(waiting)
            else:
                found[stack.pop()] = None
    return list(found)


def list_next_values(flow: Dataflow, nodes: Iterable[int]) -> list[int]:
    """The next values of the cells that are read among these nodes."""
    return [flow.memories[flow.nodes[number].value].next for number in nodes if flow.nodes[number].op == "memory"]


def find_cones(
    flow: Dataflow, roots: Sequence[Iterable[int]], slicing: bool = True, ends: Container[int] = ()
) -> list[list[int]]:
    """For each of a sequence of ticks, the nodes that its roots and those of the later ticks depend on, up to `ends`; with
    `slicing` off, all nodes of the program."""
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
    """All nodes of a tick that `roots` depend on, at this tick or an earlier one."""
    if not slicing:
        return list(range(len(flow.nodes)))
    reached = list(roots)
    while True:
        nodes = order_nodes(flow, reached)
        more = [number for number in dict.fromkeys(list_next_values(flow, nodes)) if number not in reached]
        if not more:
            return nodes
        reached += more
