"""The proof of a program: tier after tier, each on what the ones before left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.conjunctions import prove_components
from hl_dsl.verify.goals.goal_relevance import GoalRelevance
from hl_dsl.verify.goals.goals import Goal, list_goals, make_assumptions_goal
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.background_task import BackgroundTask
from hl_dsl.verify.methods.bisection import bisect
from hl_dsl.verify.methods.bounded_model_checking import BoundedSearch, search_counterexample
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import BY_RANGES, INDUCTIVE, Attempt, Induction
from hl_dsl.verify.methods.lemmas.induction_with_lemmas import prove_with_lemmas
from hl_dsl.verify.methods.reachability import as_reachability_verdict, reachability_goals
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.proof_dependencies import downgrade_unsupported
from hl_dsl.verify.results.report import Proof, Verdict
from hl_dsl.verify.simulation.replay import SimulatedRun, breaks, shorten_run, trace_from_state, trace_run
from hl_dsl.verify.simulation.simulate import simulate
from hl_dsl.verify.simulation.trace import describe_trigger_tick
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache
from hl_dsl.verify.smt.encode import EXACT, RELATIVE_ERROR, ROUNDED
from hl_dsl.verify.smt.solver import Solver, SolverFailure
from hl_dsl.verify.vacuity import CONTRADICTED, assumptions_contradict, explain_unmet_antecedent, find_vacuous_goals

from hl_dsl.operators.intervals import ANYTHING, EITHER

_QUICK = (4, 24)  # episodes and ticks of the simulation before induction
_GUIDED = (6, 40)  # the same where assumptions tie inputs to the last tick, which makes a tick dear

_LONG = 60  # ticks: longer runs are made short in NumPy
_MOST_NAMED = 4


def prove(
    flow: Dataflow,
    limits: ProofLimits = ProofLimits(),
    search_cache: SearchCache | None = None,
    cache: SolverAnswerCache | None = None,
) -> Proof:
    """Proves all obligations and invariants, and looks for a trace that breaks what it cannot prove.

    A `memo` is the same as for `screen`; a `cache` keeps the solver's answers for other processes. The verdicts depend on the program and the limits only, not on the clock, unless
    the solver hangs or is missing; then what it was asked is `unknown`, and the detail says why.
    """
    start = perf_counter()
    own = SearchCache() if search_cache is None else search_cache
    try:
        attempt = _Attempt(flow, limits, own, cache)
        verdicts = attempt.run()
        if limits.components:
            proving = replace(limits, bounded_depths=(0, 0), lanes=0)  # what breaks was looked for already
            verdicts = prove_components(
                flow, attempt.index, verdicts, lambda other: _Attempt(other, proving, own, cache).run()
            )
    finally:
        if search_cache is None:
            own.close()
        if cache is not None:
            cache.save()
    passed = all(verdict.status == ProofStatus.PROVED for _, verdict in verdicts)
    return Proof(flow, lambda: verdicts, passed, perf_counter() - start)


class _Attempt:
    def __init__(self, flow: Dataflow, limits: ProofLimits, search_cache: SearchCache, cache: SolverAnswerCache | None):
        self.flow, self.limits, self.search_cache, self.cache = flow, limits, search_cache, cache
        self.stage = IntervalStage(flow, search_cache)
        self.index = self.stage.index
        self.goals = list_goals(flow)
        self.verdicts: dict[str, Verdict] = {}
        self.leaning: dict[
            str, tuple[Goal, list[Goal]]
        ] = {}  # obligations set aside, and the memory ranges that they need
        self.unmet_antecedents: dict[str, str] = {}  # why intervals call a goal vacuous, by goal; each is proved too
        self.depends_on: dict[str, tuple[int, ...]] = {}  # nodes that a proof by induction leans on, by goal

    def run(self) -> list[tuple[Goal, Verdict]]:
        self._intervals()
        if self._open() and (not self.index.assumes or reachability_goals(self._open())):
            self._simulation(*_QUICK, seed=0)
        self._bisection()
        solver = self.search_cache.solver(self.limits.hang_seconds, self.cache)
        asked = solver.queries
        if self._open():
            self._settle(solver)
        downgrade_unsupported(self.index, self.goals, self.verdicts, self.depends_on)
        self._vacuity(solver)
        self.search_cache.queries += solver.queries - asked
        found = [(goal, as_reachability_verdict(goal, self.verdicts[goal.id], self.flow)) for goal in self.goals]
        if self.impossible:
            found.append(
                (
                    make_assumptions_goal(self.flow),
                    Verdict(ProofStatus.VACUOUS, "intervals, z3", "the assumptions leave no first tick possible"),
                )
            )
        return found

    def _open(self) -> list[Goal]:
        return [goal for goal in self.goals if goal.id not in self.verdicts and goal.id not in self.leaning]

    def _intervals(self) -> None:
        for goal in self.goals:
            start = perf_counter()
            found = (
                self.stage.obligation(goal.obligation)
                if goal.property is None
                else self.stage.invariant(goal.property.node, goal.property.antecedents)
            )
            if found == ProofStatus.VACUOUS:
                self.unmet_antecedents[goal.id] = explain_unmet_antecedent(self.stage.evaluator, goal)
            if found in (ProofStatus.PROVED, ProofStatus.VACUOUS):
                self.verdicts[goal.id] = Verdict(ProofStatus.PROVED, "intervals", seconds=perf_counter() - start)

    def _bisection(self) -> None:
        for goal in self._open():
            start = perf_counter()
            # In an evaluator of its own: the boxes are of no use to anything else.
            evaluator = Evaluator(self.index, self.stage.ranges)
            context = evaluator.base
            if goal.obligation is not None:
                context = evaluator.root if self.index.without_assumptions(goal.obligation) else context
                context = (
                    context
                    if goal.obligation.guard is None or context.dead
                    else evaluator.assume(context, goal.obligation.guard, True)
                )
            boxes = None if context.dead else bisect(evaluator, goal, context, self.limits.boxes)
            if boxes is not None:
                self.verdicts[goal.id] = Verdict(
                    ProofStatus.PROVED, f"intervals, {boxes} boxes", seconds=perf_counter() - start
                )

    def _simulation(self, episodes: int, ticks: int, seed: int) -> None:
        start = perf_counter()
        seen = simulate(self.index, self._open(), episodes, ticks, seed)
        seconds = perf_counter() - start
        for goal in self._open():
            if goal.id in seen.broken:
                self.verdicts[goal.id] = self._broken(goal, seen.broken[goal.id], "simulation", seconds)

    def _lanes(self) -> BackgroundTask[dict[str, SimulatedRun]]:
        """The simulation in many lanes of what is open now."""
        wanted, limits = self._open(), self.limits

        def simulated() -> dict[str, SimulatedRun]:
            from hl_dsl.verify.simulation.batch import simulate_batch  # NumPy is loaded only where it is needed

            return simulate_batch(self.index, self.stage.ranges, wanted, limits.lanes, limits.ticks, seed=0)

        return BackgroundTask(simulated, fork=limits.processes > 1 and limits.lanes > 0 and bool(wanted))

    def _long_simulation(self, lanes: BackgroundTask[dict[str, SimulatedRun]]) -> None:
        start = perf_counter()
        found = lanes.result()
        seconds = perf_counter() - start
        if self.index.assumes:
            self._simulation(*_GUIDED, seed=0)
        for goal in self._open():
            if goal.id in found:
                self.verdicts[goal.id] = self._broken(goal, found[goal.id], "simulation", seconds)

    def _broken(self, goal: Goal, run: SimulatedRun, method: str, seconds: float) -> Verdict:
        """The verdict on a goal that a replayed run breaks."""
        if len(run.rows) > _LONG:
            from hl_dsl.verify.simulation.shrinking import shorten_run_in_lanes  # the same

            run = shorten_run_in_lanes(self.flow, goal, run)
        else:
            run = shorten_run(self.flow, goal, run)
        trace = trace_run(self.flow, run)
        status = ProofStatus.VIOLATED if goal.property is not None else ProofStatus.ILL_DEFINED
        return Verdict(
            status,
            method,
            f"broken at tick {len(trace) - 1}, counting from 0{describe_trigger_tick(trace, goal.name)}",
            trace,
            seconds,
        )

    def _settle(self, solver: Solver) -> None:
        """Induction, and a search for traces that break what it leaves open."""
        attempts: dict[str, Attempt] = {}
        reals: dict[str, Attempt] = {}
        searched: dict[str, BoundedSearch] = {}
        failure = "" if self.limits.solver else "the solver was not to be used"
        try:
            if self.limits.solver:
                self._induct(self.limits.depths[:2], attempts, solver)
                self._induct(self.limits.depths[:2], attempts, solver, RELATIVE_ERROR)
                self._lean(solver)
                self._search(self.limits.bounded_depths[0], searched, solver)
        except SolverFailure as problem:
            failure = str(problem)
        with self._lanes() as lanes:
            try:
                if self.limits.solver and not failure:
                    self._with_lemmas(attempts, solver)
                    self._induct(self.limits.depths[2:], attempts, solver)
            except SolverFailure as problem:
                failure = str(problem)
            if self._open() and self.limits.lanes:
                self._long_simulation(lanes)
        try:
            if not failure:
                self._search(self.limits.bounded_depths[1], searched, solver)
                self._reals(attempts, reals, solver)
        except SolverFailure as problem:
            failure = str(problem)
        self._stand(attempts, solver)
        for goal in self._open():
            self.verdicts[goal.id] = self._undecided(
                goal, attempts.get(goal.id), reals.get(goal.id), searched.get(goal.id), failure
            )

    def _induct(
        self, depths: Sequence[int], attempts: dict[str, Attempt], solver: Solver, rounding: str = ROUNDED
    ) -> None:
        pending = self._open()
        if not pending or not depths:
            return
        found = Induction(
            self.index, self.stage.ranges, self.limits, solver, rounding, expressions=self.search_cache.expressions
        ).prove(pending, depths, self._facts(attempts))
        for goal in pending:
            attempts[goal.id] = found[goal.id]
            if found[goal.id].proved:
                self.depends_on[goal.id] = found[goal.id].depends_on
                self.verdicts[goal.id] = Verdict(
                    ProofStatus.PROVED, found[goal.id].method, seconds=found[goal.id].seconds
                )

    def _lean(self, solver: Solver) -> None:
        """Sets aside the obligations that hold if the memory keeps its ranges: only these need to be looked into."""
        memory = [
            goal
            for goal in self.goals
            if goal.kind == "memory"
            and (goal.id not in self.verdicts or self.verdicts[goal.id].status != ProofStatus.PROVED)
        ]
        if memory:
            relevance = GoalRelevance(self.index)
            self.leaning = {
                goal.id: (goal, relevance.among(goal, memory))
                for goal in self._within(self.goals, self._open(), solver)
            }

    def _stand(self, attempts: dict[str, Attempt], solver: Solver) -> None:
        """Comes back to what was set aside."""
        leaning, self.leaning = self.leaning, {}
        if not leaning:
            return
        proved = self._within(self._facts(attempts), [goal for goal, _ in leaning.values()], solver)
        self.verdicts.update((goal.id, Verdict(ProofStatus.PROVED, BY_RANGES)) for goal in proved)
        self.depends_on.update(
            (goal.id, tuple(node for other in leaning[goal.id][1] for node in other.nodes)) for goal in proved
        )
        for goal, needed in leaning.values():
            if goal not in proved:
                self.verdicts[goal.id] = Verdict(
                    ProofStatus.UNKNOWN, BY_RANGES, f"rests on {', '.join(other.id for other in needed)}, not proved"
                )

    def _within(self, supposed: Sequence[Goal], list_goals: Sequence[Goal], solver: Solver) -> list[Goal]:
        """Those of the goals that intervals prove where the memory keeps the ranges that are supposed."""
        induction = Induction(
            self.index, self.stage.ranges, self.limits, solver, expressions=self.search_cache.expressions
        )
        evaluator = Evaluator(self.index, induction.assuming_ranges(supposed), self.search_cache.expressions)
        return [
            goal
            for goal in list_goals
            if goal.kind not in INDUCTIVE and induction.try_intervals(goal, evaluator) is not None
        ]

    def _facts(self, attempts: dict[str, Attempt]) -> list[Goal]:
        """Goals that induction has proved."""
        return [goal for goal in self.goals if goal.id in attempts and attempts[goal.id].proved]

    def _with_lemmas(self, attempts: dict[str, Attempt], solver: Solver) -> None:
        if not self.limits.lemmas or not self._open():
            return
        for group in GoalRelevance(self.index).groups(self._open()):
            start = perf_counter()
            found = prove_with_lemmas(
                self.index,
                self.stage.ranges,
                group,
                self._facts(attempts),
                self.limits,
                solver,
                self.search_cache.expressions,
            )
            self._held(found, attempts, perf_counter() - start)

    def _held(self, found: dict[str, Attempt], attempts: dict[str, Attempt], seconds: float) -> None:
        """Notes goals that lemmas have proved."""
        for goal, attempt in found.items():
            attempts[goal] = attempt
            self.depends_on[goal] = attempt.depends_on
            says = tuple(lemma.says(self.flow) for lemma in attempt.lemmas)
            self.verdicts[goal] = Verdict(
                ProofStatus.PROVED, _method(attempt.method, says), seconds=seconds / len(found), lemmas=says
            )

    def _search(self, depth: int, searched: dict[str, BoundedSearch], solver: Solver) -> None:
        for goal in self._open():
            start = perf_counter()
            found = searched[goal.id] = search_counterexample(
                self.index, self.stage.ranges, goal, self.limits, solver, depth
            )
            if found.replayed:
                self.verdicts[goal.id] = self._broken(goal, found.run, "bounded model checking", perf_counter() - start)

    def _reals(self, attempts: dict[str, Attempt], reals: dict[str, Attempt], solver: Solver) -> None:
        """Whether rounding alone stands in the way of a proof."""
        wanted = [goal for goal in self._open() if goal.kind in ("invariant", "memory") and attempts[goal.id].model]
        if wanted:
            # What intervals know of the memory is about floats: here only the declared ranges count, as they are proved.
            ranges = [
                EITHER
                if cell.base == "bool"
                else (0, len(cell.names) - 1)
                if cell.names
                else (cell.low, cell.high)
                if cell.monitor_of
                else ANYTHING
                for cell in self.flow.memories
            ]
            facts = [goal for goal in self.goals if goal.kind == "memory" and goal not in wanted]
            reals.update(
                Induction(self.index, ranges, self.limits, solver, EXACT).prove([*wanted, *facts], self.limits.depths)
            )

    def _undecided(
        self, goal: Goal, tried: Attempt | None, reals: Attempt | None, searched: BoundedSearch | None, failure: str
    ) -> Verdict:
        """The verdict on a goal that is neither proved nor broken by a replayed run."""
        seconds = tried.seconds if tried else 0.0
        if failure:
            return Verdict(ProofStatus.UNKNOWN, "intervals", failure, seconds=seconds)
        clear = searched.says
        if searched.run is not None:
            return Verdict(
                ProofStatus.UNCONFIRMED, "bounded model checking", clear, trace_run(self.flow, searched.run), seconds
            )
        if reals is not None and reals.proved:
            return Verdict(ProofStatus.PROVED_REALS, reals.method, clear, seconds=seconds)
        trace = self._step(goal, tried)
        if trace:
            return Verdict(ProofStatus.NOT_INDUCTIVE, tried.method, clear, trace, seconds)
        reason = tried.reason or "z3's step that breaks it is none of the compiled program"
        return Verdict(ProofStatus.UNKNOWN, tried.method, f"{reason}; {clear}" if clear else reason, seconds=seconds)

    def _step(self, goal: Goal, tried: Attempt) -> tuple[dict, ...] | None:
        """The state that breaks the goal, if the interpreter agrees that it does."""
        if not tried.model:
            return None
        run = model_to_run(self.flow, tried.model)
        memory = model_to_memory(self.flow, tried.model[0], self.stage.ranges)
        return trace_from_state(self.flow, run.parameters, memory, run.rows, lambda values: breaks(goal, values))

    def _vacuity(self, solver: Solver) -> None:
        """Marks proved goals as vacuous: invariants with a condition that is never met, and goals under contradictory assumptions.

        Only a proved goal can be vacuous. A violated one keeps its trace, and one that is not proved its status.
        """
        proved = [
            goal
            for goal in self.goals
            if goal.kind == "invariant" and self.verdicts[goal.id].status == ProofStatus.PROVED
        ]
        self.impossible = self.stage.impossible() or assumptions_contradict(self.stage.evaluator, self.limits, solver)
        if self.impossible:
            why = {goal.id: CONTRADICTED for goal in proved}
        else:
            never = find_vacuous_goals(
                self.stage.evaluator,
                [goal for goal in proved if goal.id not in self.unmet_antecedents],
                self.limits,
                solver,
            )
            why = {
                goal.id: explain_unmet_antecedent(self.stage.evaluator, goal, never[goal.id])
                for goal in proved
                if goal.id in never
            }
        why.update(
            (goal, detail)
            for goal, detail in self.unmet_antecedents.items()
            if self.verdicts[goal].status == ProofStatus.PROVED
        )
        for goal, detail in why.items():
            self.verdicts[goal] = replace(self.verdicts[goal], status=ProofStatus.VACUOUS, detail=detail)


def _method(method: str, lemmas: Sequence[str]) -> str:
    """A method and the lemmas it takes, as many as a line holds."""
    if not lemmas:
        return method
    shown = ", ".join(f"`{lemma}`" for lemma in lemmas[:_MOST_NAMED]) + (", …" if len(lemmas) > _MOST_NAMED else "")
    return f"{method} with {len(lemmas)} lemma{'s' if len(lemmas) > 1 else ''}: {shown}"
