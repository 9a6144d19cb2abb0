"""The proof of a program: stage after stage, each on the goals that earlier stages left open."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.conjunctions import Verdicts, prove_components
from hl_dsl.verify.goals.goals import make_assumptions_goal
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.bisection import bisect
from hl_dsl.verify.methods.reachability import as_reachability_verdict, reachability_goals
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.proof_dependencies import downgrade_unsupported
from hl_dsl.verify.proof_state import ProofState
from hl_dsl.verify.results.report import Proof, Verdict
from hl_dsl.verify.simulation_stages import SimulationStages
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache
from hl_dsl.verify.smt.solver import Solver
from hl_dsl.verify.solver_stages import SolverStages
from hl_dsl.verify.vacuity import (
    CONTRADICTED,
    assumptions_contradict,
    explain_unmet_antecedent,
    find_vacuous_goals,
)


def prove(
    flow: Dataflow,
    limits: ProofLimits = DEFAULT_LIMITS,
    search_cache: SearchCache | None = None,
    answer_cache: SolverAnswerCache | None = None,
) -> Proof:
    """Proves all obligations and properties, and searches for traces that violate what it cannot prove.

    The verdicts depend on the program and the limits only, not on the clock, unless the solver hangs or is missing.
    The goals of its queries are then `unknown`, and the detail says why.

    Args:
        flow: The program.
        limits: Limits of the proof.
        search_cache: Results of earlier proofs; the same cache serves `screen`.
        answer_cache: Solver answers that are shared with other processes.

    Returns:
        The proof, with a verdict for each goal.
    """
    start = perf_counter()
    own_cache = SearchCache() if search_cache is None else search_cache
    try:
        state = ProofState(flow, limits, own_cache)
        verdicts = _run_stages(state, answer_cache)
        if limits.components:
            without_search = replace(limits, bounded_depths=(0, 0), lanes=0)  # violations were searched for already
            verdicts = prove_components(
                flow,
                state.index,
                verdicts,
                lambda other: _run_stages(ProofState(other, without_search, own_cache), answer_cache),
            )
    finally:
        if search_cache is None:
            own_cache.close()
        if answer_cache is not None:
            answer_cache.save()
    passed = all(verdict.status == ProofStatus.PROVED for _, verdict in verdicts)
    return Proof(flow, lambda: verdicts, passed, perf_counter() - start)


def _run_stages(state: ProofState, answer_cache: SolverAnswerCache | None) -> Verdicts:
    """Returns the verdicts on all goals, and one on the assumptions if they contradict each other."""
    _try_intervals(state)
    simulation = SimulationStages(state)
    open_goals = state.open_goals()
    if open_goals and (not state.index.assumes or reachability_goals(open_goals)):
        simulation.run_quick()
    _try_bisection(state)
    solver = state.search_cache.solver(state.limits.hang_seconds, answer_cache)
    queries = solver.queries
    if state.open_goals():
        SolverStages(state, simulation, solver).run()
    downgrade_unsupported(state.index, state.goals, state.verdicts, state.depends_on)
    contradictory = _mark_vacuous(state, solver)
    state.search_cache.queries += solver.queries - queries
    verdicts = [(goal, as_reachability_verdict(goal, state.verdicts[goal.id], state.flow)) for goal in state.goals]
    if contradictory:
        verdict = Verdict(ProofStatus.VACUOUS, "intervals, z3", "no first tick satisfies the assumptions")
        verdicts.append((make_assumptions_goal(state.flow), verdict))
    return verdicts


def _try_intervals(state: ProofState) -> None:
    for goal in state.goals:
        start = perf_counter()
        status = (
            state.stage.obligation(goal.required)
            if goal.declaration is None
            else state.stage.invariant(goal.declaration.node, goal.declaration.antecedents)
        )
        if status == ProofStatus.VACUOUS:
            state.unmet_antecedents[goal.id] = explain_unmet_antecedent(state.stage.evaluator, goal)
        if status in (ProofStatus.PROVED, ProofStatus.VACUOUS):
            state.verdicts[goal.id] = Verdict(ProofStatus.PROVED, "intervals", seconds=perf_counter() - start)


def _try_bisection(state: ProofState) -> None:
    for goal in state.open_goals():
        start = perf_counter()
        # A separate evaluator, because the boxes are of no use to other stages.
        evaluator = Evaluator(state.index, state.stage.ranges)
        context = evaluator.base
        item = goal.obligation
        if item is not None:
            context = evaluator.root if state.index.without_assumptions(item) else context
            if item.guard is not None and not context.dead:
                context = evaluator.assume(context, item.guard, True)
        boxes = None if context.dead else bisect(evaluator, goal, context, state.limits.boxes)
        if boxes is not None:
            method = f"intervals, {boxes} boxes"
            state.verdicts[goal.id] = Verdict(ProofStatus.PROVED, method, seconds=perf_counter() - start)


def _mark_vacuous(state: ProofState, solver: Solver) -> bool:
    """Marks proved goals as vacuous if a condition is never met or if the assumptions contradict each other.

    Only a proved goal can be vacuous. A violated goal keeps its trace, and an undecided one its status.

    Returns:
        True if the assumptions contradict each other.
    """
    evaluator, limits = state.stage.evaluator, state.limits
    proved = [
        goal
        for goal in state.goals
        if goal.kind == "invariant" and state.verdicts[goal.id].status == ProofStatus.PROVED
    ]
    contradictory = state.stage.impossible() or assumptions_contradict(evaluator, limits, solver)
    if contradictory:
        reasons = {goal.id: CONTRADICTED for goal in proved}
    else:
        undecided = [goal for goal in proved if goal.id not in state.unmet_antecedents]
        unmet = find_vacuous_goals(evaluator, undecided, limits, solver)
        reasons = {
            goal.id: explain_unmet_antecedent(evaluator, goal, unmet[goal.id]) for goal in proved if goal.id in unmet
        }
    for goal, reason in state.unmet_antecedents.items():
        if state.verdicts[goal].status == ProofStatus.PROVED:
            reasons[goal] = reason
    for goal, reason in reasons.items():
        state.verdicts[goal] = replace(state.verdicts[goal], status=ProofStatus.VACUOUS, detail=reason)
    return contradictory
