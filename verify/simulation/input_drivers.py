"""Inputs of simulated lanes: they stay constant for long, jump between ends, or take values that conditions need.

Each lane keeps its inputs and changes some of them at random. New values come from pools: ends of the range,
boundaries of the program's conditions, any value, a step from the last value, or all inputs at once from a box in
which a condition holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hl_dsl.compiler.ir.dataflow import Input
from hl_dsl.operators.intervals import INF
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY

# Values by lane, shape (lanes,), unless stated otherwise.
Array: TypeAlias = NDArray[Any]
TYPES: dict[str, Any] = {"real": np.float64, "int": np.int64, "bool": np.bool_}
_POOL = 512  # values in a pool
_DELICATE = 64  # delicate floats among the values from anywhere
_SMALL = (5e-324, 1e-200, 1e-17, 1e-9)  # sizes at which results underflow or are absorbed
_MOST_CONDITIONS = 40
_ENDS, _BOUNDARIES, _ANYWHERE, _STEPS, _BOXES = range(5)
_SHARES = np.cumsum([0.15, 0.3, 0.15, 0.15, 0.25])  # cumulative chances of the kinds, for lanes without a habit
_TIED_SHARES = np.cumsum([0.05, 0.15, 0.1, 0.6, 0.1])  # the same where assumptions relate inputs to the last tick
_BLOCK = 64  # ticks whose random numbers are drawn together


class InputDrivers:
    """Inputs of `len(chances)` lanes.

    Args:
        evaluator: Intervals of the program.
        generator: Random numbers.
        chances: By lane, the chance of a change at a tick.
        habits: By lane, the kind of change; -1 for any.
    """

    def __init__(self, evaluator: Evaluator, generator: np.random.Generator, chances: Array, habits: Array):
        self.index, self.flow = evaluator.index, evaluator.index.flow
        self.generator, self.chances, self.habits = generator, chances, habits
        self.lanes = len(chances)
        boxes = _boxes(evaluator)
        self.shares = _TIED_SHARES if self.index.assumes else _SHARES
        self.first_ranges = _first_ranges(self.index)
        self.pools = [self._pool(position, boxes) for position in range(len(self.flow.inputs))]
        self.boxes = self._vectors(boxes)
        self.last = [np.full(self.lanes, entry.default, TYPES[entry.base]) for entry in self.flow.inputs]
        self._block: Array = np.empty((0, 0))
        self._row = 0
        self.start_episodes(np.arange(self.lanes))

    def start_episodes(self, lanes: Array) -> None:
        """Draws new inputs for lanes that start an episode."""
        kinds = self._kinds(lanes)
        rows = []
        for position, old in enumerate(self.last):
            new = old.copy()
            new[lanes] = self._values(position, lanes, np.where(kinds == _BOXES, _ANYWHERE, kinds))
            rows.append(new)
        self._from_boxes(rows, lanes[kinds == _BOXES])
        for values, interval in zip(rows, self.first_ranges):
            if interval is not None:
                values[lanes] = np.clip(values[lanes], *interval)
        self.last = rows

    def draw(self) -> list[Array]:
        """Returns the inputs of the next tick, shape (lanes,) each. Returned arrays are never changed."""
        if not self.last:
            return []
        if self._row == len(self._block):
            self._block, self._row = self.generator.random((_BLOCK, self.lanes), np.float32), 0
        changing = np.flatnonzero(self._block[self._row] < self.chances)
        self._row += 1
        if len(changing):
            self.last = self._changed(changing)
        return self.last

    def _changed(self, lanes: Array) -> list[Array]:
        kinds = self._kinds(lanes)
        in_boxes = kinds == _BOXES
        single, kinds = lanes[~in_boxes], kinds[~in_boxes]
        which = self.generator.integers(len(self.last), size=len(single))
        rows = []
        for position, old in enumerate(self.last):
            chosen = which == position
            if chosen.any() or in_boxes.any():
                old = old.copy()
                old[single[chosen]] = self._values(position, single[chosen], kinds[chosen])
            rows.append(old)
        self._from_boxes(rows, lanes[in_boxes])
        return rows

    def _kinds(self, lanes: Array) -> Array:
        draws = np.searchsorted(self.shares, self.generator.random(len(lanes)))
        habits = self.habits[lanes]
        return np.where(habits < 0, np.minimum(draws, _BOXES), habits)

    def _values(self, position: int, lanes: Array, kinds: Array) -> Array:
        entry, expressions = self.flow.inputs[position], self.pools[position]
        values = expressions[kinds, self.generator.integers(_POOL, size=len(lanes))]
        if entry.base == "bool":
            return values
        stepping = kinds == _STEPS
        if stepping.any():
            values[stepping] = np.clip(self.last[position][lanes[stepping]] + values[stepping], entry.low, entry.high)
        return values

    def _from_boxes(self, rows: list[Array], lanes: Array) -> None:
        if len(lanes):
            draws = self.generator.integers(_POOL, size=len(lanes))
            for values, vectors in zip(rows, self.boxes):
                values[lanes] = vectors[draws]

    def _pool(self, position: int, boxes: Sequence[Mapping[int, Interval]]) -> Array:
        """Returns values of an input by kind, shape (4, _POOL)."""
        entry, generator = self.flow.inputs[position], self.generator
        if entry.base == "bool":
            return generator.random((4, _POOL)) < 0.5
        values = {end for box in boxes if position in box for end in box[position]}
        for number, node in enumerate(self.index.nodes):
            if node.op == "constant" and node.base != "bool":
                values |= {self.index.constants[number][0] + offset for offset in (-1, 0, 1)}
        boundaries = sorted(
            value
            for value in values
            if entry.low <= value <= entry.high and (entry.base == "real" or value == int(value))
        )
        ends = np.array([entry.low, entry.high])
        sizes = np.array([1, 1, 1, 2, 5]) if entry.base == "int" else 10.0 ** np.arange(-3, 1)
        anywhere = _draw_within(generator, entry, (entry.low, entry.high), _POOL)
        if entry.base == "real":
            delicate = [value for value in self._delicate() if entry.low <= value <= entry.high]
            anywhere[:_DELICATE] = np.resize(delicate or anywhere, _DELICATE)
        return np.stack(
            [
                generator.choice(ends, _POOL),
                generator.choice(boundaries or ends, _POOL),
                anywhere,
                generator.choice(sizes, _POOL) * generator.choice([-1, 1], _POOL),
            ]
        ).astype(TYPES[entry.base])

    def _delicate(self) -> list[float]:
        """Returns floats at which rounding matters: neighbours of the program's literals, and small numbers."""
        literals = {
            self.index.constants[number][0]
            for number, node in enumerate(self.index.nodes)
            if node.op == "constant" and node.base == "real"
        }
        neighbours = [float(np.nextafter(value, way)) for value in sorted(literals) for way in (-np.inf, np.inf)]
        return [sign * value for value in (*_SMALL, *neighbours) if abs(value) < INF for sign in (1, -1)]

    def _vectors(self, boxes: Sequence[Mapping[int, Interval]]) -> list[Array]:
        """Returns values of all inputs together, from the boxes in turn; from the whole ranges if there are none."""
        out = []
        for position, entry in enumerate(self.flow.inputs):
            whole = (entry.low, entry.high)
            draws = (
                [
                    _draw_within(self.generator, entry, box.get(position, whole), _POOL // len(boxes) + 1)
                    for box in boxes
                ]
                if boxes
                else []
            )
            out.append(
                np.stack(draws, axis=1).ravel()[:_POOL] if draws else _draw_within(self.generator, entry, whole, _POOL)
            )
        return out


def _first_ranges(index: GraphIndex) -> list[Interval | None]:
    """Returns the range of each input that the assumptions leave at the first tick; None if they do not restrict it."""
    ranges: list[Interval | None] = [None] * len(index.flow.inputs)
    if index.assumes:
        evaluator = Evaluator(index, [(cell.start, cell.start) for cell in index.flow.memories])
        for number in [] if evaluator.base.dead else index.fixed:
            if index.nodes[number].op == "input":
                interval = evaluator.value(number, evaluator.base)
                ranges[index.nodes[number].position] = (
                    None if interval is EMPTY or index.nodes[number].base == "bool" else interval
                )
    return ranges


def _boxes(evaluator: Evaluator) -> list[dict[int, Interval]]:
    """Returns the input ranges in which each condition of the program is true, and those in which it is false."""
    index = evaluator.index
    inputs = [
        (number, node.position) for number, node in enumerate(index.nodes) if node.op == "input" and node.base != "bool"
    ]
    bits = sum(1 << number for number, _ in inputs)
    boxes: list[dict[int, Interval]] = []
    conditions = [
        number
        for number, node in enumerate(index.nodes)
        if node.form is not None and node.base == "bool" and index.live[number] & bits
    ]
    for condition in conditions[:_MOST_CONDITIONS] if not evaluator.base.dead else ():
        for truth in (True, False):
            context = evaluator.assume(evaluator.base, condition, truth)
            if context.dead:
                continue
            box = {
                position: evaluator.value(number, context)
                for number, position in inputs
                if index.live[condition] >> number & 1
            }
            box = {
                position: interval
                for position, interval in box.items()
                if interval is not EMPTY and interval[0] > -INF and interval[1] < INF
            }
            if box and box not in boxes:
                boxes.append(box)
    return boxes


def _draw_within(generator: np.random.Generator, entry: Input, interval: Interval, count: int) -> Array:
    """Returns `count` values between two ends, each end with a chance of 20 %."""
    if entry.base == "bool":
        return generator.random(count) < 0.5
    low, high = interval
    draws = generator.random(count)
    values = np.select(
        [draws < 0.2, draws > 0.8], [low, high], np.clip(low + (high - low) * generator.random(count), low, high)
    )
    return np.clip(np.round(values), low, high).astype(np.int64) if entry.base == "int" else values
