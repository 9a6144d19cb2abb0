"""Monitored properties of a program, and removal of the monitor state that no monitored property needs."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow, Node

MONITORED_KINDS = ("assume", "monitor")


def without_unused_monitor_state(flow: Dataflow, kinds: Container[str] = MONITORED_KINDS) -> Dataflow:
    """The program without the memory cells that only properties of other kinds need.

    Node numbers do not change. The node of a removed cell becomes its start value, which no computed node reads.
    """
    if not any(cell.monitor_of for cell in flow.memories):
        return flow
    unused = {item.name for item in flow.properties if item.kind not in kinds}
    places: dict[int, int] = {}
    for position, cell in enumerate(flow.memories):
        if cell.monitor_of not in unused:
            places[position] = len(places)
    if len(places) == len(flow.memories):
        return flow
    nodes = [node if node.op != "memory" else _moved(node, places, flow) for node in flow.nodes]
    return replace(flow, nodes=nodes, memories=[flow.memories[position] for position in places])


def _moved(node: Node, places: dict[int, int], flow: Dataflow) -> Node:
    assert isinstance(node.value, int)
    if node.value in places:
        return node._replace(value=places[node.value])
    return Node("constant", (), node.base, None, flow.memories[node.value].start)


def as_monitors(flow: Dataflow) -> Dataflow:
    """The program with each invariant as a monitor, so that runs can be compared with the proof.

    A `reachable` becomes a monitor that counts the ticks at which its condition holds.
    """
    kinds = {"invariant": "monitor", "reachable": "monitor"}
    return replace(flow, properties=[replace(item, kind=kinds.get(item.kind, item.kind)) for item in flow.properties])
