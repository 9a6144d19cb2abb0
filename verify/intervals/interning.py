"""Table of expressions and their intervals, shared by the rounds of a fixpoint and by the mutants of a search.

An expression is identified by a number that depends on its operators and on the ranges of its leaves. Its interval,
and what a condition implies about it, are therefore the same wherever the number occurs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval

_MOST_EXPRESSIONS = 300_000
_MOST_CONTEXTS = 30_000


class Facts:
    """Facts of a context, by expression number.

    Attributes:
        narrowed: Intervals that are smaller than in the parent context.
        values: Intervals evaluated so far.
        children: Facts of the contexts inside this one, by the condition that they assume.
        dead: True if no tick satisfies the context.
        whole: A number that identifies `narrowed`; None until it is needed.
    """

    __slots__ = ("narrowed", "values", "children", "dead", "whole")

    def __init__(self, narrowed: dict[int, Interval] | None = None, dead: bool = False):
        self.narrowed: dict[int, Interval] = {} if narrowed is None else narrowed
        self.values: dict[int, Interval] = {}
        self.children: dict[int, Facts] = {}
        self.dead = dead
        self.whole: int | None = None


class ExpressionTable:
    """Numbers of expressions, and facts about them. One table serves one operator table.

    Attributes:
        numbers: Expression numbers, by operator and operand numbers.
        root: Facts that hold without any assumption.
        contexts: Number of contexts created so far.
        intervals: Intervals by circumstances (see `Context.circumstances`).
        narrowings: Facts that a condition implies, by circumstances.
        impossible: Facts of a context that no tick satisfies.
        unchanged: Entry in `narrowings` of a condition that implies nothing new.
    """

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}
        self.root = Facts()
        self.contexts = 0
        self.intervals: dict[tuple[int, ...], Interval] = {}
        self.narrowings: dict[tuple[int, ...], Facts] = {}
        self.impossible = Facts(dead=True)
        self.unchanged = Facts()

    def is_full(self) -> bool:
        """Returns True if the table has grown so large that a new one should replace it."""
        entries = max(len(self.numbers), len(self.intervals) + len(self.narrowings))
        return entries > _MOST_EXPRESSIONS or self.contexts > _MOST_CONTEXTS

    def number(self, key: Hashable) -> int:
        """Returns the number of a key."""
        return self.numbers.setdefault(key, len(self.numbers))

    def facts(self, known: Facts | None = None) -> Facts:
        """Returns new facts, or a copy of the complete facts `known` for a context that narrows the same."""
        self.contexts += 1
        if known is None:
            return Facts()
        facts = Facts(known.narrowed, known.dead)
        facts.whole = known.whole
        return facts

    def program(self, index: GraphIndex) -> list[int]:
        """Returns a number for each node of a program whose memory may hold any value.

        A node that does not depend on memory keeps its number for all ranges of the memory.
        """
        intervals = {position: index.fixed.get(position) for position in index.leaf_keys}
        numbers = self._numbered(index, range(len(index.nodes)), intervals, [-1] * len(index.nodes))
        values = self.root.values
        for known in (index.constants, index.fixed):
            for position, interval in known.items():
                values[numbers[position]] = interval
        return numbers

    def ranged(
        self,
        index: GraphIndex,
        leaves: Mapping[int, Interval],
        nodes: Iterable[int] | None = None,
        numbers: list[int] | None = None,
    ) -> list[int]:
        """Returns expression numbers for a program whose leaves have the given ranges.

        Args:
            index: The program.
            leaves: Ranges by leaf node; at least those of all memory cells.
            nodes: The nodes that need a number, and everything that they depend on. All nodes by default; with
                `numbers`, the nodes that depend on memory.
            numbers: Result of `program`, or of this method for other memory ranges. Inputs and parameters then have
                their declared ranges.
        """
        if nodes is None:
            nodes = range(len(index.nodes)) if numbers is None else index.moving
        out = self._numbered(index, nodes, leaves, [-1] * len(index.nodes) if numbers is None else list(numbers))
        values = self.root.values
        for position, interval in leaves.items():
            values[out[position]] = interval
        if numbers is None:
            for position, interval in index.constants.items():
                values[out[position]] = interval
            values.pop(-1, None)
        return out

    def _numbered(
        self, index: GraphIndex, nodes: Iterable[int], leaves: Mapping[int, Interval | None], out: list[int]
    ) -> list[int]:
        numbers = self.numbers
        given = index.nodes
        for position in nodes:
            op, args, base, form, value = given[position]
            key: Hashable
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
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(numbers)
            out[position] = number
        return out
