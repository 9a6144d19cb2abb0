"""Ticks of a program as SMT-LIB over Real and Int, with an error term for every rounding.

A rounded result is the exact one plus an error of at most 2^-53 times the result's largest size (from the intervals),
plus 2^-1075 for results below the normal floats. Every run of the compiled program is therefore a model of the
encoding: what the solver refutes, no run does. A linear program stays linear. Literals are the exact rational numbers
that the floats are. An operator whose row has no z3 form may have any value in its interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hl_dsl.compiler.ir.dataflow import Node
from hl_dsl.operators.intervals import ANYTHING, EITHER, INF
from hl_dsl.verify.goals import terms
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.terms import SORTS, Term, literal
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.smt.rounding_error import bound_by_interval, bound_finely

# Memory of the first frame: any state within the memory ranges, or the start of an episode.
FREE, START = "free", "start"
# Error of a rounded result: bounded by its interval; by its size too, at a cost; or none (exact reals).
ROUNDED, RELATIVE_ERROR, EXACT = "rounded", "relative error", "exact"


class Encoding:
    """Frames (consecutive ticks) of one program.

    Args:
        evaluator: Gives the intervals of the nodes.
        context: Context of the evaluator that holds at every tick.
        start: FREE or START.
        rounding: ROUNDED, RELATIVE_ERROR or EXACT. With EXACT, only the intervals of leaves are used.
        linear: If True, a product or quotient of two values that are not literals may have any value in its interval.

    Attributes:
        frames: By frame, the term of each node.
        exact: The exact result of each rounded operation, by node and frame.
        ends: Nodes whose operands do not matter.
        loosened: True if `linear` replaced a product or quotient.
    """

    def __init__(
        self, evaluator: Evaluator, context: Context, start: str = FREE, rounding: str = ROUNDED, linear: bool = False
    ):
        self.index = evaluator.index
        self.flow = self.index.flow
        self.evaluator, self.context = evaluator, context
        self.start, self.rounding = start, rounding
        self.loosened = False
        self.ends = self.index.opaque | self.index.nonlinear if linear else self.index.opaque
        self.frames: list[dict[int, Term]] = []
        self.exact: dict[tuple[int, int], Term] = {}
        self._parameters: dict[int, Term] = {}
        self._order: dict[int, int] = {}

    def frame(self, nodes: Iterable[int]) -> list[str]:
        """Returns commands that add a tick with these nodes after the last one.

        Operands must come first. Names depend on the order only, so that the same nodes give the same text in every
        program.
        """
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
        """Returns a node's interval. If no tick is possible, adds a contradiction to `lines`."""
        interval = self.evaluator.value(number, self.context)
        if interval is EMPTY:
            lines.append("(assert false)")
            return ANYTHING if self.index.nodes[number].base != "bool" else EITHER
        return interval

    def _leaf(self, number: int, node: Node, frame_number: int, lines: list[str]) -> Term:
        sort = SORTS[node.base]
        if node.op == "constant":
            assert node.value is not None  # a constant has a value
            if abs(node.value) < INF:
                return literal(node.value, sort)
            name = f"c{self._order[number]}_{frame_number}"  # a literal result that overflowed may have any value
        elif node.op == "memory":
            cell = self.flow.memories[node.position]
            if frame_number:
                return self.frames[frame_number - 1][cell.next]
            if self.start == START:
                return literal(cell.start, sort)
            name = f"{node.op[0]}{self._order[number]}_{frame_number}"
        elif node.op == "parameter":
            known = self._parameters.get(node.position)
            if known is not None:
                return known
            name = f"p{len(self._parameters)}"
            self._parameters[node.position] = Term(name, sort)
        else:
            name = f"{node.op[0]}{self._order[number]}_{frame_number}"
        lines.append(f"(declare-const {name} {sort})")
        term = Term(name, sort)
        self._bound(term, self.interval(number, lines), lines)
        return term

    def _operation(self, number: int, node: Node, frame_number: int, lines: list[str]) -> Term:
        form = node.form
        assert form is not None  # the node is not a leaf
        sort = SORTS[node.base]
        known = self.frames[frame_number]
        term = Term(f"n{self._order[number]}_{frame_number}", sort)
        interval = self.interval(number, lines)
        free = number in self.ends
        if free or form.z3 is None:
            self.loosened |= form.z3 is not None
            lines.append(f"(declare-const {term.text} {sort})")
        else:
            exact = form.z3(terms, *[known[arg] for arg in node.args])
            if form.rounds:
                self._round(term, exact, number, interval, frame_number, lines)
            else:
                lines.append(f"(define-fun {term.text} () {sort} {exact.text})")
        if self.rounding != EXACT or free:
            self._bound(term, interval, lines)
        return term

    def _round(
        self, term: Term, exact: Term, number: int, interval: Interval, frame_number: int, lines: list[str]
    ) -> None:
        form = self.index.nodes[number].form
        assert form is not None  # the node is not a leaf
        self.exact[number, frame_number] = given = Term(f"x{self._order[number]}_{frame_number}", term.sort)
        lines.append(f"(define-fun {given.text} () Real {exact.text})")
        if self.rounding == EXACT:
            lines.append(f"(define-fun {term.text} () Real {given.text})")
            return
        lines.append(f"(declare-const {term.text} Real)")
        compared: Sequence[float] | set[float] = self.index.compared.get(number, ())
        if self.rounding == RELATIVE_ERROR:
            lines += bound_finely(term, given, form, compared)
        lines += bound_by_interval(term, given, form, max(-interval[0], interval[1]))
        if not form.underflows and 0 in compared:
            # A sum of floats cannot underflow: it is zero, negative or positive as the exact sum is.
            lines.append(f"(assert (= (< {term.text} 0.0) (< {given.text} 0.0)))")
            lines.append(f"(assert (= (> {term.text} 0.0) (> {given.text} 0.0)))")

    def _bound(self, term: Term, interval: Interval, lines: list[str]) -> None:
        low, high = interval
        if term.sort == terms.BOOL:
            if low == high:
                lines.append(f"(assert (= {term.text} {'true' if low else 'false'}))")
            return
        if abs(low) < INF:  # a literal that overflowed has an interval with infinite ends only
            lines.append(f"(assert (<= {literal(low, term.sort).text} {term.text}))")
        if abs(high) < INF:
            lines.append(f"(assert (<= {term.text} {literal(high, term.sort).text}))")

    def names(self, frame: int) -> dict[str, str]:
        """Returns the solver's names of a frame's leaves: `input:i`, `memory:i`, `parameter:i` by position."""
        leaves = {}
        for number, term in self.frames[frame].items():
            node = self.index.nodes[number]
            if node.op in ("input", "parameter", "memory"):
                leaves[f"{node.op}:{node.value}"] = term.text
        return leaves
