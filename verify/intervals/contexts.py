"""Contexts of interval evaluation: the nodes that are known to lie in less than their full interval."""

from __future__ import annotations

from collections.abc import Callable

from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.intervals.interning import ExpressionTable, Facts


class Context:
    """Narrowed nodes, on top of a parent context.

    Attributes:
        parent: The enclosing context. None for the root.
        mask: Bits of the nodes that this context narrows.
        seen: Bits of the nodes that this context or one of its parents narrows.
        facts: The narrowed intervals and the known values, by expression number.
        children: Contexts inside this one, by the condition that they assume.
        dead: True if no tick satisfies the context.
        parts: By the bits of some narrowed nodes, a number that identifies their intervals.
    """

    __slots__ = ("parent", "mask", "seen", "facts", "values", "children", "dead", "parts")

    def __init__(self, parent: Context | None, mask: int, facts: Facts):
        self.parent = parent
        self.mask = mask
        self.seen: int = mask if parent is None else parent.seen | mask
        self.facts = facts
        self.values = facts.values
        self.children: dict[int, Context] = {}
        self.dead = facts.dead
        self.parts: dict[int, int] = {}

    def add_mask(self, mask: int) -> None:
        """Records that the nodes of `mask` are narrowed here."""
        self.mask |= mask
        self.seen |= mask

    def circumstances(
        self, number: int, live: int, expressions: ExpressionTable, positions: Callable[[], dict[int, int]]
    ) -> tuple[int, ...]:
        """Returns a key of an expression together with the narrowed nodes that it depends on.

        Contexts that give the same key give the same result, whatever else they narrow.

        Args:
            number: Number of the expression.
            live: Bits of the nodes that the expression depends on.
            expressions: The table that the numbers belong to.
            positions: Returns the node of each expression number.
        """
        key = [number]
        context = self
        while context.seen & live:
            mask = context.mask & live
            if mask:
                part = context.parts.get(mask)
                if part is None:
                    part = context.parts[mask] = context._part(mask, expressions, positions)
                key.append(part)
            assert context.parent is not None  # the root narrows nothing
            context = context.parent
        return tuple(key)

    def _part(self, mask: int, expressions: ExpressionTable, positions: Callable[[], dict[int, int]]) -> int:
        facts, number = self.facts, expressions.number
        if mask == self.mask:
            if facts.whole is None:
                facts.whole = number(frozenset(facts.narrowed.items()))
            return facts.whole
        nodes = positions()
        return number(frozenset([item for item in facts.narrowed.items() if mask >> nodes[item[0]] & 1]))


def gather_narrowed(context: Context, root: Context) -> dict[int, Interval]:
    """Returns everything that is narrowed between `root` and `context`, by expression number."""
    narrowed: dict[int, Interval] = {}
    while context is not root:
        for number, interval in context.facts.narrowed.items():
            narrowed.setdefault(number, interval)
        assert context.parent is not None  # `root` is an ancestor
        context = context.parent
    return narrowed


def intersect_causes(causes: list[dict[int, Interval]]) -> list[tuple[int, float, float]]:
    """Returns what all causes narrow, each with the hull of its intervals: (expression number, low, high)."""
    first, *others = causes
    shared = []
    for number, (low, high) in first.items():
        for other in others:
            interval = other.get(number)
            if interval is None:
                break
            low, high = min(low, interval[0]), max(high, interval[1])
        else:
            shared.append((number, low, high))
    return shared
