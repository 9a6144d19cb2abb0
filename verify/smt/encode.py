"""A program's ticks as SMT-LIB over Real and Int, with an error term for every rounding.

A rounded result is the exact one plus an error of at most 2^-53 times the result's greatest size (from the intervals),
plus 2^-1075 for results below the normal floats. So every run of the compiled program is a model of the encoding, and
what the solver refutes no run does. A linear program stays linear. Literals are the exact rational numbers that the
floats are. An operator whose row has no z3 form may give anything in its interval.
"""

from __future__ import annotations

from collections.abc import Iterable

from hl_dsl.compiler.ir.dataflow import Node
from hl_dsl.verify.goals import terms
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.terms import SORTS, Term, literal
from hl_dsl.verify.intervals.evaluator import EMPTY, Context, Evaluator
from hl_dsl.verify.smt.rounding_error import bound_by_interval, bound_finely

from hl_dsl.operators.intervals import ANYTHING, EITHER, INF

FREE, START = "free", "start"
ROUNDED, EXACT, RELATIVE_ERROR = "rounded", "exact", "fine"


class Encoding:
    """Frames (ticks) of one program. Frame 0 begins in a free state within the memory ranges, or at the start.

    `evaluator` and `context` give the intervals that hold at every tick. `rounding`: ROUNDED; FINE, which says more of every
    error, at a price; or EXACT, where results are the exact reals and of the intervals only those of leaves count. `linear`: products and quotients of what is no literal may
    be anything in their intervals; `loosened` then says whether there were any.
    """

    def __init__(
        self, evaluator: Evaluator, context: Context, begin: str = FREE, rounding: str = ROUNDED, linear: bool = False
    ):
        self.index = evaluator.index
        self.flow = self.index.flow
        self.evaluator, self.context = evaluator, context
        self.begin, self.rounding = begin, rounding
        self.loosened = False
        # Their operands do not matter.
        self.ends = self.index.opaque | self.index.nonlinear if linear else self.index.opaque
        self.frames: list[dict[int, Term]] = []
        self.exact: dict[tuple[int, int], Term] = {}
        self._parameters: dict[int, Term] = {}
        self._order: dict[int, int] = {}

    def frame(self, nodes: Iterable[int]) -> list[str]:
        """Commands that add a tick after the last one, with these nodes (operands before what uses them). Names are
        by their order, so that the same nodes give the same text in another program too."""
        frame_number = len(self.frames)
        self._order = {number: position for position, number in enumerate(nodes)}
        known: dict[int, Term] = {}
        self.frames.append(known)
        lines: list[str] = []
        for number in self._order:
            node = self.index.nodes[number]
            known[number] = (
                self._leaf(number, node, frame_number, lines)
                if node.form is None
                else self._operation(number, node, frame_number, lines)
            )
        return lines

    def interval(self, number: int, lines: list[str]) -> Interval:
        pair = self.evaluator.value(number, self.context)
        if pair is EMPTY:
            lines.append("(assert false)")
            return ANYTHING if self.index.nodes[number].base != "bool" else EITHER
        return pair

    def _leaf(self, number: int, node: Node, frame_number: int, lines: list[str]) -> Term:
        sort = SORTS[node.base]
        if node.op == "constant" and abs(node.value) < INF:
            return literal(node.value, sort)
        if node.op == "memory":
            cell = self.flow.memories[node.value]
            if frame_number:
                return self.frames[frame_number - 1][cell.next]
            if self.begin == START:
                return literal(cell.start, sort)
        if node.op == "constant":
            name = f"c{self._order[number]}_{frame_number}"  # a literal result that overflowed: anything
        elif node.op == "parameter":
            known = self._parameters.get(node.value)
            if known is not None:
                return known
            name = f"p{len(self._parameters)}"
            self._parameters[node.value] = Term(name, sort)
        else:
            name = f"{node.op[0]}{self._order[number]}_{frame_number}"
        lines.append(f"(declare-const {name} {sort})")
        term = Term(name, sort)
        self._bound(term, self.interval(number, lines), lines)
        return term

    def _operation(self, number: int, node: Node, frame_number: int, lines: list[str]) -> Term:
        sort = SORTS[node.base]
        known = self.frames[frame_number]
        term = Term(f"n{self._order[number]}_{frame_number}", sort)
        pair = self.interval(number, lines)
        free = number in self.ends
        if free:
            self.loosened |= node.form.z3 is not None
            lines.append(f"(declare-const {term.text} {sort})")
        else:
            exact = node.form.z3(terms, *[known[arg] for arg in node.args])
            if node.form.rounds:
                self._rounded(term, exact, number, node, pair, frame_number, lines)
            else:
                lines.append(f"(define-fun {term.text} () {sort} {exact.text})")
        if self.rounding != EXACT or free:
            self._bound(term, pair, lines)
        return term

    def _rounded(
        self, term: Term, exact: Term, number: int, node: Node, pair: Interval, frame_number: int, lines: list[str]
    ) -> None:
        self.exact[number, frame_number] = given = Term(f"x{self._order[number]}_{frame_number}", term.sort)
        lines.append(f"(define-fun {given.text} () Real {exact.text})")
        if self.rounding == EXACT:
            lines.append(f"(define-fun {term.text} () Real {given.text})")
            return
        lines.append(f"(declare-const {term.text} Real)")
        form = node.form
        if self.rounding == RELATIVE_ERROR:
            lines += bound_finely(term, given, form, self.index.compared.get(number, ()))
        lines += bound_by_interval(term, given, form, max(-pair[0], pair[1]))
        if not form.underflows and 0 in self.index.compared.get(number, ()):
            # A sum of floats is zero, or on either side of it, as the exact sum is: it cannot underflow.
            lines.append(f"(assert (= (< {term.text} 0.0) (< {given.text} 0.0)))")
            lines.append(f"(assert (= (> {term.text} 0.0) (> {given.text} 0.0)))")

    def _bound(self, term: Term, pair: Interval, lines: list[str]) -> None:
        low, high = pair
        if term.sort == terms.BOOL:
            if low == high:
                lines.append(f"(assert (= {term.text} {'true' if low else 'false'}))")
            return
        if abs(low) < INF:  # a literal that overflowed has an interval with infinite ends only
            lines.append(f"(assert (<= {literal(low, term.sort).text} {term.text}))")
        if abs(high) < INF:
            lines.append(f"(assert (<= {term.text} {literal(high, term.sort).text}))")

    def names(self, frame: int) -> dict[str, str]:
        """The solver's names of a frame's leaves: `input:i`, `memory:i`, `parameter:i` by position."""
        found = {}
        for number, term in self.frames[frame].items():
            node = self.index.nodes[number]
            if node.op in ("input", "parameter", "memory"):
                found[f"{node.op}:{node.value}"] = term.text
        return found
