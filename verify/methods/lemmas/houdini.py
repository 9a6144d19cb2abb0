"""Which of many candidate lemmas hold together (the Houdini algorithm): suppose all at one tick, drop those that may
fail at the next, begin again. What is left supports itself. One solver context serves all rounds."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.lemma import Lemma, Linear
from hl_dsl.verify.smt.encode import FREE, ROUNDED, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver

_MOST_ROUNDS = 80


class Houdini:
    """One program's candidates, under hypotheses. Products may be anything in their intervals here.

    evaluator  intervals of a tick in any state within the memory's ranges
    facts      nodes that hold at every earlier tick
    """

    def __init__(self, evaluator: Evaluator, facts: Sequence[int], limits: ProofLimits, solver: Solver):
        self.evaluator, self.index = evaluator, evaluator.index
        self.facts = list(facts)
        self.limits, self.solver = limits, solver

    def kept(self, lemmas: Sequence[Lemma]) -> list[Lemma]:
        """The largest part that holds at the first tick and at every tick after one at which it and the facts hold;
        nothing where the limits do not suffice to tell."""
        return strongest(self.stepping(self.starting(list(lemmas))))

    def support(self, lemmas: Sequence[Lemma], used: Sequence[Lemma]) -> list[Lemma]:
        """Those among lemmas that hold together on which `used` rest, these included."""
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
            more = [lemmas[int(name[1:])] for name in core]
            pending += [other for other in more if other not in wanted]
            wanted += [other for other in more if other not in wanted]
        return [lemma for lemma in lemmas if lemma in wanted]

    def starting(self, lemmas: list[Lemma]) -> list[Lemma]:
        """The largest part that holds at the first tick."""
        encoding = Encoding(self.evaluator, self.evaluator.base, START, ROUNDED, linear=True)
        self._told(encoding, [[*self.index.assumes, *_nodes(lemmas)]])
        self.solver.add(
            *(
                f"(define-fun b{position} () Bool {lemma.text(encoding.frames[0])})"
                for position, lemma in enumerate(lemmas)
            )
        )
        return self._rounds(lemmas, supposed=False)

    def stepping(self, lemmas: list[Lemma]) -> list[Lemma]:
        """The largest part that holds at every tick after one at which it and the facts hold."""
        if not lemmas:
            return []
        self._step_context(lemmas)
        return self._rounds(lemmas, supposed=True)

    def _step_context(self, lemmas: Sequence[Lemma]) -> None:
        encoding = Encoding(self.evaluator, self.evaluator.base, FREE, ROUNDED, linear=True)
        used = _nodes(lemmas)
        self._told(encoding, [[*self.index.assumes, *self.facts, *used], [*self.index.assumes, *used]])
        before, after = encoding.frames
        self.solver.add(*(f"(assert {before[fact].text})" for fact in self.facts))
        for position, lemma in enumerate(lemmas):
            self.solver.add(
                f"(declare-const h{position} Bool)",
                f"(assert (=> h{position} {lemma.text(before)}))",
                f"(define-fun b{position} () Bool {lemma.text(after)})",
            )

    def _told(self, encoding: Encoding, roots: Sequence[Sequence[int]]) -> None:
        self.solver.reset(self.limits.solver_steps, cores=True)
        for frame, nodes in enumerate(find_cones(self.index.flow, roots, self.limits.slicing, encoding.ends)):
            self.solver.add(*encoding.frame(nodes))
            self.solver.add(*(f"(assert {encoding.frames[frame][fact].text})" for fact in self.index.assumes))

    def _rounds(self, lemmas: list[Lemma], supposed: bool) -> list[Lemma]:
        """Drops what can fail until nothing can."""
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


def strongest(lemmas: Sequence[Lemma]) -> list[Lemma]:
    """Without those that another one says already."""
    bounds: dict[tuple, list[Lemma]] = {}
    for lemma in lemmas:
        if isinstance(lemma.body, Linear):
            bounds.setdefault(_sides(lemma.body), []).append(lemma)
    return [
        lemma
        for lemma in lemmas
        if not isinstance(lemma.body, Linear)
        or not any(_says_more(other, lemma) for other in bounds[_sides(lemma.body)])
    ]


def _sides(body: Linear) -> frozenset:
    """The sum that it bounds, from above or from below."""
    return frozenset((frozenset(body.terms), frozenset((-coefficient, node) for coefficient, node in body.terms)))


def _says_more(other: Lemma, lemma: Lemma) -> bool:
    if other is lemma or other.condition not in (None, lemma.condition):
        return False
    if not other.body.exact:
        return (
            not lemma.body.exact
            and other.body.terms == lemma.body.terms
            and (
                other.body.bound < lemma.body.bound
                or (other.body.bound == lemma.body.bound and other.condition != lemma.condition)
            )
        )
    if lemma.body.exact:
        return other.condition != lemma.condition
    bound = other.body.bound if set(other.body.terms) == set(lemma.body.terms) else -other.body.bound
    return bound <= lemma.body.bound


def _nodes(lemmas: Sequence[Lemma]) -> list[int]:
    return list(dict.fromkeys(node for lemma in lemmas for node in lemma.nodes))
