"""Random ticks: parameters, inputs and memory anywhere in their ranges, often at an end or a literal of the program."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.simulation.input_sampling import InputRow, nearby_literals

_WIDEST = 1e6  # end of a range that has none


class RandomTicks:
    """Random values for one program. The same for the same generator state."""

    def __init__(self, index: GraphIndex, generator: random.Random):
        self.flow, self.generator = index.flow, generator
        self.literals = nearby_literals(index)

    def parameters(self) -> dict[str, int | float]:
        """Returns a value for each parameter, by name."""
        return {entry.name: self.value((entry.low, entry.high), entry.base) for entry in self.flow.parameters}

    def inputs(self) -> InputRow:
        """Returns the observations of a tick."""
        return tuple(self.value((entry.low, entry.high), entry.base) for entry in self.flow.inputs)

    def memory(self, ranges: Sequence[Interval]) -> tuple[int | float, ...]:
        """Returns a memory state."""
        return tuple(self.value(interval, cell.base) for cell, interval in zip(self.flow.memories, ranges))

    def value(self, interval: Interval, base: str) -> int | float:
        """Returns a value in an interval: 20 % an end, 20 % near a literal of the program, otherwise uniform."""
        generator = self.generator
        if base == "bool":
            return bool(generator.randint(int(interval[0]), int(interval[1])))
        low, high = max(interval[0], -_WIDEST), min(interval[1], _WIDEST)
        if low > high:  # the whole range lies beyond
            low = high = interval[0] if math.isfinite(interval[0]) else interval[1]
        draw = generator.random()
        if draw < 0.2:
            value = generator.choice((low, high))
        elif draw < 0.4 and self.literals:
            value = min(max(generator.choice(self.literals), low), high)
        else:
            value = low + (high - low) * generator.random()
        return min(max(float(value), low), high) if base == "real" else int(min(max(round(value), low), high))
