"""Downgrades verdicts that depend on well-definedness obligations that are not proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import Verdict

_MOST_NAMED = 4


def downgrade_unsupported(
    index: GraphIndex, goals: Sequence[Goal], verdicts: dict[str, Verdict], depends_on: Mapping[str, Sequence[int]]
) -> None:
    """Replaces unsupported proofs by UNKNOWN.

    If a division may be by zero, or a float may overflow, a proof about values computed from it is about another
    program than the one that runs. This concerns invariants, and everything that induction has proved.

    Args:
        index: The program.
        goals: All goals.
        verdicts: By goal id; changed in place.
        depends_on: By goal id, the nodes that a proof by induction depends on.
    """
    unproved = [goal for goal in goals if goal.declaration is None and verdicts[goal.id].status != ProofStatus.PROVED]
    if not unproved:
        return
    for goal in goals:
        verdict = verdicts[goal.id]
        if (goal.declaration is not None or depends_on.get(goal.id)) and verdict.status in (
            ProofStatus.PROVED,
            ProofStatus.PROVED_REALS,
        ):
            cone = set(find_closed_cone(index.flow, [*goal.nodes, *index.assumes, *depends_on.get(goal.id, ())]))
            missing = [other.id for other in unproved if cone.intersection(_subjects(index, other))]
            if missing:
                detail = f"depends on {', '.join(missing[:_MOST_NAMED])}, not proved"
                verdicts[goal.id] = Verdict(ProofStatus.UNKNOWN, verdict.method, detail, seconds=verdict.seconds)


def _subjects(index: GraphIndex, goal: Goal) -> tuple[int, ...]:
    """Returns the nodes that an obligation is about: its subject, or the operands of a subject that is the claim."""
    item = goal.required
    if item.claim != item.subject:
        return (item.subject,)
    return tuple(arg for arg in index.nodes[item.subject].args if arg not in index.constants) or (item.subject,)
