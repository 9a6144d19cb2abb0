"""Inferred lemmas: a bound on a sum of a few values, or a truth value, wherever a condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators import OPERATORS
from hl_dsl.verify.goals.terms import INT, REAL, Term, ToReal, literal

_LONGEST = 40  # characters of a `previous(…)` that is shown as written
_DEEPEST = 3  # nested operators in the text of a value


@dataclass(frozen=True)
class Linear:
    """A bound on a weighted sum.

    Attributes:
        terms: (coefficient, node) pairs.
        bound: The bound.
        exact: True if the sum equals the bound; False if it is at most the bound.
    """

    terms: tuple[tuple[int | float, int], ...]
    bound: int | float
    exact: bool = False

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes of the sum."""
        return tuple(node for _, node in self.terms)

    def holds(self, values: Sequence[int | float]) -> bool:
        """Returns True if the bound holds for the node values of a tick, in floats."""
        total = sum(coefficient * values[node] for coefficient, node in self.terms)
        return total == self.bound if self.exact else total <= self.bound

    def text(self, known: Mapping[int, Term]) -> str:
        """Returns the bound as an SMT-LIB term over the terms of a frame."""
        sort = REAL if any(known[node].sort == REAL for node in self.nodes) else INT
        parts = [_scaled(coefficient, known[node], sort) for coefficient, node in self.terms]
        total = parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"
        return f"({'=' if self.exact else '<='} {total} {literal(self.bound, sort).text})"

    def says(self, flow: Dataflow) -> str:
        """Returns the bound in the program's names."""
        relation, bound = "==" if self.exact else "<=", self.bound
        left = [(coefficient, node) for coefficient, node in self.terms if coefficient > 0]
        right = [(-coefficient, node) for coefficient, node in self.terms if coefficient < 0]
        if not left:
            left, right, relation, bound = right, [], relation.replace("<", ">"), -bound
            if len(left) == 1 and left[0][0] == 1 and relation == ">=" and bound == 1:
                return f"{describe_value(flow, left[0][1])} > 0"
        if len(left) == 1 and not right and flow.nodes[left[0][1]].op == "memory":
            names = flow.memories[flow.nodes[left[0][1]].position].names
            if names and bound == int(bound) and 0 <= bound < len(names):
                return f"{describe_value(flow, left[0][1])} {relation} {names[int(bound)]}"
        after = _sum(flow, right)
        constant = f"{abs(bound):g}"
        if not after:
            after = f"{bound:g}"
        elif bound:
            after += f" {'+' if bound > 0 else '-'} {constant}"
        return f"{_sum(flow, left)} {relation} {after}"


@dataclass(frozen=True)
class Truth:
    """A bool node has the value `truth`."""

    node: int
    truth: bool

    @property
    def nodes(self) -> tuple[int, ...]:
        """The node."""
        return (self.node,)

    def holds(self, values: Sequence[int | float]) -> bool:
        """Returns True if the node has the value in the node values of a tick."""
        return bool(values[self.node]) == self.truth

    def text(self, known: Mapping[int, Term]) -> str:
        """Returns the fact as an SMT-LIB term over the terms of a frame."""
        return known[self.node].text if self.truth else f"(not {known[self.node].text})"

    def says(self, flow: Dataflow) -> str:
        """Returns the fact in the program's names."""
        return f"{'' if self.truth else 'not '}{describe_value(flow, self.node)}"


@dataclass(frozen=True)
class Lemma:
    """`body` holds at every tick at which `condition` holds; at every tick if there is no condition."""

    body: Linear | Truth
    condition: Linear | Truth | None = None

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes of the body and of the condition."""
        return self.body.nodes + (self.condition.nodes if self.condition else ())

    def holds(self, values: Sequence[int | float]) -> bool:
        """Returns True if the lemma holds for the node values of a tick.

        In floats: filters candidates, proves nothing.
        """
        return (self.condition is not None and not self.condition.holds(values)) or self.body.holds(values)

    def text(self, known: Mapping[int, Term]) -> str:
        """Returns the lemma as an SMT-LIB term over the terms of a frame."""
        body = self.body.text(known)
        return body if self.condition is None else f"(=> {self.condition.text(known)} {body})"

    def says(self, flow: Dataflow) -> str:
        """Returns the lemma in the program's names."""
        body = self.body.says(flow)
        return body if self.condition is None else f"{self.condition.says(flow)} implies {body}"


def make_positive(node: int) -> Linear:
    """Returns the fact that an int is positive."""
    return Linear(((-1, node),), -1)


def _scaled(coefficient: int | float, term: Term, sort: str) -> str:
    text = ToReal(term).text if sort != term.sort else term.text
    if coefficient == 1:
        return text
    return f"(- {text})" if coefficient == -1 else f"(* {literal(coefficient, sort).text} {text})"


def _sum(flow: Dataflow, terms: Sequence[tuple[int | float, int]]) -> str:
    return " + ".join(
        describe_value(flow, node) if coefficient == 1 else f"{coefficient:g} * {describe_value(flow, node)}"
        for coefficient, node in terms
    )


def describe_value(flow: Dataflow, node: int, depth: int = 0) -> str:
    """Returns a value's name, or the expression that it is computed from. `depth` counts the enclosing operators."""
    entry = flow.nodes[node]
    if entry.op == "constant":
        return str(entry.value)
    if entry.op == "memory":
        cell = flow.memories[entry.position]
        written = flow.source.text[cell.span.start : cell.span.end]
        return (
            cell.name
            if cell.declared or cell.monitor_of or not written or len(written) > _LONGEST or "{" in written
            else " ".join(written.split())
        )
    if entry.form is None:
        return (flow.inputs if entry.op == "input" else flow.parameters)[entry.position].name
    for name in flow.lets:
        if flow.values[name].nodes == (node,):
            return name
    if depth == _DEEPEST:
        return "…"
    operands = [describe_value(flow, arg, depth + 1) for arg in entry.args]
    token = OPERATORS[entry.op].syntax.token
    if OPERATORS[entry.op].syntax.kind == "infix" and len(operands) == 2:
        return f"({operands[0]} {token} {operands[1]})"
    return f"{token or entry.op}({', '.join(operands)})"
