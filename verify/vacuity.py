"""Whether what was proved says anything: a condition that is never met makes any implication true."""

from __future__ import annotations

from typing import Sequence

from hl_dsl.verify.encode import FREE, START, Encoding
from hl_dsl.verify.intervals import Evaluator
from hl_dsl.verify.interval_tier import antecedents
from hl_dsl.verify.limits import Limits
from hl_dsl.verify.obligations import Goal
from hl_dsl.verify.plan import Pair, Plan
from hl_dsl.verify.simulate import simulate
from hl_dsl.verify.solver import UNSAT, Solver, SolverFailure

_EPISODES, _TICKS = 8, 32


def contradictory(plan: Plan, ranges: Sequence[Pair], limits: Limits, solver: Solver) -> bool:
    """Whether the assumptions cannot hold at the first tick, so that no run keeps them."""
    if not plan.assumes or not limits.solver or simulate(plan, [], 2, 1).ticks:
        return False
    return _impossible(plan, ranges, [], limits, solver, START)


def vacuous(plan: Plan, ranges: Sequence[Pair], goals: Sequence[Goal], limits: Limits, solver: Solver) -> set[str]:
    """Goals, by id, that hold only because they are never asked. Runs are looked at first, then z3 is asked."""
    conditions = {goal.id: antecedents(plan, goal.property.node, goal.property.asked) for goal in goals}
    wanted = sorted({condition for found in conditions.values() for condition in found})
    if not wanted:
        return set()
    met = simulate(plan, [], _EPISODES, _TICKS, 0, wanted).met
    never = {condition for condition in wanted if condition not in met and limits.solver
             and _impossible(plan, ranges, [condition], limits, solver, FREE)}
    return {goal for goal, found in conditions.items() if never.intersection(found)}


def _impossible(plan: Plan, ranges: Sequence[Pair], conditions: list[tuple[int, bool]], limits: Limits, solver: Solver, begin: str) -> bool:
    """Whether no tick within the memory ranges keeps the assumptions and meets the conditions."""
    evaluator = Evaluator(plan, ranges)
    encoding = Encoding(evaluator, evaluator.base, begin)
    nodes = plan.flow.reachable([*(node for node, _ in conditions), *plan.assumes])
    try:
        solver.fresh(limits.solver_steps)
        solver.tell(*encoding.frame(nodes))
        known = encoding.frames[0]
        solver.tell(*(f"(assert {known[node].text})" for node in plan.assumes))
        solver.tell(*(f"(assert (= {known[node].text} {'true' if truth else 'false'}))" for node, truth in conditions))
        return solver.check() == UNSAT
    except SolverFailure:
        return False
