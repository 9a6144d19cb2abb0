"""Interval results that outlive one evaluation: across the rounds of a fixpoint, and across the mutants of a search.

An expression is named by a number that stands for it and for the ranges of all it is made from. So its interval, and
what a condition tells about it, are the same wherever the number comes up.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval

_MOST_EXPRESSIONS = 300_000
_MOST_CONTEXTS = 30_000


class Facts:
    """What is known in a context, by the numbers of expressions: `narrowed`, on top of the context it stands in;
    `values`, as far as they were asked for; the contexts that stand in it. `dead`: nothing is possible there. `whole`: a
    number that stands for all that is narrowed."""

    __slots__ = ("narrowed", "values", "children", "dead", "whole")

    def __init__(self, narrowed: dict[int, Interval] | None = None):
        self.narrowed: dict[int, Interval] = {} if narrowed is None else narrowed
        self.values: dict[int, Interval] = {}
        self.children: dict[int, Facts] = {}
        self.dead = False
        self.whole: int | None = None


class ExpressionTable:
    """Numbers of expressions, and facts about them. One pool serves one operator table."""

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        self.numbers: dict[tuple, int] = {}
        self.root = Facts()
        self.contexts = 0
        # What came out in some circumstances (see `Evaluator`): a value, or what a condition narrows.
        self.told: dict[tuple[int, ...], Interval | Facts] = {}

    def is_full(self) -> bool:
        return max(len(self.numbers), len(self.told)) > _MOST_EXPRESSIONS or self.contexts > _MOST_CONTEXTS

    def number(self, key: Hashable) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def facts(self, told: Facts | None = None) -> Facts:
        """New facts; with `told`, which is complete, about a context in which the same is narrowed."""
        self.contexts += 1
        if told is None:
            return Facts()
        facts = Facts(told.narrowed)
        facts.dead, facts.whole = told.dead, told.whole
        return facts

    def program(self, index: GraphIndex) -> list[int]:
        """A number for each node of a program whose memory may hold anything. What no memory goes into keeps its number
        whatever the ranges of the memory are."""
        pairs = {position: index.fixed.get(position) for position in index.leaf_keys}
        found = self._numbered(index, range(len(index.nodes)), pairs, [-1] * len(index.nodes))
        values = self.root.values
        for known in (index.constants, index.fixed):
            for position, pair in known.items():
                values[found[position]] = pair
        return found

    def ranged(
        self,
        index: GraphIndex,
        leaves: dict[int, Interval],
        nodes: Iterable[int] | None = None,
        numbers: list[int] | None = None,
    ) -> list[int]:
        """Numbers where these leaves, at least all of the memory, have these ranges. `nodes`: those that need one, and all
        that they are computed from. `numbers`: what `program` gave, or this did for other ranges of the memory, where that
        is at hand; then inputs and parameters have their own ranges, and `nodes` is what else memory goes into."""
        known = numbers is not None
        if nodes is None:
            nodes = index.moving if known else range(len(index.nodes))
        found = self._numbered(index, nodes, leaves, list(numbers) if known else [-1] * len(index.nodes))
        values = self.root.values
        for position, pair in leaves.items():
            values[found[position]] = pair
        if not known:
            for position, pair in index.constants.items():
                values[found[position]] = pair
            values.pop(-1, None)
        return found

    def _numbered(
        self, index: GraphIndex, nodes: Iterable[int], leaves: dict[int, Interval | None], out: list[int]
    ) -> list[int]:
        numbers = self.numbers
        given = index.nodes
        for position in nodes:
            op, args, base, form, value = given[position]
            if form is not None:
                if len(args) == 2:
                    key = (op, out[args[0]], out[args[1]])
                elif len(args) == 1:
                    key = (op, out[args[0]])
                else:
                    key = (op, *[out[arg] for arg in args])
            elif op == "constant":
                # 0.0 and -0.0 are equal as keys and differ as operands.
                key = (base, value if value else repr(value))
            else:
                key = (*index.leaf_keys[position], leaves[position])
            found = numbers.get(key)
            if found is None:
                found = numbers[key] = len(numbers)
            out[position] = found
        return out
