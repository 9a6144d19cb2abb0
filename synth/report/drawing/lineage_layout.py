"""Lineage graph of a run, laid out in layers: each program is in a layer after its parents."""

from __future__ import annotations

from typing import Any

from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.report.contents.steps import first_of_each, name_of
from hl_dsl.synth.runs.lineage import lineage


def lineage_graph(run: ReportedRun) -> dict[str, Any]:
    """Returns the graph of the accepted programs and their parents as plain data.

    `nodes` have a `layer` and a `place` in it. `edges` lead from parents to children: "changed" from the first parent,
    "crossed" from others. `on_line` marks the lineage of the best program.
    """
    import networkx

    programs = first_of_each(run)
    line = (
        {ancestor.trial.program_hash for ancestor in lineage(run.candidates, run.best)}
        if run.best is not None
        else set()
    )
    graph = networkx.DiGraph()
    for key, trial in programs.items():
        if not trial.accepted:
            continue
        graph.add_node(key)
        for number, parent in enumerate(trial.parent_hashes):
            # Only an older program can be a parent, so a program that is proposed again makes no cycle.
            if parent in programs and (programs[parent].sequence or 0) < (trial.sequence or 0):
                graph.add_edge(parent, key, kind="changed" if number == 0 else "crossed")
    nodes = {
        key: {
            "program_hash": key,
            "name": name_of(programs[key]),
            "trial": programs[key].index,
            "score": programs[key].score,
            "accepted": programs[key].accepted,
            "on_line": key in line,
            "best": run.best is not None and key == run.best.program_hash,
        }
        for key in sorted(graph, key=lambda key: programs[key].sequence or 0)
    }
    for layer, keys in enumerate(networkx.topological_generations(graph)):
        # Children are placed near the middle of their parents, so that few edges cross.
        for place, key in enumerate(
            sorted(keys, key=lambda key: (_middle(graph, nodes, key), programs[key].sequence or 0))
        ):
            nodes[key].update(layer=layer, place=place)
    edges = [
        {"from": parent, "to": child, "kind": kind, "on_line": parent in line and child in line and kind == "changed"}
        for parent, child, kind in graph.edges(data="kind")
    ]
    return {"nodes": list(nodes.values()), "edges": edges}


def _middle(graph: Any, nodes: dict[str, dict[str, Any]], key: str) -> float:
    places = [nodes[parent]["place"] for parent in graph.predecessors(key)]
    return sum(places) / len(places) if places else 0.0
