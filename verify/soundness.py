"""A verdict is no better than what it rests on."""

from __future__ import annotations

from typing import Sequence

from hl_dsl.verify.cone import closed_cone
from hl_dsl.verify.claims import PROVED, PROVED_REALS, UNKNOWN
from hl_dsl.verify.obligations import Goal
from hl_dsl.verify.plan import Plan
from hl_dsl.verify.report import Verdict


def resting(plan: Plan, goals: Sequence[Goal], verdicts: dict[str, Verdict]) -> None:
    """Takes back the proofs of invariants that depend on something not proved well defined.

    Where a division may divide by zero, or a float may overflow, the proof of what is computed from it is about another
    program than the one that runs.
    """
    loose = [goal for goal in goals if goal.kind != "invariant" and verdicts[goal.id].status != PROVED]
    if not loose:
        return
    for goal in goals:
        verdict = verdicts[goal.id]
        if goal.kind == "invariant" and verdict.status in (PROVED, PROVED_REALS):
            cone = set(closed_cone(plan.flow, [*goal.nodes, *plan.assumes]))
            under = [other.id for other in loose if cone.intersection(_about(plan, other))]
            if under:
                verdicts[goal.id] = Verdict(UNKNOWN, verdict.method, f"rests on {', '.join(under[:4])}, not proved", seconds=verdict.seconds)


def _about(plan: Plan, goal: Goal) -> tuple[int, ...]:
    """The nodes that an obligation is about: its subject, or where that only states the requirement, what is required of."""
    item = goal.obligation
    if item.claim != item.subject:
        return (item.subject,)
    return tuple(arg for arg in plan.nodes[item.subject].args if arg not in plan.constants) or (item.subject,)
