"""What a proof attempt leaves to be said for the person who reads it: which parts of a property hold, which fact is missing,
which bound would do. It changes no verdict."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.verify.advice import advise
from hl_dsl.verify.claims import NOT_INDUCTIVE, PROVED_REALS, VIOLATED
from hl_dsl.verify.components import by_components
from hl_dsl.verify.limits import Limits
from hl_dsl.verify.obligations import Goal
from hl_dsl.verify.pipeline import prove
from hl_dsl.verify.plan import Plan
from hl_dsl.verify.report import Proof, Verdict
from hl_dsl.verify.widening import widened

_PARTLY = frozenset((VIOLATED,))


def taught(flow: Dataflow, proof: Proof, limits: Limits = Limits()) -> Proof:
    """The proof with components of what is violated, and advice on what is not proved."""
    if proof.passed:
        return proof
    lean = replace(limits, components=False)
    verdicts = by_components(flow, Plan(flow), proof.verdicts, lambda other: prove(other, lean).verdicts, _PARTLY)
    told = [(goal, _told(flow, goal, verdict, limits)) for goal, verdict in verdicts]
    return Proof(flow, lambda: told, proof.passed, proof.seconds)


def _told(flow: Dataflow, goal: Goal, verdict: Verdict, limits: Limits) -> Verdict:
    said = []
    if verdict.status in (PROVED_REALS, VIOLATED, NOT_INDUCTIVE) and goal.kind == "invariant":
        text = widened(flow, goal, limits)
        if text:
            said.append(f"rounding alone breaks the exact bound; with a little room it is proved: `{text}`")
    if verdict.status == NOT_INDUCTIVE and verdict.trace and not said:
        said.append(advise(flow, goal, verdict.trace, limits))
    return replace(verdict, advice=tuple(text for text in said if text))
