"""The Houdini algorithm: the largest subset of the candidate lemmas that is inductive.

All candidates are assumed at one tick; those that may fail at the next tick are dropped, and the rest is tried again.
The remaining candidates support each other (Flanagan and Leino, "Houdini, an Annotation Assistant for ESC/Java",
2001). One solver context serves all rounds.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.lemma import Lemma, Linear
from hl_dsl.verify.smt.encode import FREE, ROUNDED, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver

_MOST_ROUNDS = 80


class Houdini:
    """Candidates of one program, under hypotheses. Products may have any value in their intervals here.

    Args:
        evaluator: Intervals of a tick in any state within the memory ranges.
        facts: Nodes that hold at every earlier tick.
        limits: Limits of the proof.
        solver: The solver.
    """

    def __init__(self, evaluator: Evaluator, facts: Sequence[int], limits: ProofLimits, solver: Solver):
        self.evaluator, self.index = evaluator, evaluator.index
        self.facts = list(facts)
        self.limits, self.solver = limits, solver

    def filter(self, lemmas: Sequence[Lemma]) -> list[Lemma]:
        """Returns the largest inductive subset, without lemmas that another one implies.

        Empty if a limit is reached.
        """
        return remove_implied(self.hold_after_step(self.hold_initially(list(lemmas))))

    def find_support(self, lemmas: Sequence[Lemma], used: Sequence[Lemma]) -> list[Lemma]:
        """Returns the lemmas that the proof of `used` needs, these included. `lemmas` must be inductive."""
        wanted, pending = list(used), list(used)
        if len(lemmas) == len(used):
            return wanted
        self._step_context(lemmas)
        while pending:
            lemma = pending.pop()
            self.solver.add("(push 1)", f"(assert (not b{lemmas.index(lemma)}))")
            answer = self.solver.check([f"h{position}" for position in range(len(lemmas))])
            core = self.solver.core() if answer == UNSAT else [f"h{position}" for position in range(len(lemmas))]
            self.solver.add("(pop 1)")
            added = [lemmas[int(name[1:])] for name in core]
            pending += [other for other in added if other not in wanted]
            wanted += [other for other in added if other not in wanted]
        return [lemma for lemma in lemmas if lemma in wanted]

    def hold_initially(self, lemmas: list[Lemma]) -> list[Lemma]:
        """Returns the largest subset that holds at the first tick."""
        encoding = Encoding(self.evaluator, self.evaluator.base, START, ROUNDED, linear=True)
        self._add_frames(encoding, [[*self.index.assumes, *_nodes(lemmas)]])
        self.solver.add(
            *(
                f"(define-fun b{position} () Bool {lemma.text(encoding.frames[0])})"
                for position, lemma in enumerate(lemmas)
            )
        )
        return self._rounds(lemmas, supposed=False)

    def hold_after_step(self, lemmas: list[Lemma]) -> list[Lemma]:
        """Returns the largest subset that holds at every tick after one at which the subset and the facts hold."""
        if not lemmas:
            return []
        self._step_context(lemmas)
        return self._rounds(lemmas, supposed=True)

    def _step_context(self, lemmas: Sequence[Lemma]) -> None:
        encoding = Encoding(self.evaluator, self.evaluator.base, FREE, ROUNDED, linear=True)
        used = _nodes(lemmas)
        self._add_frames(encoding, [[*self.index.assumes, *self.facts, *used], [*self.index.assumes, *used]])
        before, after = encoding.frames
        self.solver.add(*(f"(assert {before[fact].text})" for fact in self.facts))
        for position, lemma in enumerate(lemmas):
            self.solver.add(
                f"(declare-const h{position} Bool)",
                f"(assert (=> h{position} {lemma.text(before)}))",
                f"(define-fun b{position} () Bool {lemma.text(after)})",
            )

    def _add_frames(self, encoding: Encoding, roots: Sequence[Sequence[int]]) -> None:
        self.solver.reset(self.limits.solver_steps, cores=True)
        for frame, nodes in enumerate(find_cones(self.index.flow, roots, self.limits.slicing, encoding.ends)):
            self.solver.add(*encoding.frame(nodes))
            self.solver.add(*(f"(assert {encoding.frames[frame][fact].text})" for fact in self.index.assumes))

    def _rounds(self, lemmas: list[Lemma], supposed: bool) -> list[Lemma]:
        """Drops lemmas that can fail until none can."""
        alive = list(range(len(lemmas)))
        for _ in range(_MOST_ROUNDS):
            if not alive:
                break
            names = [f"b{position}" for position in alive]
            self.solver.add(
                "(push 1)",
                *(f"(assert h{position})" for position in alive if supposed),
                f"(assert (not (and true {' '.join(names)})))",
            )
            answer = self.solver.check()
            if answer == UNSAT:
                return [lemmas[position] for position in alive]
            values = self.solver.values(names) if answer == SAT else {}
            self.solver.add("(pop 1)")
            failed = {position for position in alive if values.get(f"b{position}") is False}
            if not failed:
                break
            alive = [position for position in alive if position not in failed]
        return []


def remove_implied(lemmas: Sequence[Lemma]) -> list[Lemma]:
    """Returns the lemmas without those that another one implies."""
    bounds: dict[Hashable, list[Lemma]] = {}
    for lemma in lemmas:
        if isinstance(lemma.body, Linear):
            bounds.setdefault(_sides(lemma.body), []).append(lemma)
    return [
        lemma
        for lemma in lemmas
        if not isinstance(lemma.body, Linear) or not any(_implies(other, lemma) for other in bounds[_sides(lemma.body)])
    ]


def _sides(body: Linear) -> Hashable:
    """Returns a key of the sum that a bound restricts, from above or from below."""
    return frozenset((frozenset(body.terms), frozenset((-coefficient, node) for coefficient, node in body.terms)))


def _implies(other: Lemma, lemma: Lemma) -> bool:
    if other is lemma or other.condition not in (None, lemma.condition):
        return False
    strong, weak = other.body, lemma.body
    assert isinstance(strong, Linear) and isinstance(weak, Linear)  # both bound the same sum
    if not strong.exact:
        return (
            not weak.exact
            and strong.terms == weak.terms
            and (strong.bound < weak.bound or (strong.bound == weak.bound and other.condition != lemma.condition))
        )
    if weak.exact:
        return other.condition != lemma.condition
    bound = strong.bound if set(strong.terms) == set(weak.terms) else -strong.bound
    return bound <= weak.bound


def _nodes(lemmas: Sequence[Lemma]) -> list[int]:
    return list(dict.fromkeys(node for lemma in lemmas for node in lemma.nodes))
