"""Proof goals of a program, with identifiers that are the same in every run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.dataflow import Dataflow, Obligation, Property


@dataclass(frozen=True)
class Goal:
    """A statement to prove at every tick. Exactly one of `obligation` and `declaration` is given.

    The goal of `reachable:NAME` is that its condition never holds; see `hl_dsl.verify.methods.reachability`.

    Attributes:
        id: `KIND@LINE` for an obligation (then `.2`, `.3`, … if a line has several), `memory:NAME` for the range of a
            cell, `invariant:NAME` or `reachable:NAME` for a property.
        kind: Kind of the obligation or property.
        name: Name of the cell or property; empty for other obligations.
        says: Completes the sentence "at every tick, …".
        line: One-based line; 0 for a program without text.
        span: Place in the text.
        obligation: The well-definedness obligation.
        declaration: The property.
    """

    id: str
    kind: str
    name: str
    says: str
    line: int
    span: Span
    obligation: Obligation | None
    declaration: Property | None

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that the goal is about."""
        if self.declaration is not None:
            return (self.declaration.node,)
        item = self.required
        return tuple(node for node in (item.subject, item.guard, item.claim) if node is not None)

    @property
    def required(self) -> Obligation:
        """The obligation of a goal that has no declaration."""
        assert self.obligation is not None
        return self.obligation

    @property
    def stated(self) -> Property:
        """The declaration of a goal that has no obligation."""
        assert self.declaration is not None
        return self.declaration


def list_goals(flow: Dataflow) -> list[Goal]:
    """Returns all obligations and proof properties, in the order of lowering.

    A monitored property is not a goal, but the obligations that make it well defined are.
    """
    counts: Counter[str] = Counter()
    goals = []
    for item in flow.obligations:
        line = _line(flow, item.span)
        name = item.says.split("`")[1] if item.kind == "memory" else ""
        identifier = f"memory:{name}" if name else f"{item.kind}@{line}"
        counts[identifier] += 1
        if counts[identifier] > 1:
            identifier = f"{identifier}.{counts[identifier]}"
        goals.append(Goal(identifier, item.kind, name, item.says, line, item.span, item, None))
    for declaration in list_claimed_properties(flow):
        kind, name, span = declaration.kind, declaration.name, declaration.span
        goals.append(Goal(f"{kind}:{name}", kind, name, f"`{name}` holds", _line(flow, span), span, None, declaration))
    return goals


def list_claimed_properties(flow: Dataflow) -> list[Property]:
    """Returns the properties to prove, in the order of their goals."""
    return flow.of_kind("invariant") + flow.of_kind("reachable")


def make_assumptions_goal(flow: Dataflow) -> Goal:
    """Returns the goal that reports contradictory assumptions."""
    first = flow.of_kind("assume")[0]
    return Goal("assumptions", "assume", "", "anything is proved", _line(flow, first.span), first.span, None, first)


def _line(flow: Dataflow, span: Span) -> int:
    return flow.source.position(span.start)[0] if flow.source.text else 0
