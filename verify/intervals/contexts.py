"""Contexts of interval evaluation: what is known to lie in less than it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.intervals.interning import Facts

if TYPE_CHECKING:
    from hl_dsl.verify.intervals.evaluator import Evaluator


class Context:
    """What is narrowed, on top of a parent context: its facts, and bits of the nodes that they narrow in this program.
    `seen` has the bits of the contexts above as well."""

    __slots__ = ("parent", "mask", "seen", "facts", "values", "children", "dead", "parts")

    def __init__(self, parent: Context | None, mask: int, facts: Facts):
        self.parent = parent
        self.mask = mask
        self.seen = mask if parent is None else parent.seen | mask
        self.facts = facts
        self.values = facts.values
        self.children: dict[int, Context] = {}
        self.dead = facts.dead
        self.parts: dict[
            int, int
        ] = {}  # by the bits of some of its nodes: a number that stands for what they are narrowed to

    def masked(self, mask: int) -> None:
        """More nodes are narrowed here."""
        self.mask |= mask
        self.seen |= mask

    def circumstances(self, number: int, live: int, evaluator: Evaluator) -> tuple[int, ...]:
        """The number with all that is narrowed among the nodes of `live`. What comes of these is the same in every context
        that agrees in this, whatever else it knows."""
        found = [number]
        context = self
        while context.seen & live:
            mask = context.mask & live
            if mask:
                part = context.parts.get(mask)
                if part is None:
                    part = context.parts[mask] = context._part(mask, evaluator)
                found.append(part)
            context = context.parent
        return tuple(found)

    def _part(self, mask: int, evaluator: Evaluator) -> int:
        facts, number = self.facts, evaluator.expressions.number
        if mask == self.mask:
            if facts.whole is None:
                facts.whole = number(frozenset(facts.narrowed.items()))
            return facts.whole
        places = evaluator.places()
        return number(frozenset([item for item in facts.narrowed.items() if mask >> places[item[0]] & 1]))


def gather_narrowed(context: Context, root: Context) -> dict[int, Interval]:
    """All that is narrowed between two contexts."""
    found: dict[int, Interval] = {}
    while context is not root:
        for number, pair in context.facts.narrowed.items():
            found.setdefault(number, pair)
        context = context.parent
    return found


def intersect_causes(causes: list[dict[int, Interval]]) -> list[tuple[int, float, float]]:
    """What is narrowed in all of them, and to what they have in common."""
    first, *others = causes
    found = []
    for node, (low, high) in first.items():
        for other in others:
            pair = other.get(node)
            if pair is None:
                break
            low, high = min(low, pair[0]), max(high, pair[1])
        else:
            found.append((node, low, high))
    return found
