"""What was found out about a `reachable`, whose goal is that what it says never holds: the run that breaks the goal is
the witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.statuses import ProofStatus, describe_assumptions
from hl_dsl.verify.results.report import Verdict
from hl_dsl.verify.simulation.simulate import simulate

_QUICK = (4, 24)  # episodes and ticks of the simulation that a search can afford


def as_reachability_verdict(goal: Goal, verdict: Verdict, flow: Dataflow) -> Verdict:
    """The verdict on a goal as one on its property: what breaks a `reachable`'s goal shows that it is reached."""
    if goal.kind != "reachable" or verdict.status == ProofStatus.VACUOUS:
        return verdict
    if verdict.status == ProofStatus.VIOLATED:
        return replace(
            verdict, status=ProofStatus.PROVED, detail=f"reached at tick {len(verdict.trace) - 1}, counting from 0"
        )
    if verdict.status == ProofStatus.PROVED:
        return replace(verdict, status=ProofStatus.VACUOUS, detail=_never(goal, flow))
    tried = verdict.detail.replace("breaks it", "reaches it")
    return replace(
        verdict,
        status=ProofStatus.UNKNOWN,
        detail="no run that reaches it was found" + (f" ({tried})" if tried else ""),
        trace=(),
    )


def _never(goal: Goal, flow: Dataflow) -> str:
    """Why what is proved never to hold does not: whether it is the assumptions that keep every run away."""
    if not flow.of_kind("assume"):
        return "it is false at every tick of every run"
    without = replace(flow, properties=[item for item in flow.properties if item.kind != "assume"])
    run = "; without them a run reaches it" if find_witness(GraphIndex(without), goal) else ""
    return f"it is false at every tick of every run that keeps {describe_assumptions(flow)}{run}"


def find_witness(index: GraphIndex, goal: Goal) -> bool:
    """Whether a quick simulation reaches it. Runs that the reference interpreter makes, so there is nothing to replay."""
    return goal.id in simulate(index, [goal], *_QUICK).broken


def reachability_goals(goals: Sequence[Goal]) -> bool:
    """Whether a run is worth looking for before anything is proved: where one is wanted."""
    return any(goal.kind == "reachable" for goal in goals)
