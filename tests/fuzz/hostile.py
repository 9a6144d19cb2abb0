"""Hostile inputs and parameters for a batch of lanes, within their ranges.

Each input of each lane has a habit for a while: an end of its range, both in turn with some period, where it was, next
to where it was, a literal of the program or the float next to one, or anywhere. If an assumption rejects a row, a tamer
one is drawn: ever nearer to the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hl_dsl.compiler.ir.dataflow import Dataflow

TYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_}
_HABITS = 7
_CHANGES = (0.001, 0.02, 0.2)  # chances, by lane, that an input takes another habit at a tick
_MOST_ALONE = 6
_STEPS = (1.0, 3.0, 10.0)  # how far a step goes, in ints; in shares of a hundredth of the range for reals


def parameters_of(flow: Dataflow, generator: np.random.Generator, lanes: int) -> list[np.ndarray]:
    return [_anywhere(generator, entry.base, entry.low, entry.high, lanes, 0.3) for entry in flow.parameters]


class HostileInputs:
    """Draws a row for each input. The caller sets `last` to the rows that were used.

    Inputs that the program does not read keep their default.
    """

    def __init__(self, flow: Dataflow, generator: np.random.Generator, lanes: int):
        self.entries, self.generator, self.lanes = flow.inputs, generator, lanes
        read = flow.reachable(
            [
                *flow.roots(),
                *(
                    node
                    for item in flow.obligations
                    for node in (item.subject, item.guard, item.claim)
                    if node is not None
                ),
            ]
        )
        self.read = {flow.nodes[number].value for number in read if flow.nodes[number].op == "input"}
        self.habits = [generator.integers(_HABITS, size=lanes) for _ in self.entries]
        self.changes = generator.choice(_CHANGES, size=lanes)
        self.periods = generator.integers(1, 64, size=lanes)
        self.tick = 0
        self.last: list[np.ndarray] = [np.full(lanes, entry.default, TYPES[entry.base]) for entry in self.entries]
        literals = [
            float(node.value)
            for node in flow.nodes
            if node.op == "constant" and node.base != "bool" and node.value is not None and math.isfinite(node.value)
        ]
        near = [value + off for value in literals for off in (-1.0, 1.0)]
        adjacent = [math.nextafter(value, way) for value in literals for way in (-math.inf, math.inf)]
        self.literals = np.array(sorted({*literals, *near, *adjacent}) or [0.0])

    def draw(self) -> list[np.ndarray]:
        self.tick += 1
        return [
            self._one(position, entry) if position in self.read else self.last[position]
            for position, entry in enumerate(self.entries)
        ]

    def tamer(self, how: float) -> list[np.ndarray]:
        """Rows near the last ones: at 0 a few inputs go anywhere, at 1 all stay where they were."""
        rows = []
        for position, (entry, last) in enumerate(zip(self.entries, self.last)):
            if position not in self.read:
                rows.append(last)
                continue
            moved = self._stepped(entry, last)
            loose = self.generator.random(self.lanes)
            fresh = _anywhere(self.generator, entry.base, entry.low, entry.high, self.lanes, 0.1)
            rows.append(np.where(loose < how, last, np.where(loose < 0.7 + 0.3 * how, moved, fresh)))
        return rows

    def alone(self) -> Iterator[list[np.ndarray]]:
        """Rows in which one input moves by one step and the others stay, for each input and direction in random order.

        An assumption that determines the next tick mostly admits one of these rows.
        """
        for position in self.generator.permutation(sorted(int(number) for number in self.read if number is not None))[
            :_MOST_ALONE
        ].tolist():
            entry, last = self.entries[position], self.last[position]
            moved = (
                [~last]
                if entry.base == "bool"
                else [_within(entry, last + step) for step in (-1, 1)]
                if entry.base == "int"
                else []
            )
            for values in moved:
                yield [*self.last[:position], values, *self.last[position + 1 :]]

    def _stepped(self, entry, last: np.ndarray) -> np.ndarray:
        generator, lanes = self.generator, self.lanes
        if entry.base == "bool":
            return np.where(generator.random(lanes) < 0.1, ~last, last)
        size = generator.choice(_STEPS, size=lanes) * (
            1.0 if entry.base == "int" else 0.01 * min(entry.high - entry.low, 1e6)
        )
        return _within(entry, last + size * generator.uniform(-1.0, 1.0, lanes))

    def _one(self, position: int, entry) -> np.ndarray:
        generator, lanes = self.generator, self.lanes
        changed = generator.random(lanes) < self.changes
        habit = self.habits[position] = np.where(
            changed, generator.integers(_HABITS, size=lanes), self.habits[position]
        )
        turn = (self.tick // self.periods) % 2 == 0
        if entry.base == "bool":
            return np.select([habit == 0, habit == 1, habit == 2], [False, True, turn], generator.random(lanes) < 0.5)
        last = self.last[position]
        values = np.select(
            [habit == place for place in range(_HABITS - 1)],
            [
                np.float64(entry.low),
                np.float64(entry.high),
                np.where(turn, np.float64(entry.low), np.float64(entry.high)),
                last,
                self._stepped(entry, last),
                generator.choice(self.literals, size=lanes),
            ],
            _anywhere(generator, entry.base, entry.low, entry.high, lanes, 0.1),
        )
        return _within(entry, values)


def _within(entry, values: np.ndarray) -> np.ndarray:
    values = np.clip(values, entry.low, entry.high)
    return np.clip(np.rint(values).astype(np.int64), entry.low, entry.high) if entry.base == "int" else values


def _anywhere(generator: np.random.Generator, base: str, low, high, lanes: int, ends: float) -> np.ndarray:
    """Anywhere in a range, at an end of it with the chance `ends`."""
    if base == "bool":
        return generator.random(lanes) < 0.5
    place = generator.random(lanes)
    values = np.select(
        [place < ends / 2, place < ends],
        [np.float64(low), np.float64(high)],
        low + (np.float64(high) - low) * generator.random(lanes),
    )
    values = np.clip(values, low, high)
    return np.clip(np.rint(values).astype(np.int64), int(low), int(high)) if base == "int" else values
