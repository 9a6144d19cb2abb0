"""Proof of conjunctions, such as `all(…)` over a vector: each conjunct is proved alone, and one result shows all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.operators.intervals import TRUE
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import Verdict

UNDECIDED = frozenset(
    (ProofStatus.NOT_INDUCTIVE, ProofStatus.UNCONFIRMED, ProofStatus.UNKNOWN, ProofStatus.PROVED_REALS)
)
_MOST_CONJUNCTS = 64

Verdicts: TypeAlias = list[tuple[Goal, Verdict]]
# From worst to best: a conjunction has the status of its worst conjunct.
_ORDER = (
    ProofStatus.VIOLATED,
    ProofStatus.UNKNOWN,
    ProofStatus.UNCONFIRMED,
    ProofStatus.NOT_INDUCTIVE,
    ProofStatus.PROVED_REALS,
    ProofStatus.VACUOUS,
    ProofStatus.PROVED,
)


def split_conjunction(index: GraphIndex, node: int) -> list[int]:
    """Returns the conjuncts of a bool node; the node itself if it is not a conjunction."""
    conjuncts: list[int] = []
    waiting = [node]
    while waiting:
        number = waiting.pop()
        parts = index.parts(number, True)
        if parts is None or not all(truth for _, truth in parts):
            if index.constants.get(number) != TRUE:
                conjuncts.append(number)
        else:
            waiting += [part for part, _ in reversed(parts)]
    return list(dict.fromkeys(conjuncts)) or [node]


def prove_components(
    flow: Dataflow,
    index: GraphIndex,
    verdicts: Verdicts,
    prove_again: Callable[[Dataflow], Verdicts],
    statuses: frozenset[ProofStatus] = UNDECIDED,
) -> Verdicts:
    """Proves the conjuncts of invariants one by one.

    Args:
        flow: The program.
        index: Its index.
        verdicts: The verdicts so far.
        prove_again: Proves the program with its conjunctions split.
        statuses: Only invariants with one of these statuses are split.

    Returns:
        All verdicts, those of split invariants with their components.
    """
    conjuncts = {
        goal.id: nodes
        for goal, verdict in verdicts
        if goal.kind == "invariant"
        and verdict.status in statuses
        and 1 < len(nodes := split_conjunction(index, goal.stated.node)) <= _MOST_CONJUNCTS
    }
    if not conjuncts:
        return verdicts
    properties: list[Property] = []
    for item in flow.properties:
        own = conjuncts.get(f"invariant:{item.name}") if item.kind == "invariant" else None
        properties += (
            [item]
            if own is None
            else [replace(item, name=_name(item.name, number), node=node) for number, node in enumerate(own)]
        )
    results = {goal.id: verdict for goal, verdict in prove_again(replace(flow, properties=properties))}
    names = NodeNames(flow)
    return [
        (goal, _combine(goal, verdict, conjuncts[goal.id], results, names) if goal.id in conjuncts else verdict)
        for goal, verdict in verdicts
    ]


def _name(name: str, number: int) -> str:
    return f"{name}[{number}]"


def _combine(
    goal: Goal, verdict: Verdict, nodes: Sequence[int], results: Mapping[str, Verdict], names: NodeNames
) -> Verdict:
    own = [results[f"invariant:{_name(goal.name, number)}"] for number in range(len(nodes))]
    components = tuple(
        {"says": names.text(node, use_name=False), "status": part.status, "method": part.method}
        for node, part in zip(nodes, own)
    )
    if verdict.status == ProofStatus.VIOLATED:
        return replace(verdict, components=components)
    worst = min(own, key=lambda part: _ORDER.index(part.status))
    if _ORDER.index(worst.status) > _ORDER.index(verdict.status) or worst.status == ProofStatus.VIOLATED:
        method = (
            "; ".join(dict.fromkeys(part.method for part in own))
            if worst.status in (ProofStatus.VACUOUS, ProofStatus.PROVED)
            else worst.method
        )
        return replace(
            worst,
            method=f"by components: {method}",
            seconds=verdict.seconds + sum(part.seconds for part in own),
            components=components,
        )
    return replace(verdict, components=components)
