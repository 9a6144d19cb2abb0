"""A search for inputs on which rounding alone makes two programs act differently.

They lie where an action changes, within a few units in the last place. So: two inputs with different actions, then bisection
between them down to neighbouring floats, then the floats around.
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
_AROUND = 6  # floats to each side of a threshold


def find_rounding_difference(flow: Dataflow, seed: int) -> SimulatedRun | None:
    """A run at whose last tick the first property of a joint program fails. The same for the same seed."""
    generator = random.Random(seed)
    draw = RandomTicks(GraphIndex(flow), generator)
    moving = [position for position, entry in enumerate(flow.inputs) if entry.base == "real" and entry.low < entry.high]
    if not moving:
        return None
    for _ in range(_PAIRS):
        parameters = draw.parameters()
        interpreter = Interpreter(flow, parameters)
        before = [draw.inputs() for _ in range(generator.randrange(_TICKS))]
        for row in before:
            interpreter.tick(row)
        first, second = list(draw.inputs()), list(draw.inputs())
        for position, entry in enumerate(flow.inputs):
            if position not in moving or generator.random() < 0.5:
                second[position] = first[position]
        row = _along(flow, interpreter, first, second, moving, generator)
        if row is not None:
            return SimulatedRun(parameters, (*before, tuple(row)))
    return None


def _along(
    flow: Dataflow, interpreter: Interpreter, first: list, second: list, moving: Sequence[int], generator
) -> list | None:
    memory, same = interpreter.memory, flow.properties[0].node

    def act(row):
        values = interpreter.evaluate(row, memory)
        return tuple(values[node] for node in flow.action), values[same]

    low, holds = act(first)
    high, also = act(second)
    if not (holds and also):
        return first if not holds else second
    if low == high:
        return None
    while True:
        middle = [0.5 * a + 0.5 * b if position in moving else a for position, (a, b) in enumerate(zip(first, second))]
        if middle in (first, second):
            break
        action, holds = act(middle)
        if not holds:
            return middle
        if action == low:
            first = middle
        else:
            second = middle
    for _ in range(4 * _AROUND):
        row = list(first)
        for position in moving:
            entry = flow.inputs[position]
            for _ in range(generator.randrange(_AROUND)):
                row[position] = math.nextafter(row[position], generator.choice((-math.inf, math.inf)))
            row[position] = min(max(row[position], entry.low), entry.high)
        if not act(row)[1]:
            return row
    return None
