"""Inner nodes of two programs that are proved equal become one, from the leaves up, so that what is computed from them is the
same computation. (In circuits: SAT sweeping.)

A solver's equality is one of numbers, and zeros of either sign are one number; so this is for programs in which no operator
shows more of a zero's sign than the sign of a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.equivalence.correspondence import Correspondence, simulate_jointly
from hl_dsl.verify.equivalence.product import HELPS, Product, build_product
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import Induction
from hl_dsl.verify.smt.solver import Solver, SolverFailure

from hl_dsl.base.source import NOWHERE
from hl_dsl.operators.intervals import INF

_MOST_TRIED = 24
_STEPS = 60_000


def sweep(a: Dataflow, b: Dataflow, guesses: Correspondence, limits: ProofLimits) -> Mapping[int, int]:
    """Nodes of B, each with the node of A that it equals as a number at every tick."""
    if not limits.solver or any(
        node.form is not None and node.form.sees_zero_sign for flow in (a, b) for node in flow.nodes
    ):
        return {}
    joint = build_product(a, b, guesses.links, guesses.equal)
    signatures = simulate_jointly(joint).signatures
    if not signatures:
        return {}
    by_bits: dict[tuple, int] = {}
    for number, there in joint.nodes[0].items():
        by_bits.setdefault((a.nodes[number].base, signatures[there]), number)
    merged: dict[int, int] = {}
    tried = 0
    with Solver(limits.hang_seconds) as solver:
        for number in b.reachable([*b.action, *(cell.next for cell in b.memories)]):
            there = joint.nodes[1][number]
            partner = by_bits.get((b.nodes[number].base, signatures[there]))
            if partner is None or b.nodes[number].form is None or tried >= _MOST_TRIED:
                continue
            now = build_product(a, b, guesses.links, guesses.equal, merged)
            if now.nodes[1][number] in set(now.nodes[0].values()):
                continue  # A computes it too
            tried += 1
            try:
                if _equal(now, now.nodes[0][partner], now.nodes[1][number], limits, solver):
                    merged[number] = partner
            except SolverFailure:
                break
    return merged


def _equal(joint: Product, first: int, second: int, limits: ProofLimits, solver: Solver) -> bool:
    builder = Builder(list(joint.flow.nodes))
    node = builder.apply("equal", (first, second))
    flow = replace(
        joint.flow, nodes=builder.nodes, properties=[Property("invariant", "equal", node, NOWHERE)], obligations=[]
    )
    return prove_all(flow, replace(limits, solver_steps=min(_STEPS, limits.solver_steps)), solver)


def prove_all(flow: Dataflow, limits: ProofLimits, solver: Solver) -> bool:
    """Whether intervals, or one step of induction, prove all invariants of a joint program that must hold; those about pairs
    of cells only help. Raises SolverFailure."""
    stage = IntervalStage(flow)
    wanted = list_goals(flow)
    for inner in flow.reachable([goal.property.node for goal in wanted]):
        low, high = stage.evaluator.value(inner, stage.evaluator.root)
        if flow.nodes[inner].base == "real" and not -INF < low <= high < INF:
            return False  # where a float may overflow the solver knows nothing of it
    left = [
        goal for goal in wanted if stage.invariant(goal.property.node, goal.property.antecedents) != ProofStatus.PROVED
    ]
    if not left:
        return True
    found = Induction(stage.index, stage.ranges, limits, solver).prove(left, (0,))
    return all(found[goal.id].proved for goal in left if not goal.name.startswith(HELPS))
