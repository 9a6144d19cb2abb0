"""What has to be proved of a program, as a list with names that stay the same from run to run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hl_dsl.compiler.ir.dataflow import Dataflow, Obligation, Property

from hl_dsl.base.source import Span


@dataclass(frozen=True)
class Goal:
    """One thing to prove at every tick.

    `id` is `KIND@LINE` for an obligation (`.2`, `.3`, … after it where a line has several), `memory:NAME` for the range
    of a cell, `invariant:NAME` for a property. `says` completes "at every tick, …". The goal of `reachable:NAME` is that
    what it says never holds; see `hl_dsl.verify.methods.reachability`.
    """

    id: str
    kind: str
    name: str
    says: str
    line: int
    span: Span
    obligation: Obligation | None
    property: Property | None

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes it speaks of."""
        if self.property is not None:
            return (self.property.node,)
        item = self.obligation
        return tuple(node for node in (item.subject, item.guard, item.claim) if node is not None)


def list_goals(flow: Dataflow) -> list[Goal]:
    """All obligations and invariants, in the order of the program's lowering. A monitor's property is no goal, but what
    makes it well defined is."""
    counts: Counter[str] = Counter()
    found = []
    for item in flow.obligations:
        line = _line(flow, item.span)
        name = item.says.split("`")[1] if item.kind == "memory" else ""
        id_ = f"memory:{name}" if name else f"{item.kind}@{line}"
        counts[id_] += 1
        if counts[id_] > 1:
            id_ = f"{id_}.{counts[id_]}"
        found.append(Goal(id_, item.kind, name, item.says, line, item.span, item, None))
    for item in list_claimed_properties(flow):
        found.append(
            Goal(
                f"{item.kind}:{item.name}",
                item.kind,
                item.name,
                f"`{item.name}` holds",
                _line(flow, item.span),
                item.span,
                None,
                item,
            )
        )
    return found


def list_claimed_properties(flow: Dataflow) -> list[Property]:
    """The properties that a program is to be proved to have, in the order of its goals."""
    return flow.of_kind("invariant") + flow.of_kind("reachable")


def make_assumptions_goal(flow: Dataflow) -> Goal:
    """Stands for the assumptions taken together, where they turn out to contradict each other."""
    first = flow.of_kind("assume")[0]
    return Goal("assumptions", "assume", "", "anything is proved", _line(flow, first.span), first.span, None, first)


def _line(flow: Dataflow, span: Span) -> int:
    return flow.source.position(span.start)[0] if flow.source.text else 0
