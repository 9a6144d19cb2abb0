"""Induction with z3, for what intervals leave open.

A goal is proved *at depth d* if it holds at every tick that follows d ticks at which all hypotheses held, and in the
first d ticks of an episode. The hypotheses are the goals themselves, all at once: those that cannot be proved are
dropped and the rest proved anew, until what is left supports itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from time import perf_counter
from typing import NamedTuple

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.goal_relevance import GoalRelevance
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.terms import REAL, Term, literal
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.methods.interval_stage import holds
from hl_dsl.verify.methods.lemma import Lemma
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.simulation.replay import breaks, keeps_assumptions
from hl_dsl.verify.smt.encode import FREE, RELATIVE_ERROR, ROUNDED, START, Encoding
from hl_dsl.verify.smt.rounding_error import OVERFLOW
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver

from hl_dsl.operators.intervals import TRUE
from hl_dsl.operators.scalar import LARGEST_INT

BY_RANGES = "intervals, by induction"
INDUCTIVE = ("memory", "invariant", "reachable")  # kinds of goals that may be supposed at earlier ticks


class Attempt(NamedTuple):
    """How far the proof of a goal came. `model`: leaf values of each frame, where z3 found a step that breaks it.
    `lemmas`: those it needs. `rests`: nodes of all facts and hypotheses it may lean on."""

    proved: bool
    method: str
    reason: str = ""
    model: tuple[Mapping[str, object], ...] = ()
    seconds: float = 0.0
    lemmas: tuple[Lemma, ...] = ()
    depends_on: tuple[int, ...] = ()


class Induction:
    """Proofs of one program's goals.

    ranges  of the memory cells, that hold in every reachable state
    lemmas  facts that hold at every tick at which the hypotheses held before
    pool    of intervals known from before
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
        self._used: set[int] = set()

    def prove(self, goals: Sequence[Goal], depths: Sequence[int], facts: Sequence[Goal] = ()) -> dict[str, Attempt]:
        """An attempt for each goal, by id, at these depths one after the other. `facts` are goals proved before.

        Raises SolverFailure where z3 cannot be used.
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
            kept = [goal for goal in supposed if tried[goal.id].proved]
            if len(kept) == len(supposed):
                break
            supposed = kept
        hypotheses = [*facts, *supposed]
        evaluator = Evaluator(self.index, self.assuming_ranges(hypotheses), self.expressions)
        for goal in goals:
            if goal.id not in attempts:
                attempts[goal.id] = self._attempt(goal, hypotheses, evaluator)
        return attempts

    def assuming_ranges(self, hypotheses: Sequence[Goal]) -> list[Interval]:
        """Memory ranges, given that the goals about memory hold."""
        ranges = list(self.ranges)
        names = {goal.name for goal in hypotheses if goal.kind == "memory"}
        for position, cell in enumerate(self.flow.memories):
            if cell.declared and cell.name in names and cell.base in ("int", "real"):
                ranges[position] = (max(ranges[position][0], cell.low), min(ranges[position][1], cell.high))
        return ranges

    def attempt(self, goal: Goal, depths: Sequence[int], hypotheses: Sequence[Goal]) -> Attempt:
        """An attempt for a goal, the hypotheses holding at earlier ticks."""
        self.depths = depths
        return self._attempt(
            goal, hypotheses, Evaluator(self.index, self.assuming_ranges(hypotheses), self.expressions)
        )

    def _attempt(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator) -> Attempt:
        start = perf_counter()
        hypotheses = self.relevance.among(goal, hypotheses)
        found = self.try_intervals(goal, evaluator) or self._by_solver(goal, hypotheses, evaluator)
        depends_on = [node for other in hypotheses for node in other.nodes] + [
            node for lemma in found.lemmas for node in lemma.nodes
        ]
        return found._replace(seconds=perf_counter() - start, depends_on=tuple(dict.fromkeys(depends_on)))

    def try_intervals(self, goal: Goal, evaluator: Evaluator) -> Attempt | None:
        """The attempt, if intervals alone prove an obligation."""
        item = goal.obligation
        if item is None or self.index.without_assumptions(item):
            return None
        context = evaluator.base if item.guard is None else evaluator.assume(evaluator.base, item.guard, True)
        if context.dead or holds(item, evaluator.value(item.subject if item.claim is None else item.claim, context)):
            return Attempt(True, BY_RANGES)
        return None

    def _by_solver(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator) -> Attempt:
        last = Attempt(False, "induction")
        for depth in self.depths:
            self._used = set()
            name = "z3" if depth == 0 else f"z3, {depth}-induction"
            answer, model = self._query(goal, hypotheses, evaluator, depth, FREE)
            if answer == UNSAT:
                for tick in range(1 if depth and self._begins(goal) else 0, depth):
                    base, model = self._query(goal, hypotheses, evaluator, tick, START)
                    if base != UNSAT:
                        return Attempt(False, f"{name}, at tick {tick}", self._reason(base))
                return Attempt(True, name, lemmas=tuple(self.lemmas[position] for position in sorted(self._used)))
            if answer == SAT or not last.model:
                last = Attempt(False, name, self._reason(answer), model)
        return last

    @cached_property
    def _beginning(self) -> Evaluator:
        """The first tick of an episode."""
        return Evaluator(self.index, [(cell.start, cell.start) for cell in self.flow.memories], self.expressions)

    def _begins(self, goal: Goal) -> bool:
        """Whether intervals alone show the goal at the first tick, which saves a question."""
        evaluator = self._beginning
        if goal.property is None:
            return self.try_intervals(goal, evaluator) is not None
        return evaluator.base.dead or evaluator.value(goal.property.node, evaluator.base) == TRUE

    def _reason(self, answer: str) -> str:
        return (
            ""
            if answer == SAT
            else f"z3 stopped at its limit of {self.limits.solver_steps} steps ({self.solver.reason})"
        )

    def _query(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator, depth: int, begin: str):
        """Whether the goal can break at the last of depth + 1 ticks, the hypotheses holding at the others.

        Asked first with products that may be anything in their intervals: few proofs need more, and z3 may lose itself in them.
        With fine errors beside them it surely does.
        """
        answer, model, loosened = self._ask(goal, hypotheses, evaluator, depth, begin, True)
        if (
            loosened
            and self.rounding != RELATIVE_ERROR
            and answer != UNSAT
            and not (model and self._confirmed(goal, hypotheses, model))
        ):
            answer, model, _ = self._ask(goal, hypotheses, evaluator, depth, begin, False)
        return answer, model

    def _ask(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator, depth: int, begin: str, linear: bool):
        bare = goal.obligation is not None and self.index.without_assumptions(goal.obligation)
        encoding = Encoding(evaluator, evaluator.root if bare else evaluator.base, begin, self.rounding, linear)
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
        return (
            answer,
            tuple(read_leaves(solver, encoding, frame) for frame in range(depth + 1)) if answer == SAT else (),
            encoding.loosened,
        )

    def _confirmed(self, goal: Goal, hypotheses: Sequence[Goal], model: Sequence[Mapping[str, object]]) -> bool:
        """Whether the interpreter, from the model's state on, breaks the goal too, with all that may be supposed."""
        run = model_to_run(self.flow, model)
        memory = model_to_memory(self.flow, model[0], self.ranges)
        interpreter = Interpreter(self.flow, run.parameters)
        interpreter.memory = memory
        *before, last = [interpreter.tick(row).values for row in run.rows]
        return (
            all(keeps_assumptions(self.flow, values) for values in [*before, last])
            and breaks(goal, last)
            and not any(breaks(other, values) for values in before for other in hypotheses)
        )

    def _answer(self, frames: Sequence[Mapping[int, Term]], products: bool) -> str:
        """z3's answer, the lemmas holding at these frames; notes which of them it took."""
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
        """Nodes each frame is about: at the last the goal and the assumptions, before it the hypotheses too."""
        lemmas = [node for lemma in self.lemmas for node in lemma.nodes]
        facts = [*self.index.assumes, *(fact_node(other) for other in hypotheses)]
        return [[*facts, *lemmas]] * depth + [[*goal.nodes, *([] if bare else [*self.index.assumes, *lemmas])]]


