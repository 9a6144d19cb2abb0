"""k-induction with z3, for goals that intervals leave open.

A goal is proved *at depth k* if it holds at every tick that follows k ticks at which all hypotheses held, and in the
first k ticks of an episode. The hypotheses are the goals themselves, all at once. Goals that cannot be proved are
dropped and the rest is proved again, until the remaining goals support each other (Sheeran, Singh and Stålmarck,
"Checking Safety Properties Using Induction and a SAT-Solver", 2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from time import perf_counter
from typing import NamedTuple

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.operators.intervals import TRUE
from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.goal_relevance import GoalRelevance
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.terms import Term
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.methods.goal_encoding import Model, encode_violation, fact_node, read_leaves
from hl_dsl.verify.methods.interval_stage import holds
from hl_dsl.verify.methods.lemma import Lemma
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.simulation.replay import breaks, keeps_assumptions
from hl_dsl.verify.smt.encode import FREE, RELATIVE_ERROR, ROUNDED, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver

BY_RANGES = "intervals, by induction"
INDUCTIVE = ("memory", "invariant", "reachable")  # kinds of goals that may be hypotheses at earlier ticks


class Attempt(NamedTuple):
    """Result of an attempt to prove a goal.

    Attributes:
        proved: True if the goal is proved.
        method: The method, for reports.
        reason: Why z3 gave no answer, if it did not.
        model: A step that violates the goal, if z3 found one.
        seconds: Wall time.
        lemmas: The lemmas that the proof needs.
        depends_on: Nodes of all hypotheses and lemmas that the proof may use.
    """

    proved: bool
    method: str
    reason: str = ""
    model: Model = ()
    seconds: float = 0.0
    lemmas: tuple[Lemma, ...] = ()
    depends_on: tuple[int, ...] = ()


class Induction:
    """Proofs of one program's goals.

    Args:
        index: The program.
        ranges: Ranges of the memory cells that hold in every reachable state.
        limits: Limits of the proof.
        solver: The solver.
        rounding: The encoding of rounded results, see `Encoding`.
        lemmas: Facts that hold at every tick if the hypotheses held at all earlier ones.
        expressions: Table of known intervals.
    """

    def __init__(
        self,
        index: GraphIndex,
        ranges: Sequence[Interval],
        limits: ProofLimits,
        solver: Solver,
        rounding: str = ROUNDED,
        lemmas: Sequence[Lemma] = (),
        expressions: ExpressionTable | None = None,
    ):
        self.index, self.flow = index, index.flow
        self.ranges = list(ranges)
        self.limits, self.solver, self.rounding = limits, solver, rounding
        self.lemmas = list(lemmas)
        self.expressions = expressions
        self.relevance = GoalRelevance(index)
        self.depths: Sequence[int] = ()
        self._used: set[int] = set()

    def prove(self, goals: Sequence[Goal], depths: Sequence[int], facts: Sequence[Goal] = ()) -> dict[str, Attempt]:
        """Attempts to prove goals.

        Args:
            goals: The goals.
            depths: Depths of induction, tried in this order.
            facts: Goals that are proved already.

        Returns:
            An attempt for each goal, by id.

        Raises:
            SolverFailure: z3 cannot be used.
        """
        self.depths = depths
        facts = [goal for goal in facts if goal.kind in INDUCTIVE]
        supposed = [goal for goal in goals if goal.kind in INDUCTIVE]
        attempts: dict[str, Attempt] = {}
        while supposed:
            hypotheses = [*facts, *supposed]
            evaluator = Evaluator(self.index, self.assuming_ranges(hypotheses), self.expressions)
            tried = {goal.id: self._attempt(goal, hypotheses, evaluator) for goal in supposed}
            attempts.update(tried)
            proved = [goal for goal in supposed if tried[goal.id].proved]
            if len(proved) == len(supposed):
                break
            supposed = proved
        hypotheses = [*facts, *supposed]
        evaluator = Evaluator(self.index, self.assuming_ranges(hypotheses), self.expressions)
        for goal in goals:
            if goal.id not in attempts:
                attempts[goal.id] = self._attempt(goal, hypotheses, evaluator)
        return attempts

    def assuming_ranges(self, hypotheses: Sequence[Goal]) -> list[Interval]:
        """Returns the memory ranges under the hypotheses about the memory."""
        ranges = list(self.ranges)
        names = {goal.name for goal in hypotheses if goal.kind == "memory"}
        for position, cell in enumerate(self.flow.memories):
            if (
                cell.declared
                and cell.name in names
                and cell.base in ("int", "real")
                and cell.low is not None
                and cell.high is not None
            ):
                ranges[position] = (max(ranges[position][0], cell.low), min(ranges[position][1], cell.high))
        return ranges

    def attempt(self, goal: Goal, depths: Sequence[int], hypotheses: Sequence[Goal]) -> Attempt:
        """Attempts to prove one goal from hypotheses that hold at earlier ticks."""
        self.depths = depths
        return self._attempt(
            goal, hypotheses, Evaluator(self.index, self.assuming_ranges(hypotheses), self.expressions)
        )

    def _attempt(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator) -> Attempt:
        start = perf_counter()
        hypotheses = self.relevance.among(goal, hypotheses)
        attempt = self.try_intervals(goal, evaluator) or self._try_solver(goal, hypotheses, evaluator)
        nodes = [node for other in hypotheses for node in other.nodes]
        nodes += [node for lemma in attempt.lemmas for node in lemma.nodes]
        return attempt._replace(seconds=perf_counter() - start, depends_on=tuple(dict.fromkeys(nodes)))

    def try_intervals(self, goal: Goal, evaluator: Evaluator) -> Attempt | None:
        """Returns the attempt if intervals alone prove an obligation, or else None."""
        item = goal.obligation
        if item is None or self.index.without_assumptions(item):
            return None
        context = evaluator.base if item.guard is None else evaluator.assume(evaluator.base, item.guard, True)
        if context.dead or holds(item, evaluator.value(item.subject if item.claim is None else item.claim, context)):
            return Attempt(True, BY_RANGES)
        return None

    def _try_solver(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator) -> Attempt:
        last = Attempt(False, "induction")
        for depth in self.depths:
            self._used = set()
            name = "z3" if depth == 0 else f"z3, {depth}-induction"
            answer, model = self._query(goal, hypotheses, evaluator, depth, FREE)
            if answer == UNSAT:
                for tick in range(1 if depth and self._holds_initially(goal) else 0, depth):
                    base, model = self._query(goal, hypotheses, evaluator, tick, START)
                    if base != UNSAT:
                        return Attempt(False, f"{name}, at tick {tick}", self._reason(base))
                return Attempt(True, name, lemmas=tuple(self.lemmas[position] for position in sorted(self._used)))
            if answer == SAT or not last.model:
                last = Attempt(False, name, self._reason(answer), model)
        return last

    @cached_property
    def _first_tick(self) -> Evaluator:
        starts = [(cell.start, cell.start) for cell in self.flow.memories]
        return Evaluator(self.index, starts, self.expressions)

    def _holds_initially(self, goal: Goal) -> bool:
        """Returns True if intervals alone prove the goal at the first tick, which saves a query."""
        evaluator = self._first_tick
        if goal.declaration is None:
            return self.try_intervals(goal, evaluator) is not None
        return evaluator.base.dead or evaluator.value(goal.declaration.node, evaluator.base) == TRUE

    def _reason(self, answer: str) -> str:
        if answer == SAT:
            return ""
        return f"z3 stopped at its limit of {self.limits.solver_steps} steps ({self.solver.reason})"

    def _query(
        self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator, depth: int, start: str
    ) -> tuple[str, Model]:
        """Checks whether the goal can be violated at the last of depth + 1 ticks.

        Products are first replaced by any value in their intervals: few proofs need more, and z3 is slow with
        products. With the fine error bounds added it does not terminate in practice, so these are never combined.

        Args:
            goal: The goal.
            hypotheses: Goals that hold at all ticks but the last.
            evaluator: Intervals under the hypotheses.
            depth: Number of earlier ticks.
            start: FREE or START.

        Returns:
            The solver's answer and, for SAT, its model.
        """
        answer, model, loosened = self._ask(goal, hypotheses, evaluator, depth, start, True)
        if (
            loosened
            and self.rounding != RELATIVE_ERROR
            and answer != UNSAT
            and not (model and self._is_confirmed(goal, hypotheses, model))
        ):
            answer, model, _ = self._ask(goal, hypotheses, evaluator, depth, start, False)
        return answer, model

    def _ask(
        self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator, depth: int, start: str, linear: bool
    ) -> tuple[str, Model, bool]:
        """Returns the solver's answer, its model, and whether products were replaced."""
        bare = goal.obligation is not None and self.index.without_assumptions(goal.obligation)
        encoding = Encoding(evaluator, evaluator.root if bare else evaluator.base, start, self.rounding, linear)
        roots = self._roots(goal, hypotheses, depth, bare)
        solver = self.solver
        solver.reset(self.limits.solver_steps, cores=bool(self.lemmas))
        for frame, nodes in enumerate(find_cones(self.flow, roots, self.limits.slicing, encoding.ends)):
            solver.add(*encoding.frame(nodes))
            facts = (
                []
                if frame == depth and bare
                else [*self.index.assumes, *(fact_node(other) for other in hypotheses if frame < depth)]
            )
            solver.add(*(f"(assert {encoding.frames[frame][node].text})" for node in facts))
        solver.add(f"(assert {encode_violation(goal, encoding, depth).text})")
        answer = self._answer(encoding.frames[:depth] if bare else encoding.frames, not linear)
        model: Model = ()
        if answer == SAT:
            model = tuple(read_leaves(solver, encoding, frame) for frame in range(depth + 1))
        return answer, model, encoding.loosened

    def _is_confirmed(self, goal: Goal, hypotheses: Sequence[Goal], model: Model) -> bool:
        """Returns True if the interpreter, from the model's state on, violates the goal and keeps all hypotheses."""
        run = model_to_run(self.flow, model)
        interpreter = Interpreter(self.flow, run.parameters)
        interpreter.memory = model_to_memory(self.flow, model[0], self.ranges)
        *before, last = [interpreter.tick(row).values for row in run.rows]
        return (
            all(keeps_assumptions(self.flow, values) for values in [*before, last])
            and breaks(goal, last)
            and not any(breaks(other, values) for values in before for other in hypotheses)
        )

    def _answer(self, frames: Sequence[Mapping[int, Term]], products: bool) -> str:
        """Returns z3's answer with the lemmas at these frames, and records the lemmas that it used."""
        if not self.lemmas or not frames:
            return self.solver.check(products=products)
        names = [f"h{position}" for position in range(len(self.lemmas))]
        for name, lemma in zip(names, self.lemmas):
            held = " ".join(lemma.text(known) for known in frames)
            self.solver.add(f"(declare-const {name} Bool)", f"(assert (=> {name} (and true {held})))")
        answer = self.solver.check(names)
        if answer == UNSAT:
            self._used.update(int(name[1:]) for name in self.solver.core())
        return answer

    def _roots(self, goal: Goal, hypotheses: Sequence[Goal], depth: int, bare: bool) -> list[list[int]]:
        """Returns the nodes of each frame: hypotheses and assumptions, and at the last frame the goal."""
        lemmas = [node for lemma in self.lemmas for node in lemma.nodes]
        facts = [*self.index.assumes, *(fact_node(other) for other in hypotheses)]
        return [[*facts, *lemmas]] * depth + [[*goal.nodes, *([] if bare else [*self.index.assumes, *lemmas])]]
