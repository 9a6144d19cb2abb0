"""Properties that are several conditions at once, such as `all(…)` over a vector: each is proved by itself, and there is one
result that says which hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import Verdict

from hl_dsl.operators.intervals import TRUE

UNDECIDED = frozenset(
    (ProofStatus.NOT_INDUCTIVE, ProofStatus.UNCONFIRMED, ProofStatus.UNKNOWN, ProofStatus.PROVED_REALS)
)
_MOST = 64

Verdicts = list[tuple[Goal, Verdict]]
# From the worst to the best: a whole is what the worst of its parts is.
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
    """The conditions whose conjunction a bool node is; the node itself, where it is one condition."""
    found: list[int] = []
    waiting = [node]
    while waiting:
        number = waiting.pop()
        split = index.parts(number, True)
        if split is None or not all(truth for _, truth in split):
            if index.constants.get(number) != TRUE:
                found.append(number)
        else:
            waiting += [part for part, _ in reversed(split)]
    return list(dict.fromkeys(found)) or [node]


def prove_components(
    flow: Dataflow,
    index: GraphIndex,
    verdicts: Verdicts,
    again: Callable[[Dataflow], Verdicts],
    statuses: frozenset = UNDECIDED,
) -> Verdicts:
    """The verdicts, with those of invariants that have one of `statuses` found part by part. `again` proves a program."""
    split = {
        goal.id: found
        for goal, verdict in verdicts
        if goal.kind == "invariant"
        and verdict.status in statuses
        and 1 < len(found := split_conjunction(index, goal.property.node)) <= _MOST
    }
    if not split:
        return verdicts
    split_properties: list[Property] = []
    for item in flow.properties:
        own = split.get(f"invariant:{item.name}") if item.kind == "invariant" else None
        split_properties += (
            [item]
            if own is None
            else [replace(item, name=_name(item.name, number), node=node) for number, node in enumerate(own)]
        )
    found = {goal.id: verdict for goal, verdict in again(replace(flow, properties=split_properties))}
    names = NodeNames(flow)
    return [
        (goal, _whole(goal, verdict, split[goal.id], found, names) if goal.id in split else verdict)
        for goal, verdict in verdicts
    ]


def _name(name: str, number: int) -> str:
    return f"{name}[{number}]"


def _whole(goal: Goal, verdict: Verdict, nodes: Sequence[int], found: dict[str, Verdict], names: NodeNames) -> Verdict:
    own = [found[f"invariant:{_name(goal.name, number)}"] for number in range(len(nodes))]
    components = tuple(
        {"says": names.text(node, outright=False), "status": one.status, "method": one.method}
        for node, one in zip(nodes, own)
    )
    if verdict.status == ProofStatus.VIOLATED:
        return replace(verdict, components=components)
    worst = min(own, key=lambda one: _ORDER.index(one.status))
    if _ORDER.index(worst.status) > _ORDER.index(verdict.status) or worst.status == ProofStatus.VIOLATED:
        method = (
            "; ".join(dict.fromkeys(one.method for one in own))
            if worst.status in (ProofStatus.VACUOUS, ProofStatus.PROVED)
            else worst.method
        )
        return replace(
            worst,
            method=f"by components: {method}",
            seconds=verdict.seconds + sum(one.seconds for one in own),
            components=components,
        )
    return replace(verdict, components=components)
