"""Ranges of the memory that hold in every reachable state: a least fixpoint over intervals, with widening.

Cells that depend on each other are solved together, after the cells that they depend on. A change to one cell
therefore leaves the ranges of independent cells unchanged, and these can be cached. Widening follows Cousot and
Cousot, "Abstract Interpretation" (1977), with thresholds taken from the program.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from hl_dsl.operators.intervals import INF
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.dependency_groups import DependencyGroup
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.intervals.narrowing import EMPTY

_PLAIN_ROUNDS = 2  # joins before widening starts
_LADDER = 26  # thresholds beyond the largest literal: powers of 4 up to 2^50
_WIDE_ROUNDS = 48  # rounds after which a moving end becomes infinite
_TIGHTEN_ROUNDS = 2


def solve_group(
    index: GraphIndex,
    group: DependencyGroup,
    ranges: list[Interval],
    expressions: ExpressionTable,
    numbers: list[int],
) -> None:
    """Computes the ranges of a group's cells.

    Args:
        index: The program.
        group: The cells to solve.
        ranges: Ranges of all cells. Those of the cells that the group depends on must be known; those of the group are
            set.
        expressions: Table of interval results.
        numbers: The program's expression numbers in that table.
    """
    flow = index.flow
    for cell in group.cells:
        start = flow.memories[cell].start
        ranges[cell] = (start, start) if flow.memories[cell].base != "bool" else (int(start), int(start))
    tick = _GroupTick(index, group, expressions, numbers)
    if not group.cyclic:
        _solve_acyclic(tick, ranges)
        return
    starts = {cell: ranges[cell] for cell in group.cells}
    thresholds: dict[str, Sequence[float]] | None = None
    rounds = 0
    while True:
        reached = {cell: _join(ranges[cell], interval) for cell, interval in tick.stored(ranges).items()}
        if all(reached[cell] == ranges[cell] for cell in group.cells):
            break
        for cell, interval in reached.items():
            if rounds >= _PLAIN_ROUNDS and interval != ranges[cell]:
                thresholds = thresholds or _thresholds(index, group)
                interval = _widen(
                    ranges[cell], interval, thresholds[flow.memories[cell].base] if rounds < _WIDE_ROUNDS else []
                )
            ranges[cell] = interval
        rounds += 1
    if rounds > _PLAIN_ROUNDS:
        _tighten(tick, ranges, starts)


def _solve_acyclic(tick: _GroupTick, ranges: list[Interval]) -> None:
    """Solves a cell that does not depend on itself: its start value, or any value that a tick stores."""
    for cell, interval in tick.stored(ranges).items():
        ranges[cell] = _join(ranges[cell], interval)


class _GroupTick:
    """One tick of a group's cells, from given ranges."""

    def __init__(self, index: GraphIndex, group: DependencyGroup, expressions: ExpressionTable, numbers: list[int]):
        self.index, self.group, self.expressions, self.numbers = index, group, expressions, numbers
        bits = 0
        for node in [*(index.flow.memories[cell].next for cell in group.cells), *group.assumes]:
            bits |= index.live[node]
        self.moving = [node for node in index.moving if bits >> node & 1]
        self.leaves = [(node, cell) for node, cell in index.memory_nodes if bits >> node & 1]
        self.known: dict[int, Interval] = {}

    def stored(self, ranges: Sequence[Interval]) -> dict[int, Interval]:
        """Returns the interval that the tick can store in each cell.

        If no tick is possible, the cell keeps its range.
        """
        leaves = {node: ranges[cell] for node, cell in self.leaves}
        changed = 0
        for node, interval in leaves.items():
            if self.known.get(node) != interval:
                changed |= 1 << node
        live = self.index.live
        numbers = self.numbers = self.expressions.ranged(
            self.index, leaves, [node for node in self.moving if live[node] & changed], self.numbers
        )
        self.known = leaves
        evaluator = Evaluator(self.index, ranges, self.expressions, assumes=self.group.assumes, numbers=numbers)
        stored = {}
        for cell in self.group.cells:
            following = self.index.flow.memories[cell].next
            interval = EMPTY if evaluator.base.dead else evaluator.value(following, evaluator.base)
            stored[cell] = ranges[cell] if interval is EMPTY else interval
        return stored


def _tighten(tick: _GroupTick, ranges: list[Interval], starts: Mapping[int, Interval]) -> None:
    """Narrows what widening has overshot: one tick from the result may give smaller ranges that hold too."""
    cells = tick.group.cells
    for _ in range(_TIGHTEN_ROUNDS):
        smaller = {cell: _join(starts[cell], interval) for cell, interval in tick.stored(ranges).items()}
        if all(smaller[cell] == ranges[cell] for cell in cells):
            return
        trial = list(ranges)
        for cell, interval in smaller.items():
            trial[cell] = interval
        again = tick.stored(trial)
        if not all(trial[cell][0] <= again[cell][0] and again[cell][1] <= trial[cell][1] for cell in cells):
            return
        ranges[:] = trial


def _join(a: Interval, b: Interval) -> Interval:
    return (a[0] if a[0] <= b[0] else b[0], a[1] if a[1] >= b[1] else b[1])


def _widen(old: Interval, new: Interval, thresholds: Sequence[float]) -> Interval:
    low, high = new
    if low < old[0]:
        position = bisect_right(thresholds, low)
        low = thresholds[position - 1] if position else -INF
    if high > old[1]:
        position = bisect_left(thresholds, high)
        high = thresholds[position] if position < len(thresholds) else INF
    return (low, high)


def _thresholds(index: GraphIndex, group: DependencyGroup) -> dict[str, Sequence[float]]:
    """Returns likely ends of a range, by base: literals (each, and ±1), declared ranges, input bounds, powers of 4."""
    flow = index.flow
    values: set[float] = set()
    for number in group.nodes(index):
        node = index.nodes[number]
        if node.op == "constant" and node.base != "bool":
            low, high = index.constants[number]
            values |= {low, high, low - 1, low + 1, -low}
        elif node.op in ("input", "parameter"):
            values |= set(index.fixed[number])
    for cell in group.cells:
        entry = flow.memories[cell]
        if entry.low is not None and entry.high is not None and entry.base != "bool":
            values |= {entry.low, entry.high}
    finite = sorted(value for value in values if -INF < value < INF)
    largest = max((abs(value) for value in finite), default=0)
    ladder = [4**power for power in range(1, _LADDER) if 4**power > largest]
    reals = (
        [float(-value) for value in reversed(ladder)]
        + [float(value) for value in finite]
        + [float(value) for value in ladder]
    )
    return {
        "real": reals,
        "int": sorted({whole(value) for value in reals for whole in (math.floor, math.ceil)}),
        "bool": [0, 1],
    }
