"""Inputs of simulated episodes: within their ranges, keeping the assumptions, and likely to violate something.

Each input follows a habit for a while: an end of its range, its last value, a step from it, a literal of the program,
or any value. Where assumptions relate inputs to the last tick, the memory state and the assumptions first narrow their
ranges; then they are chosen one by one, each choice narrowing the rest.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY

_HABITS = ("low", "high", "stay", "step", "literal", "anywhere")
_CHANGE = 0.05  # chance that an input changes its habit at a tick
_TRIES = 4

# The observations of one tick, in the order of the program's inputs.
InputRow: TypeAlias = tuple[int | float, ...]


class Sampler:
    """Parameters and inputs of one episode.

    Attributes:
        parameters: Values by name.
        inputs: The input nodes.
        tied: The input nodes that the assumptions depend on.
        habits: The habit of each input node.
        last: The last value of each input node.
    """

    def __init__(self, index: GraphIndex, generator: random.Random):
        self.index = index
        self.flow: Dataflow = index.flow
        self.generator = generator
        self.inputs = [number for number, node in enumerate(index.nodes) if node.op == "input"]
        self.tied = [number for number in self.inputs if index.assumed >> number & 1]
        self.literals = nearby_literals(index)
        self.parameters: dict[str, int | float] = {
            entry.name: self._anywhere((entry.low, entry.high), entry.base, entry.default)
            for entry in self.flow.parameters
        }
        self.habits = {number: generator.choice(_HABITS) for number in self.inputs}
        self.sides: dict[int, bool] = {}
        self.last: dict[int, int | float] = {}
        self._fixed = dict(index.fixed)
        for number, node in enumerate(index.nodes):
            if node.op == "parameter":
                value = self.parameters[self.flow.parameters[node.position].name]
                self._fixed[number] = (value, value)

    def draw(self, memory: Sequence[int | float]) -> InputRow | None:
        """Returns the observations of a tick from this memory state; None if none was found that keeps assumptions."""
        for number in self.inputs:
            if self.generator.random() < _CHANGE:
                self.habits[number] = self.generator.choice(_HABITS)
        chosen = {
            number: self._choose(number, self.index.fixed[number]) for number in self.inputs if number not in self.tied
        }
        if self.tied:
            tied = self._draw_tied(memory, chosen)
            if tied is None:
                return None
            chosen.update(tied)
        self.last = chosen
        row: list[int | float] = [entry.default for entry in self.flow.inputs]
        for number, value in chosen.items():
            row[self.index.nodes[number].position] = value
        return tuple(row)

    def _draw_tied(
        self, memory: Sequence[int | float], chosen: Mapping[int, int | float]
    ) -> dict[int, int | float] | None:
        """Returns the inputs that assumptions depend on. The other inputs are `chosen` already."""
        fixed = dict(self._fixed)
        fixed.update((number, (value, value)) for number, value in chosen.items())
        for _ in range(_TRIES):
            evaluator = Evaluator(self.index, [(value, value) for value in memory], fixed=fixed)
            if evaluator.base.dead:
                return None
            context = self._take_sides(evaluator, evaluator.base)
            values: dict[int, int | float] = {}
            for number in self.generator.sample(self.tied, len(self.tied)):
                choice = self._choose_in(evaluator, context, number)
                if choice is None:
                    break
                context, values[number] = choice
            else:
                return values
        return None

    def _take_sides(self, evaluator: Evaluator, context: Context) -> Context:
        """Chooses among the alternatives that the assumptions leave open, the same ones for a while."""
        conditions = [
            number
            for number in range(len(self.index.nodes))
            if self.index.nodes[number].base == "bool" and self.index.assumed >> number & 1
        ]
        for number in self.generator.sample(conditions, len(conditions)):
            low, high = evaluator.value(number, context)
            if low < high:
                if number not in self.sides or self.generator.random() < _CHANGE:
                    self.sides[number] = self.generator.random() < 0.5
                first = self.sides[number]
                for truth in (first, not first):
                    inner = evaluator.assume(context, number, truth)
                    if not inner.dead:
                        context = inner
                        break
        return context

    def _choose_in(self, evaluator: Evaluator, context: Context, number: int) -> tuple[Context, int | float] | None:
        """Returns a value of an input and the context that it leads to; None if no value was found."""
        for attempt in range(_TRIES):
            interval = evaluator.value(number, context)
            if interval is EMPTY:
                break
            value = (
                self._choose(number, interval)
                if attempt < _TRIES - 1
                else self._anywhere(interval, self.index.nodes[number].base, interval[0])
            )
            inner = evaluator.narrow(context, number, (value, value))
            if not inner.dead:
                return inner, value
        return None

    def _choose(self, number: int, interval: Interval) -> int | float:
        """Returns a value of an input in an interval, by its habit."""
        base = self.index.nodes[number].base
        low, high = interval
        if base == "bool":
            return bool(self.generator.randint(low, high))  # type: ignore[arg-type]  # ends of a bool are ints
        habit = self.habits[number]
        last = self.last.get(number)
        if habit == "low" or habit == "high":
            return low if habit == "low" else high
        if habit in ("stay", "step") and last is not None:
            if habit == "stay":
                value = last
            else:
                value = last + (self.generator.choice((-1, 1)) if base == "int" else self.generator.gauss(0.0, 1.0))
            return min(max(value, low), high)
        if habit == "literal" and self.literals:
            value = self.generator.choice(self.literals)
            if low <= value <= high and (base == "real" or value == int(value)):
                return float(value) if base == "real" else int(value)
        return self._anywhere(interval, base, low)

    def _anywhere(self, interval: Interval, base: str, default: int | float) -> int | float:
        """Returns any value in an interval, an end with a chance of 20 %; `default` if the interval is not finite."""
        low, high = interval
        if base == "bool":
            return bool(self.generator.randint(0, 1))
        if self.generator.random() < 0.2:
            return self.generator.choice((low, high))
        if base == "int":
            return self.generator.randint(low, high)  # type: ignore[arg-type]  # ends of an int are ints
        value = low + (high - low) * self.generator.random()
        return min(max(value, low), high) if math.isfinite(value) else default


def nearby_literals(index: GraphIndex) -> list[int | float]:
    """Returns the finite numbers of a program, and each plus and minus 1."""
    return sorted(
        {
            value + offset
            for number, node in enumerate(index.nodes)
            if node.op == "constant" and node.base != "bool"
            for value in index.constants[number][:1]
            for offset in (-1, 0, 1)
            if math.isfinite(value)
        }
    )
