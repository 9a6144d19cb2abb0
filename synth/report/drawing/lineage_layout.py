"""Which program came from which, laid out in layers: a program stands behind all it came from."""

from __future__ import annotations

from typing import Any

from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.report.contents.steps import first_of_each, name_of
from hl_dsl.synth.runs.lineage import lineage


def lineage_graph(run: ReportedRun) -> dict[str, Any]:
    """`nodes`: the accepted programs and those they came from, each with its `layer` and its `place` in it; `edges`: parents to
    children, "changed" from the first parent and "crossed" with others. `on_line`: on the way to the best program."""
    import networkx

    programs = first_of_each(run)
    line = {one.trial.program_hash for one in lineage(run.candidates, run.best)} if run.best is not None else set()
    graph = networkx.DiGraph()
    for key, trial in programs.items():
        if not trial.accepted:
            continue
        graph.add_node(key)
        for number, parent in enumerate(trial.parent_hashes):
            # Only what is older can be a parent: a program that is found once more makes no circle.
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
        for key in sorted(graph, key=lambda one: programs[one].sequence or 0)
    }
    for layer, keys in enumerate(networkx.topological_generations(graph)):
        # Children stand near the middle of their parents, so that few edges cross.
        for place, key in enumerate(
            sorted(keys, key=lambda one: (_middle(graph, nodes, one), programs[one].sequence or 0))
        ):
            nodes[key].update(layer=layer, place=place)
    edges = [
        {"from": parent, "to": child, "kind": kind, "on_line": parent in line and child in line and kind == "changed"}
        for parent, child, kind in graph.edges(data="kind")
    ]
    return {"nodes": list(nodes.values()), "edges": edges}


def _middle(graph, nodes: dict[str, dict[str, Any]], key: str) -> float:
    places = [nodes[parent]["place"] for parent in graph.predecessors(key)]
    return sum(places) / len(places) if places else 0.0
