"""What of a program runs, by the properties that are watched: a ghost cell costs nothing where its property is not."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow, Node

WATCHED = ("assume", "monitor")


def without_idle_ghosts(flow: Dataflow, kinds: Container[str] = WATCHED) -> Dataflow:
    """The program without the ghost cells of properties of other kinds. Node numbers stay; the leaf of a cell that is
    left out is its start value, and nothing that runs reads it."""
    if not any(cell.monitor_of for cell in flow.memories):
        return flow
    idle = {item.name for item in flow.properties if item.kind not in kinds}
    places: dict[int, int] = {}
    for position, cell in enumerate(flow.memories):
        if cell.monitor_of not in idle:
            places[position] = len(places)
    if len(places) == len(flow.memories):
        return flow
    nodes = [node if node.op != "memory" else _moved(node, places, flow) for node in flow.nodes]
    return replace(flow, nodes=nodes, memories=[flow.memories[position] for position in places])


def _moved(node: Node, places: dict[int, int], flow: Dataflow) -> Node:
    if node.value in places:
        return node._replace(value=places[node.value])
    return Node("constant", (), node.base, None, flow.memories[node.value].start)


def as_monitors(flow: Dataflow) -> Dataflow:
    """The program with each invariant as a monitor, to see whether runs agree with the proof. A `reachable` becomes one
    too: it counts the ticks at which what it says holds."""
    kinds = {"invariant": "monitor", "reachable": "monitor"}
    return replace(flow, properties=[replace(item, kind=kinds.get(item.kind, item.kind)) for item in flow.properties])