def fact_node(goal: Goal) -> int:
    """The node that says that a goal holds, of one that may be supposed at earlier ticks."""
    return goal.property.node if goal.property is not None else goal.obligation.claim


def encode_violation(goal: Goal, encoding: Encoding, frame: int) -> Term:
    """That the goal does not hold at a frame."""
    known = encoding.frames[frame]
    if goal.property is not None:
        return Term(f"(not {known[goal.property.node].text})", "Bool")
    item = goal.obligation
    parts = [] if item.guard is None else [known[item.guard].text]
    if item.claim is not None:
        parts.append(f"(not {known[item.claim].text})")
    elif item.kind == "finite":
        exact = encoding.exact.get((item.subject, frame))
        if exact is not None:
            limit = literal(OVERFLOW[encoding.index.nodes[item.subject].form.precision], REAL).text
            parts.append(f"(or (<= {limit} {exact.text}) (<= {exact.text} (- {limit})))")
    else:
        number = known[item.subject].text
        parts.append(f"(or (< {number} (- {LARGEST_INT})) (< {LARGEST_INT} {number}))")
    return Term(f"(and true {' '.join(parts)})", "Bool")


def read_leaves(solver: Solver, encoding: Encoding, frame: int) -> dict[str, object]:
    """A frame's leaf values in the model: `input:i`, `memory:i`, `parameter:i`."""
    names = encoding.names(frame)
    wanted = sorted({text for text in names.values() if text[0].isalpha() and text not in ("true", "false")})
    values = solver.values(wanted)
    return {leaf: values.get(text) for leaf, text in names.items() if text in values}
