"""A verdict is no better than what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import Verdict


def downgrade_unsupported(
    index: GraphIndex, goals: Sequence[Goal], verdicts: dict[str, Verdict], depends_on: Mapping[str, Sequence[int]]
) -> None:
    """Takes back the proofs that depend on something not proved well defined: of invariants, which speak of what is
    computed, and of what induction has proved, which leans on the nodes in `rests` too.

    Where a division may divide by zero, or a float may overflow, the proof of what is computed from it is about another
    program than the one that runs.
    """
    loose = [goal for goal in goals if goal.property is None and verdicts[goal.id].status != ProofStatus.PROVED]
    if not loose:
        return
    for goal in goals:
        verdict = verdicts[goal.id]
        if (goal.property is not None or depends_on.get(goal.id)) and verdict.status in (
            ProofStatus.PROVED,
            ProofStatus.PROVED_REALS,
        ):
            cone = set(find_closed_cone(index.flow, [*goal.nodes, *index.assumes, *depends_on.get(goal.id, ())]))
            under = [other.id for other in loose if cone.intersection(_about(index, other))]
            if under:
                verdicts[goal.id] = Verdict(
                    ProofStatus.UNKNOWN,
                    verdict.method,
                    f"rests on {', '.join(under[:4])}, not proved",
                    seconds=verdict.seconds,
                )


def _about(index: GraphIndex, goal: Goal) -> tuple[int, ...]:
    """The nodes that an obligation is about: its subject, or where that only states the requirement, what is required of."""
    item = goal.obligation
    if item.claim != item.subject:
        return (item.subject,)
    return tuple(arg for arg in index.nodes[item.subject].args if arg not in index.constants) or (item.subject,)
