"""The lineage graph as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element

_ACROSS, _DOWN, _MARGIN, _RADIUS = 128, 46, 26, 7


def lineage_svg(graph: Mapping[str, Any]) -> Markup | None:
    """Returns the drawing of a lineage graph from left to right; None if it has no programs.

    The lineage of the best program is thick, edges from a second parent are dashed.
    """
    nodes = {node["program_hash"]: node for node in graph["nodes"]}
    if not nodes:
        return None
    width = _MARGIN * 2 + _ACROSS * (1 + max(node["layer"] for node in nodes.values()))
    height = _MARGIN * 2 + _DOWN * (1 + max(node["place"] for node in nodes.values()))
    edges = sorted(graph["edges"], key=lambda edge: edge["on_line"])
    parts = [
        element("title", "Parents of each program"),
        *(_edge(nodes, edge) for edge in edges),
        *(_node(node) for node in nodes.values()),
    ]
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        class_="lineage",
        role="img",
        aria_label="lineage graph",
    )


def _place(node: Mapping[str, Any]) -> tuple[float, float]:
    return _MARGIN + _ACROSS * node["layer"] + _RADIUS, _MARGIN + _DOWN * node["place"] + _RADIUS


def _edge(nodes: Mapping[str, Mapping[str, Any]], edge: Mapping[str, Any]) -> Markup:
    (x1, y1), (x2, y2) = _place(nodes[edge["from"]]), _place(nodes[edge["to"]])
    middle = x2 - _ACROSS / 2
    kind = f"edge {edge['kind']}" + (" online" if edge["on_line"] else "")
    return element(
        "path", d=f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}", fill="none", stroke="currentColor", class_=kind
    )


def _node(node: Mapping[str, Any]) -> Markup:
    x, y = _place(node)
    kind = (
        "node"
        + (" online" if node["on_line"] else "")
        + (" bestnode" if node["best"] else "")
        + ("" if node["accepted"] else " notaccepted")
    )
    score = "" if node["score"] is None else f"{float(node['score']):.5g}"
    number = node["name"].removeprefix("trial ")
    return element(
        "g",
        element("title", f"{node['name']}, program {node['program_hash']}"),
        element("circle", cx=x, cy=y, r=_RADIUS),
        element(
            "text", element("tspan", f"{number} "), element("tspan", score, class_="nodescore"), x=x - _RADIUS, y=y + 22
        ),
        class_=kind,
    )
