"""Ranges of the memory that hold in every reachable state: a least fixpoint over intervals, with widening.

Cells that depend on each other are solved together, the ones they depend on before. So a change to one cell leaves the
ranges of those that do not depend on it as they were, and they can be remembered.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.dependency_groups import DependencyGroup
from hl_dsl.verify.intervals.evaluator import EMPTY, Evaluator
from hl_dsl.verify.intervals.interning import ExpressionTable

from hl_dsl.operators.intervals import INF

_PLAIN_ROUNDS = 2  # joins before widening begins
_LADDER = 26  # beyond the largest literal, powers of 4 up to 2^50
_WIDE_ROUNDS = 48  # past these, a moving end goes to infinity
_TIGHTEN_ROUNDS = 2


def solve_group(
    index: GraphIndex, group: DependencyGroup, ranges: list[Interval], expressions: ExpressionTable, numbers: list[int]
) -> None:
    """Fills in the ranges of a group's cells; those of the cells it depends on are there already. `numbers` are the
    program's in the pool."""
    flow = index.flow
    for cell in group.cells:
        start = flow.memories[cell].start
        ranges[cell] = (start, start) if flow.memories[cell].base != "bool" else (int(start), int(start))
    tick = _Tick(index, group, expressions, numbers)
    if not group.cyclic:
        _straight(tick, ranges)
        return
    starts = {cell: ranges[cell] for cell in group.cells}
    thresholds = None
    rounds = 0
    while True:
        reached = {cell: _join(ranges[cell], pair) for cell, pair in tick.stored(ranges).items()}
        if all(reached[cell] == ranges[cell] for cell in group.cells):
            break
        for cell, pair in reached.items():
            if rounds >= _PLAIN_ROUNDS and pair != ranges[cell]:
                thresholds = thresholds or _thresholds(index, group)
                pair = _widen(
                    ranges[cell], pair, thresholds[index.flow.memories[cell].base] if rounds < _WIDE_ROUNDS else []
                )
            ranges[cell] = pair
        rounds += 1
    if rounds > _PLAIN_ROUNDS:
        _tighten(tick, ranges, starts)


def _straight(tick: _Tick, ranges: list[Interval]) -> None:
    """A cell that does not depend on itself: its start, or whatever is stored."""
    for cell, pair in tick.stored(ranges).items():
        ranges[cell] = _join(ranges[cell], pair)


class _Tick:
    """One tick of a group's cells, from any ranges."""

    def __init__(self, index: GraphIndex, group: DependencyGroup, expressions: ExpressionTable, numbers: list[int]):
        self.index, self.group, self.expressions, self.numbers = index, group, expressions, numbers
        bits = 0
        for node in [*(index.flow.memories[cell].next for cell in group.cells), *group.assumes]:
            bits |= index.live[node]
        self.moving = [node for node in index.moving if bits >> node & 1]
        self.leaves = [(node, cell) for node, cell in index.memory_nodes if bits >> node & 1]
        self.known: dict[int, Interval] = {}

    def stored(self, ranges: list[Interval]) -> dict[int, Interval]:
        """What the tick can store in each cell. Nothing, if no tick is possible: then the cell stays as it is."""
        leaves = {node: ranges[cell] for node, cell in self.leaves}
        changed = 0
        for node, pair in leaves.items():
            if self.known.get(node) != pair:
                changed |= 1 << node
        live = self.index.live
        numbers = self.numbers = self.expressions.ranged(
            self.index, leaves, [node for node in self.moving if live[node] & changed], self.numbers
        )
        self.known = leaves
        evaluator = Evaluator(self.index, ranges, self.expressions, assumes=self.group.assumes, numbers=numbers)
        stored = {}
        for cell in self.group.cells:
            pair = (
                EMPTY if evaluator.base.dead else evaluator.value(self.index.flow.memories[cell].next, evaluator.base)
            )
            stored[cell] = ranges[cell] if pair is EMPTY else pair
        return stored


def _tighten(tick: _Tick, ranges: list[Interval], starts: dict[int, Interval]) -> None:
    """Widening overshoots; what one tick makes of the result may be smaller and hold as well."""
    cells = tick.group.cells
    for _ in range(_TIGHTEN_ROUNDS):
        smaller = {cell: _join(starts[cell], pair) for cell, pair in tick.stored(ranges).items()}
        if all(smaller[cell] == ranges[cell] for cell in cells):
            return
        trial = list(ranges)
        for cell, pair in smaller.items():
            trial[cell] = pair
        again = tick.stored(trial)
        if not all(trial[cell][0] <= again[cell][0] and again[cell][1] <= trial[cell][1] for cell in cells):
            return
        ranges[:] = trial


def _join(a: Interval, b: Interval) -> Interval:
    return (a[0] if a[0] <= b[0] else b[0], a[1] if a[1] >= b[1] else b[1])


def _widen(old: Interval, new: Interval, thresholds: list) -> Interval:
    low, high = new
    if low < old[0]:
        position = bisect_right(thresholds, low)
        low = thresholds[position - 1] if position else -INF
    if high > old[1]:
        position = bisect_left(thresholds, high)
        high = thresholds[position] if position < len(thresholds) else INF
    return (low, high)


def _thresholds(index: GraphIndex, group: DependencyGroup) -> dict[str, list]:
    """Where a range may well end, by base: the literals it is made from and each one off, declared ranges, input bounds."""
    flow = index.flow
    found: set = set()
    for number in group.nodes(index):
        node = index.nodes[number]
        if node.op == "constant" and node.base != "bool":
            low, high = index.constants[number]
            found |= {low, high, low - 1, low + 1, -low}
        elif node.op in ("input", "parameter"):
            found |= set(index.fixed[number])
    for cell in group.cells:
        entry = flow.memories[cell]
        if entry.low is not None and entry.base != "bool":
            found |= {entry.low, entry.high}
    finite = sorted(value for value in found if -INF < value < INF)
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
