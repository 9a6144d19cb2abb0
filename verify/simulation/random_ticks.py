"""Random ticks: parameters, inputs and memory states anywhere in their ranges, often at an end or at a literal of the program."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval

_WIDEST = 1e6  # where a range has no end


class RandomTicks:
    """Draws for one program. The same for the same generator state."""

    def __init__(self, index: GraphIndex, generator: random.Random):
        self.flow, self.generator = index.flow, generator
        self.literals = sorted(
            {
                value + off
                for number, node in enumerate(index.nodes)
                if node.op == "constant" and node.base != "bool"
                for value in index.constants[number][:1]
                for off in (-1, 0, 1)
                if math.isfinite(value)
            }
        )

    def parameters(self) -> dict:
        return {entry.name: self.value((entry.low, entry.high), entry.base) for entry in self.flow.parameters}

    def inputs(self) -> tuple:
        return tuple(self.value((entry.low, entry.high), entry.base) for entry in self.flow.inputs)

    def memory(self, ranges: Sequence[Interval]) -> tuple:
        return tuple(self.value(pair, cell.base) for cell, pair in zip(self.flow.memories, ranges))

    def value(self, pair: Interval, base: str):
        generator = self.generator
        if base == "bool":
            return bool(generator.randint(int(pair[0]), int(pair[1])))
        low, high = max(pair[0], -_WIDEST), min(pair[1], _WIDEST)
        if low > high:  # all of the range lies beyond
            low = high = pair[0] if math.isfinite(pair[0]) else pair[1]
        how = generator.random()
        if how < 0.2:
            value = generator.choice((low, high))
        elif how < 0.4 and self.literals:
            value = min(max(generator.choice(self.literals), low), high)
        else:
            value = low + (high - low) * generator.random()
        return min(max(float(value), low), high) if base == "real" else int(min(max(round(value), low), high))
