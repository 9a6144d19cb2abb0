"""SAT sweeping: inner nodes of two programs that are proved equal become one node, from the leaves up.

Values computed from such nodes are then the same computation (Kuehlmann and Krohm, "Equivalence Checking Using Cuts
and Heaps", 1997). A solver proves equality of numbers, and zeros of either sign are one number. Sweeping is therefore
limited to programs in which no operator shows the sign of a zero in more than the sign of a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hl_dsl.base.source import NOWHERE
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.operators.intervals import INF
from hl_dsl.verify.equivalence.correspondence import Correspondence, simulate_jointly
from hl_dsl.verify.equivalence.product import HELPS, Product, build_product
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import Induction
from hl_dsl.verify.smt.solver import Solver, SolverFailure

_MOST_TRIED = 24
_STEPS = 60_000  # z3's resource counter for one pair of nodes


def sweep(a: Dataflow, b: Dataflow, guesses: Correspondence, limits: ProofLimits) -> Mapping[int, int]:
    """Returns nodes of B, each with the node of A that equals it as a number at every tick."""
    if not limits.solver or any(
        node.form is not None and node.form.sees_zero_sign for flow in (a, b) for node in flow.nodes
    ):
        return {}
    joint = build_product(a, b, guesses.links, guesses.equal)
    signatures = simulate_jointly(joint).signatures
    if not signatures:
        return {}
    by_signature: dict[tuple[str, bytes], int] = {}
    for number, there in joint.nodes[0].items():
        by_signature.setdefault((a.nodes[number].base, signatures[there]), number)
    merged: dict[int, int] = {}
    tried = 0
    with Solver(limits.hang_seconds) as solver:
        for number in b.reachable([*b.action, *(cell.next for cell in b.memories)]):
            there = joint.nodes[1][number]
            partner = by_signature.get((b.nodes[number].base, signatures[there]))
            if partner is None or b.nodes[number].form is None or tried >= _MOST_TRIED:
                continue
            current = build_product(a, b, guesses.links, guesses.equal, merged)
            if current.nodes[1][number] in set(current.nodes[0].values()):
                continue  # A computes it too
            tried += 1
            try:
                if _is_equal(current, current.nodes[0][partner], current.nodes[1][number], limits, solver):
                    merged[number] = partner
            except SolverFailure:
                break
    return merged


def _is_equal(joint: Product, first: int, second: int, limits: ProofLimits, solver: Solver) -> bool:
    builder = Builder(list(joint.flow.nodes))
    node = builder.apply("equal", (first, second))
    flow = replace(
        joint.flow, nodes=builder.nodes, properties=[Property("invariant", "equal", node, NOWHERE)], obligations=[]
    )
    return prove_all(flow, replace(limits, solver_steps=min(_STEPS, limits.solver_steps)), solver)


def prove_all(flow: Dataflow, limits: ProofLimits, solver: Solver) -> bool:
    """Returns True if intervals or one step of induction prove all required invariants of a joint program.

    Invariants about pairs of cells (see `HELPS`) only help and are not required.

    Raises:
        SolverFailure: z3 cannot be used.
    """
    stage = IntervalStage(flow)
    goals = list_goals(flow)
    for node in flow.reachable([goal.stated.node for goal in goals]):
        low, high = stage.evaluator.value(node, stage.evaluator.root)
        if flow.nodes[node].base == "real" and not -INF < low <= high < INF:
            return False  # the encoding does not describe a float that overflows
    unproved = [
        goal for goal in goals if stage.invariant(goal.stated.node, goal.stated.antecedents) != ProofStatus.PROVED
    ]
    if not unproved:
        return True
    attempts = Induction(stage.index, stage.ranges, limits, solver).prove(unproved, (0,))
    return all(attempts[goal.id].proved for goal in unproved if not goal.name.startswith(HELPS))
