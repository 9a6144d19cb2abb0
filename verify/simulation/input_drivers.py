"""What simulated lanes are shown: inputs that stay for long, jump between ends, or take the values that conditions ask for.

Each lane keeps its inputs and changes some of them now and then. Where to is drawn from pools made beforehand: ends of
the range, boundaries of the program's conditions, anywhere, a step from where it was, or all inputs at once out of a box
in which a condition holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.intervals.evaluator import EMPTY, Evaluator

from hl_dsl.operators.intervals import INF

TYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_}
_POOL = 512  # values in a pool
_DELICATE = 64  # of them, in the pool of values from anywhere
_SMALL = (5e-324, 1e-200, 1e-17, 1e-9)
_MOST_CONDITIONS = 40
_ENDS, _BOUNDARIES, _ANYWHERE, _STEPS, _BOXES = range(5)
_SHARES = np.cumsum([0.15, 0.3, 0.15, 0.15, 0.25])  # of the kinds, for lanes with no habit
_TIED_SHARES = np.cumsum([0.05, 0.15, 0.1, 0.6, 0.1])  # the same where assumptions tie inputs to the last tick
_BLOCK = 64  # ticks whose chances are drawn together


class InputDrivers:
    """Inputs of `len(chances)` lanes. `chances`: that a lane changes something, at each tick; `habits`: the kind of
    change it makes, -1 for any."""

    def __init__(self, evaluator: Evaluator, generator: np.random.Generator, chances: np.ndarray, habits: np.ndarray):
        self.index, self.flow = evaluator.index, evaluator.index.flow
        self.generator, self.chances, self.habits = generator, chances, habits
        self.lanes = len(chances)
        boxes = _boxes(evaluator)
        self.shares = _TIED_SHARES if self.index.assumes else _SHARES
        self.first = _first(self.index)
        self.pools = [self._pool(position, boxes) for position in range(len(self.flow.inputs))]
        self.boxes = self._vectors(boxes)
        self.last = [np.full(self.lanes, entry.default, TYPES[entry.base]) for entry in self.flow.inputs]
        self._block, self._row = np.empty((0, 0)), 0
        self.begin(np.arange(self.lanes))

    def begin(self, lanes: np.ndarray) -> None:
        """New inputs, all of them, for lanes that begin an episode."""
        kinds = self._kinds(lanes)
        rows = []
        for position, old in enumerate(self.last):
            new = old.copy()
            new[lanes] = self._values(position, lanes, np.where(kinds == _BOXES, _ANYWHERE, kinds))
            rows.append(new)
        self._from_boxes(rows, lanes[kinds == _BOXES])
        for values, pair in zip(rows, self.first):
            if pair is not None:
                values[lanes] = np.clip(values[lanes], *pair)
        self.last = rows

    def draw(self) -> list[np.ndarray]:
        """The inputs of the next tick. Arrays once given are never changed."""
        if not self.last:
            return []
        if self._row == len(self._block):
            self._block, self._row = self.generator.random((_BLOCK, self.lanes), np.float32), 0
        changing = np.flatnonzero(self._block[self._row] < self.chances)
        self._row += 1
        if len(changing):
            self.last = self._changed(changing)
        return self.last

    def _changed(self, lanes: np.ndarray) -> list[np.ndarray]:
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

    def _kinds(self, lanes: np.ndarray) -> np.ndarray:
        drawn = np.searchsorted(self.shares, self.generator.random(len(lanes)))
        habits = self.habits[lanes]
        return np.where(habits < 0, np.minimum(drawn, _BOXES), habits)

    def _values(self, position: int, lanes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        entry, expressions = self.flow.inputs[position], self.pools[position]
        values = expressions[kinds, self.generator.integers(_POOL, size=len(lanes))]
        if entry.base == "bool":
            return values
        stepping = kinds == _STEPS
        if stepping.any():
            values[stepping] = np.clip(self.last[position][lanes[stepping]] + values[stepping], entry.low, entry.high)
        return values

    def _from_boxes(self, rows: list[np.ndarray], lanes: np.ndarray) -> None:
        if len(lanes):
            drawn = self.generator.integers(_POOL, size=len(lanes))
            for values, vectors in zip(rows, self.boxes):
                values[lanes] = vectors[drawn]

    def _pool(self, position: int, boxes: Sequence[dict[int, tuple]]) -> np.ndarray:
        """Values of an input by kind: four rows."""
        entry, generator = self.flow.inputs[position], self.generator
        if entry.base == "bool":
            return generator.random((4, _POOL)) < 0.5
        found = {end for box in boxes if position in box for end in box[position]}
        for number, node in enumerate(self.index.nodes):
            if node.op == "constant" and node.base != "bool":
                found |= {self.index.constants[number][0] + off for off in (-1, 0, 1)}
        boundaries = sorted(
            value
            for value in found
            if entry.low <= value <= entry.high and (entry.base == "real" or value == int(value))
        )
        ends = np.array([entry.low, entry.high])
        sizes = np.array([1, 1, 1, 2, 5]) if entry.base == "int" else 10.0 ** np.arange(-3, 1)
        anywhere = _within(generator, entry, (entry.low, entry.high), _POOL)
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
        """Floats at which rounding shows: those beside the program's literals, and small ones, of both signs."""
        literals = {
            self.index.constants[number][0]
            for number, node in enumerate(self.index.nodes)
            if node.op == "constant" and node.base == "real"
        }
        beside = [float(np.nextafter(value, way)) for value in sorted(literals) for way in (-np.inf, np.inf)]
        return [sign * value for value in (*_SMALL, *beside) if abs(value) < INF for sign in (1, -1)]

    def _vectors(self, boxes: Sequence[dict[int, tuple]]) -> list[np.ndarray]:
        """Values of all inputs together, from the boxes in turn; where there are none, anywhere."""
        out = []
        for position, entry in enumerate(self.flow.inputs):
            whole = (entry.low, entry.high)
            drawn = (
                [_within(self.generator, entry, box.get(position, whole), _POOL // len(boxes) + 1) for box in boxes]
                if boxes
                else []
            )
            out.append(
                np.stack(drawn, axis=1).ravel()[:_POOL] if drawn else _within(self.generator, entry, whole, _POOL)
            )
        return out


def _first(index: GraphIndex) -> list[tuple | None]:
    """For each input, between what ends the assumptions hold it at the first tick; None where they say nothing."""
    found: list[tuple | None] = [None] * len(index.flow.inputs)
    if index.assumes:
        evaluator = Evaluator(index, [(cell.start, cell.start) for cell in index.flow.memories])
        for number in [] if evaluator.base.dead else index.fixed:
            if index.nodes[number].op == "input":
                pair = evaluator.value(number, evaluator.base)
                found[index.nodes[number].value] = None if pair is EMPTY or index.nodes[number].base == "bool" else pair
    return found


def _boxes(evaluator: Evaluator) -> list[dict[int, tuple]]:
    """For each condition of the program that says something of the inputs, by itself, what it says when true, and when false."""
    index = evaluator.index
    inputs = [
        (number, node.value) for number, node in enumerate(index.nodes) if node.op == "input" and node.base != "bool"
    ]
    bits = sum(1 << number for number, _ in inputs)
    found: list[dict[int, tuple]] = []
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
                position: pair
                for position, pair in box.items()
                if pair is not EMPTY and -INF < pair[0] and pair[1] < INF
            }
            if box and box not in found:
                found.append(box)
    return found


def _within(generator: np.random.Generator, entry, pair: tuple, count: int) -> np.ndarray:
    """Values between two ends, these more often than others."""
    if entry.base == "bool":
        return generator.random(count) < 0.5
    low, high = pair
    drawn = generator.random(count)
    values = np.select(
        [drawn < 0.2, drawn > 0.8], [low, high], np.clip(low + (high - low) * generator.random(count), low, high)
    )
    return np.clip(np.round(values), low, high).astype(np.int64) if entry.base == "int" else values
