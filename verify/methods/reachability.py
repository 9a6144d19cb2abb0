"""Verdicts on `reachable P`, which is checked as the invariant `not P`: a counterexample is the witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.statuses import ProofStatus, describe_assumptions
from hl_dsl.verify.results.report import Verdict
from hl_dsl.verify.simulation.replay import SimulatedRun
from hl_dsl.verify.simulation.simulate import simulate

_QUICK = (4, 24)  # episodes and ticks of a simulation that is cheap enough for a search


def as_reachability_verdict(goal: Goal, verdict: Verdict, flow: Dataflow) -> Verdict:
    """Returns the verdict on the property, from the verdict on its goal. Other kinds of goals keep their verdict."""
    if goal.kind != "reachable" or verdict.status == ProofStatus.VACUOUS:
        return verdict
    if verdict.status == ProofStatus.VIOLATED:
        detail = f"reached at tick {len(verdict.trace) - 1}, counting from 0"
        return replace(verdict, status=ProofStatus.PROVED, detail=detail)
    if verdict.status == ProofStatus.PROVED:
        return replace(verdict, status=ProofStatus.VACUOUS, detail=_explain_unreachable(goal, flow))
    tried = verdict.detail.replace("violates it", "reaches it")
    detail = "no run that reaches it was found" + (f" ({tried})" if tried else "")
    return replace(verdict, status=ProofStatus.UNKNOWN, detail=detail, trace=())


def _explain_unreachable(goal: Goal, flow: Dataflow) -> str:
    """Returns why the property never holds, and whether only the assumptions prevent it."""
    if not flow.of_kind("assume"):
        return "it is false at every tick of every run"
    without = replace(flow, properties=[item for item in flow.properties if item.kind != "assume"])
    run = "; without them a run reaches it" if find_witness(GraphIndex(without), goal) is not None else ""
    return f"it is false at every tick of every run that keeps {describe_assumptions(flow)}{run}"


def find_witness(index: GraphIndex, goal: Goal) -> SimulatedRun | None:
    """Returns a run that reaches the property, if a quick simulation finds one.

    The reference interpreter makes the run, so a replay is not needed.
    """
    return simulate(index, [goal], *_QUICK).broken.get(goal.id)


def reachability_goals(goals: Sequence[Goal]) -> list[Goal]:
    """Returns the goals of `reachable` properties. For these a run is searched before anything is proved."""
    return [goal for goal in goals if goal.kind == "reachable"]
