"""Stages of a proof that use z3: induction, lemmas, bounded model checking, and the proof over the reals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

from hl_dsl.compiler.ir.dataflow import Cell
from hl_dsl.operators.intervals import ANYTHING, EITHER
from hl_dsl.verify.goals.goal_relevance import GoalRelevance
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.bounded_model_checking import BoundedSearch, search_counterexample
from hl_dsl.verify.methods.k_induction import BY_RANGES, INDUCTIVE, Attempt, Induction
from hl_dsl.verify.methods.lemmas.induction_with_lemmas import prove_with_lemmas
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.proof_state import ProofState
from hl_dsl.verify.results.report import Verdict
from hl_dsl.verify.simulation.replay import breaks, trace_from_state, trace_run
from hl_dsl.verify.simulation.trace import Trace
from hl_dsl.verify.simulation_stages import SimulationStages
from hl_dsl.verify.smt.encode import EXACT, RELATIVE_ERROR, ROUNDED
from hl_dsl.verify.smt.solver import Solver, SolverFailure

_MOST_NAMED = 4  # lemmas that a report names


class SolverStages:
    """The stages after intervals, bisection and quick simulation. `run` gives every goal a verdict."""

    def __init__(self, state: ProofState, simulation: SimulationStages, solver: Solver):
        self.state, self.simulation, self.solver = state, simulation, solver
        self.attempts: dict[str, Attempt] = {}
        self.attempts_over_reals: dict[str, Attempt] = {}
        self.searches: dict[str, BoundedSearch] = {}

    def run(self) -> None:
        """Tries induction, then searches for traces that violate what remains open."""
        state, limits = self.state, self.state.limits
        failure = "" if limits.solver else "the solver is disabled"
        try:
            if limits.solver:
                self._induct(limits.depths[:2])
                self._induct(limits.depths[:2], RELATIVE_ERROR)
                self._defer()
                self._search(limits.bounded_depths[0])
        except SolverFailure as problem:
            failure = str(problem)
        with self.simulation.start_batch() as batch:
            try:
                if limits.solver and not failure:
                    self._induct_with_lemmas()
                    self._induct(limits.depths[2:])
            except SolverFailure as problem:
                failure = str(problem)
            if state.open_goals() and limits.lanes:
                self.simulation.finish_batch(batch)
        try:
            if not failure:
                self._search(limits.bounded_depths[1])
                self._prove_over_reals()
        except SolverFailure as problem:
            failure = str(problem)
        self._resolve_deferred()
        for goal in state.open_goals():
            state.verdicts[goal.id] = self._undecided(goal, failure)

    def _induct(self, depths: Sequence[int], rounding: str = ROUNDED) -> None:
        state = self.state
        pending = state.open_goals()
        if not pending or not depths:
            return
        attempts = self._induction(rounding).prove(pending, depths, self._inductive_facts())
        for goal in pending:
            attempt = self.attempts[goal.id] = attempts[goal.id]
            if attempt.proved:
                state.depends_on[goal.id] = attempt.depends_on
                state.verdicts[goal.id] = Verdict(ProofStatus.PROVED, attempt.method, seconds=attempt.seconds)

    def _induction(self, rounding: str = ROUNDED) -> Induction:
        state = self.state
        expressions = state.search_cache.expressions
        return Induction(state.index, state.stage.ranges, state.limits, self.solver, rounding, expressions=expressions)

    def _defer(self) -> None:
        """Defers the obligations that hold if the memory keeps its ranges: only these ranges need further work."""
        state = self.state
        memory = [
            goal
            for goal in state.goals
            if goal.kind == "memory"
            and (goal.id not in state.verdicts or state.verdicts[goal.id].status != ProofStatus.PROVED)
        ]
        if memory:
            relevance = GoalRelevance(state.index)
            state.deferred = {
                goal.id: (goal, relevance.among(goal, memory))
                for goal in self._proved_by_ranges(state.goals, state.open_goals())
            }

    def _resolve_deferred(self) -> None:
        """Gives the deferred obligations a verdict."""
        state = self.state
        deferred, state.deferred = state.deferred, {}
        if not deferred:
            return
        proved = self._proved_by_ranges(self._inductive_facts(), [goal for goal, _ in deferred.values()])
        for goal in proved:
            state.verdicts[goal.id] = Verdict(ProofStatus.PROVED, BY_RANGES)
            state.depends_on[goal.id] = tuple(node for other in deferred[goal.id][1] for node in other.nodes)
        for goal, needed in deferred.values():
            if goal not in proved:
                detail = f"depends on {', '.join(other.id for other in needed)}, not proved"
                state.verdicts[goal.id] = Verdict(ProofStatus.UNKNOWN, BY_RANGES, detail)

    def _proved_by_ranges(self, hypotheses: Sequence[Goal], goals: Sequence[Goal]) -> list[Goal]:
        """Returns the obligations that intervals prove if the memory keeps the ranges of the hypotheses."""
        state, induction = self.state, self._induction()
        evaluator = Evaluator(state.index, induction.assuming_ranges(hypotheses), state.search_cache.expressions)
        return [
            goal
            for goal in goals
            if goal.kind not in INDUCTIVE and induction.try_intervals(goal, evaluator) is not None
        ]

    def _inductive_facts(self) -> list[Goal]:
        """Returns the goals that induction has proved."""
        return [goal for goal in self.state.goals if goal.id in self.attempts and self.attempts[goal.id].proved]

    def _induct_with_lemmas(self) -> None:
        state = self.state
        if not state.limits.lemmas or not state.open_goals():
            return
        for group in GoalRelevance(state.index).groups(state.open_goals()):
            start = perf_counter()
            attempts = prove_with_lemmas(
                state.index,
                state.stage.ranges,
                group,
                self._inductive_facts(),
                state.limits,
                self.solver,
                state.search_cache.expressions,
            )
            self._record_lemmas(attempts, perf_counter() - start)

    def _record_lemmas(self, attempts: Mapping[str, Attempt], seconds: float) -> None:
        state = self.state
        for goal, attempt in attempts.items():
            self.attempts[goal] = attempt
            state.depends_on[goal] = attempt.depends_on
            lemmas = tuple(lemma.says(state.flow) for lemma in attempt.lemmas)
            method = _with_lemmas(attempt.method, lemmas)
            state.verdicts[goal] = Verdict(ProofStatus.PROVED, method, seconds=seconds / len(attempts), lemmas=lemmas)

    def _search(self, depth: int) -> None:
        state = self.state
        for goal in state.open_goals():
            start = perf_counter()
            search = search_counterexample(state.index, state.stage.ranges, goal, state.limits, self.solver, depth)
            self.searches[goal.id] = search
            if search.replayed and search.run is not None:
                state.record_violation(goal, search.run, "bounded model checking", perf_counter() - start)

    def _prove_over_reals(self) -> None:
        """Finds the goals that only rounding prevents from being proved."""
        state = self.state
        goals = [
            goal for goal in state.open_goals() if goal.kind in ("invariant", "memory") and self.attempts[goal.id].model
        ]
        if goals:
            # The ranges of the interval stage are about floats. Over the reals only the declared ranges hold.
            ranges = [_declared_range(cell) for cell in state.flow.memories]
            facts = [goal for goal in state.goals if goal.kind == "memory" and goal not in goals]
            induction = Induction(state.index, ranges, state.limits, self.solver, EXACT)
            self.attempts_over_reals = induction.prove([*goals, *facts], state.limits.depths)

    def _undecided(self, goal: Goal, failure: str) -> Verdict:
        """Returns the verdict on a goal that is neither proved nor violated by a replayed run."""
        if failure:
            seconds = self.attempts[goal.id].seconds if goal.id in self.attempts else 0.0
            return Verdict(ProofStatus.UNKNOWN, "intervals", failure, seconds=seconds)
        attempt, search = self.attempts[goal.id], self.searches[goal.id]
        seconds, detail = attempt.seconds, search.says
        if search.run is not None:
            trace = trace_run(self.state.flow, search.run)
            return Verdict(ProofStatus.UNCONFIRMED, "bounded model checking", detail, trace, seconds)
        over_reals = self.attempts_over_reals.get(goal.id)
        if over_reals is not None and over_reals.proved:
            return Verdict(ProofStatus.PROVED_REALS, over_reals.method, detail, seconds=seconds)
        step = self._violating_step(goal, attempt)
        if step:
            return Verdict(ProofStatus.NOT_INDUCTIVE, attempt.method, detail, step, seconds)
        reason = attempt.reason or "the step of z3 that violates it is not a step of the compiled program"
        return Verdict(
            ProofStatus.UNKNOWN, attempt.method, f"{reason}; {detail}" if detail else reason, seconds=seconds
        )

    def _violating_step(self, goal: Goal, attempt: Attempt) -> Trace | None:
        """Returns the step from the model's state that violates the goal, if the interpreter confirms it."""
        if not attempt.model:
            return None
        flow = self.state.flow
        run = model_to_run(flow, attempt.model)
        memory = model_to_memory(flow, attempt.model[0], self.state.stage.ranges)
        return trace_from_state(flow, run.parameters, memory, run.rows, lambda values: breaks(goal, values))


def _declared_range(cell: Cell) -> Interval:
    if cell.base == "bool":
        return EITHER
    if cell.names:
        return (0, len(cell.names) - 1)
    if cell.monitor_of and cell.low is not None and cell.high is not None:
        return (cell.low, cell.high)
    return ANYTHING


def _with_lemmas(method: str, lemmas: Sequence[str]) -> str:
    """Returns a method and the lemmas that it uses, as many as fit on a line."""
    if not lemmas:
        return method
    shown = ", ".join(f"`{lemma}`" for lemma in lemmas[:_MOST_NAMED]) + (", …" if len(lemmas) > _MOST_NAMED else "")
    return f"{method} with {len(lemmas)} lemma{'s' if len(lemmas) > 1 else ''}: {shown}"
