"""Search for inputs on which rounding alone makes two programs act differently.

Such inputs lie where an action changes, within a few units in the last place. The search takes two inputs with
different actions, bisects between them down to neighbouring floats, and then tries the floats nearby.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.simulation.random_ticks import RandomTicks
from hl_dsl.verify.simulation.replay import SimulatedRun

_PAIRS = 400
_TICKS = 3
_NEIGHBOURS = 6  # floats to each side of a threshold


def find_rounding_difference(flow: Dataflow, seed: int) -> SimulatedRun | None:
    """Returns a run at whose last tick the first property of a joint program fails. The same for the same seed."""
    generator = random.Random(seed)
    ticks = RandomTicks(GraphIndex(flow), generator)
    moving = [position for position, entry in enumerate(flow.inputs) if entry.base == "real" and entry.low < entry.high]
    if not moving:
        return None
    for _ in range(_PAIRS):
        parameters = ticks.parameters()
        interpreter = Interpreter(flow, parameters)
        before = [ticks.inputs() for _ in range(generator.randrange(_TICKS))]
        for row in before:
            interpreter.tick(row)
        first, second = list(ticks.inputs()), list(ticks.inputs())
        for position in range(len(flow.inputs)):
            if position not in moving or generator.random() < 0.5:
                second[position] = first[position]
        different = _ThresholdSearch(flow, interpreter, moving, generator).run(first, second)
        if different is not None:
            return SimulatedRun(parameters, (*before, tuple(different)))
    return None


class _ThresholdSearch:
    """Search between two inputs, in the memory state of the interpreter.

    `moving`: positions of the inputs that vary.
    """

    def __init__(self, flow: Dataflow, interpreter: Interpreter, moving: Sequence[int], generator: random.Random):
        self.flow, self.interpreter, self.moving, self.generator = flow, interpreter, moving, generator
        self.memory, self.same = interpreter.memory, flow.properties[0].node

    def run(self, first: list[int | float], second: list[int | float]) -> list[int | float] | None:
        """Returns inputs on which the property fails, if some are found."""
        low, first_holds = self._act(first)
        high, second_holds = self._act(second)
        if not (first_holds and second_holds):
            return first if not first_holds else second
        if low == high:
            return None
        while True:
            middle = [
                0.5 * a + 0.5 * b if position in self.moving else a
                for position, (a, b) in enumerate(zip(first, second))
            ]
            if middle in (first, second):
                break
            action, holds = self._act(middle)
            if not holds:
                return middle
            if action == low:
                first = middle
            else:
                second = middle
        return self._try_neighbours(first)

    def _try_neighbours(self, threshold: list[int | float]) -> list[int | float] | None:
        for _ in range(4 * _NEIGHBOURS):
            row = list(threshold)
            for position in self.moving:
                entry = self.flow.inputs[position]
                for _ in range(self.generator.randrange(_NEIGHBOURS)):
                    row[position] = math.nextafter(row[position], self.generator.choice((-math.inf, math.inf)))
                row[position] = min(max(row[position], entry.low), entry.high)
            if not self._act(row)[1]:
                return row
        return None

    def _act(self, row: Sequence[int | float]) -> tuple[tuple[int | float, ...], bool]:
        """Returns the action for an input, and whether the property holds."""
        values = self.interpreter.evaluate(row, self.memory)
        return tuple(values[node] for node in self.flow.action), bool(values[self.same])
