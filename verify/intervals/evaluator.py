"""Interval evaluation of one tick, refined by what is known in a branch.

A *context* is a set of nodes that are known to lie in less than their full interval: under a condition that holds, its
operands are narrowed, and their operands in turn. A node is evaluated again in a context only if a node that it
depends on is narrowed there. End points are computed with rounding to nearest. That is exact for binary64, because
correctly rounded operations are monotone (Hickey, Ju and van Emden, "Interval Arithmetic: from Principles to
Implementation", 2001).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from hl_dsl.operators.intervals import ANYTHING, EITHER, FALSE, TRUE
from hl_dsl.verify.goals.graph_index import GraphIndex, Guard, Interval
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.intervals.narrowing import EMPTY, MOST_CONTEXTS, Narrowing

_FRAMES = 12  # Python frames for one node on the longest path through a program


class Evaluator(Narrowing):
    """Intervals of a program's nodes for one tick.

    Args:
        index: The program.
        memory: The range of each memory cell.
        expressions: Table whose results are used and extended. A private one by default.
        nodes: The only nodes that will be evaluated, and everything that they depend on. All nodes by default.
        assumes: The assumptions that hold at this tick. All of them by default.
        fixed: Ranges of inputs and parameters, by node. The declared ranges by default.
        numbers: The expression numbers of the nodes in `expressions`, if they are known already.

    Attributes:
        root: Context in which only the ranges are known.
        base: Context in which the assumptions hold too.
    """

    def __init__(
        self,
        index: GraphIndex,
        memory: Sequence[Interval],
        expressions: ExpressionTable | None = None,
        *,
        nodes: Iterable[int] | None = None,
        assumes: Sequence[int] | None = None,
        fixed: Mapping[int, Interval] | None = None,
        numbers: list[int] | None = None,
    ):
        # Evaluation recurses as deep as the program. Python frames use no C stack, so only the limit matters.
        needed = _FRAMES * index.depth + 600
        if needed > sys.getrecursionlimit():
            sys.setrecursionlimit(needed)
        self._shares = expressions is not None
        table = ExpressionTable() if expressions is None else expressions
        super().__init__(index, table, numbers or table.ranged(index, leaf_ranges(index, memory, fixed), nodes))
        self._live = index.live
        self.root = Context(None, 0, table.root)
        self.base = self.root
        for node in index.assumes if assumes is None else assumes:
            if not self.base.dead:
                self.base = self.assume(self.base, node, True)

    def value(self, node: int, context: Context) -> Interval:
        """Returns every value the node can have where the context holds; EMPTY if no tick is possible there."""
        live = self._live[node]
        if live & context.seen:
            while not live & context.mask:
                context = context.parent  # type: ignore[assignment]  # an ancestor narrows one of the nodes
        else:
            context = self.root
        number = self.numbers[node]
        interval = context.values.get(number)
        if interval is None:
            if context is self.root or not self._shares:
                interval = self._compute(node, context)
            else:
                intervals = self.expressions.intervals
                key = context.circumstances(number, live, self.expressions, self.positions)
                interval = intervals.get(key)
                if interval is None:
                    interval = self._compute(node, context)
                    if self.contexts <= MOST_CONTEXTS:
                        intervals[key] = interval
            context.values[number] = interval
        return interval

    def _compute(self, node: int, context: Context) -> Interval:
        op, args, _, form, _ = self._nodes[node]
        if form is None:
            return context.facts.narrowed[self.numbers[node]]
        guards = self._guards.get(op)
        if guards is not None:
            operands = self._guarded(args, guards, context)
        else:
            operands = [self.value(arg, context) for arg in args]
        for operand in operands:
            if operand is EMPTY:
                return EMPTY
        interval = (
            form.interval(*operands)
            if form.with_itself is None or args[0] != args[1]
            else form.with_itself(operands[0])
        )
        if context is self.root or not context.seen >> node & 1:
            return interval
        low, high = interval
        number = self.numbers[node]
        while context.parent is not None:
            known = context.facts.narrowed.get(number)
            if known is not None:
                low, high = max(low, known[0]), min(high, known[1])
                if low > high:
                    return EMPTY
            context = context.parent
        return (low, high)

    def _guarded(self, args: tuple[int, ...], guards: tuple[Guard, ...], context: Context) -> list[Interval]:
        """Evaluates each operand where it is needed. A condition whose branch is impossible is thereby decided."""
        intervals: list[Interval] = []
        for position, arg in enumerate(args):
            inner: Context | None = context
            for guarded, by, truth in guards:
                if guarded != position or inner is None or intervals[by] is EMPTY:
                    continue
                low, high = intervals[by]
                if low == high:
                    inner = inner if low == truth else None
                elif self._live[arg] & self._live[args[by]]:
                    inner = self.assume(inner, args[by], truth)
                    if inner.dead or self.value(arg, inner) is EMPTY:
                        intervals[by] = FALSE if truth else TRUE
                        inner = None
            if inner is None:
                intervals.append(EITHER if self._nodes[arg].base == "bool" else ANYTHING)
            else:
                intervals.append(self.value(arg, inner))
        return intervals

    def assume(self, context: Context, node: int, truth: bool) -> Context:
        """Returns the context in which the bool `node` is also `truth`. `context` must not be dead."""
        node, truth = self.index.signed(node, truth)
        parts = self.index.parts(node, truth)
        if parts is not None:
            for part, wanted in parts:
                context = self.assume(context, part, wanted)
                if context.dead:
                    break
            return context
        key = 2 * self.numbers[node] + truth
        child = context.children.get(key)
        if child is None:
            facts = context.facts.children.get(key)
            if facts is None:
                child = self._assume(context, node, truth, key)
                if self.contexts <= MOST_CONTEXTS:
                    context.facts.children[key] = child.facts
            else:
                child = self._known_context(context, facts)
            context.children[key] = child
        return child

    def _assume(self, context: Context, node: int, truth: bool, key: int) -> Context:
        if not self._shares or context is self.root:
            return self.narrow(context, node, TRUE if truth else FALSE)
        table = self.expressions
        place = context.circumstances(-1 - key, self._live[node], table, self.positions)
        facts = table.narrowings.get(place)
        if facts is None:
            child = self.narrow(context, node, TRUE if truth else FALSE)
            if self.contexts <= MOST_CONTEXTS:
                table.narrowings[place] = table.unchanged if child is context else child.facts
            return child
        return context if facts is table.unchanged else self._known_context(context, table.facts(facts))


def leaf_ranges(
    index: GraphIndex, memory: Sequence[Interval], fixed: Mapping[int, Interval] | None = None
) -> dict[int, Interval]:
    """Returns the range of every leaf that is not a constant, by node."""
    leaves = dict(index.fixed if fixed is None else fixed)
    for node, cell in index.memory_nodes:
        leaves[node] = memory[cell]
    return leaves
