"""Inputs for simulated episodes: within their ranges, keeping the assumptions, and out to break things.

Each input has a habit for a while: at an end of its range, where it was, next to where it was, at a literal of the
program, or anywhere. Where assumptions tie inputs to the last tick, their ranges are first narrowed by the assumptions
in the memory state at hand, then chosen one by one, each choice narrowing the rest.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.evaluator import EMPTY, Context, Evaluator

_HABITS = ("low", "high", "stay", "step", "literal", "anywhere")
_CHANGE = 0.05  # chance that an input takes another habit at a tick
_TRIES = 4


class Sampler:
    """Chooses parameters and inputs of one episode. `draw` gives None where no inputs were found that keep the assumptions."""

    def __init__(self, index: GraphIndex, generator: random.Random):
        self.index = index
        self.flow: Dataflow = index.flow
        self.generator = generator
        self.inputs = [number for number, node in enumerate(index.nodes) if node.op == "input"]
        self.tied = [number for number in self.inputs if index.assumed >> number & 1]
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
        self.parameters = {
            entry.name: self._anywhere((entry.low, entry.high), entry.base, entry.default)
            for entry in self.flow.parameters
        }
        self.habits = {number: generator.choice(_HABITS) for number in self.inputs}
        self.sides: dict[int, bool] = {}
        self.last: dict[int, object] = {}
        self._fixed = dict(index.fixed)
        for number, node in enumerate(index.nodes):
            if node.op == "parameter":
                value = self.parameters[self.flow.parameters[node.value].name]
                self._fixed[number] = (value, value)

    def draw(self, memory: Sequence) -> tuple | None:
        """Observations for a tick that begins in this memory state, in the order of the program's inputs."""
        for number in self.inputs:
            if self.generator.random() < _CHANGE:
                self.habits[number] = self.generator.choice(_HABITS)
        chosen = {
            number: self._choose(number, self.index.fixed[number]) for number in self.inputs if number not in self.tied
        }
        if self.tied:
            tied = self._tied(memory, chosen)
            if tied is None:
                return None
            chosen.update(tied)
        self.last = chosen
        row = [entry.default for entry in self.flow.inputs]
        for number, value in chosen.items():
            row[self.index.nodes[number].value] = value
        return tuple(row)

    def _tied(self, memory: Sequence, chosen: dict) -> dict | None:
        """Inputs that assumptions speak of. The free ones they may depend on are fixed already."""
        fixed = dict(self._fixed)
        fixed.update((number, (value, value)) for number, value in chosen.items())
        for _ in range(_TRIES):
            evaluator = Evaluator(self.index, [(value, value) for value in memory], fixed=fixed)
            if evaluator.base.dead:
                return None
            context: Context | None = self._settled(evaluator, evaluator.base)
            found: dict = {}
            for number in self.generator.sample(self.tied, len(self.tied)):
                context, value = self._settle(evaluator, context, number)
                if context is None:
                    break
                found[number] = value
            else:
                return found
        return None

    def _settled(self, evaluator: Evaluator, context: Context) -> Context:
        """Takes sides in the assumptions' open alternatives, so that narrowing can go on; the same for a while."""
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

    def _settle(self, evaluator: Evaluator, context: Context, number: int) -> tuple[Context | None, object]:
        for attempt in range(_TRIES):
            pair = evaluator.value(number, context)
            if pair is EMPTY:
                break
            value = (
                self._choose(number, pair)
                if attempt < _TRIES - 1
                else self._anywhere(pair, self.index.nodes[number].base, pair[0])
            )
            inner = evaluator.narrow(context, number, (value, value))
            if not inner.dead:
                return inner, value
        return None, None

    def _choose(self, number: int, pair: Interval):
        base = self.index.nodes[number].base
        if base == "bool":
            return bool(self.generator.randint(*pair))
        low, high = pair
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
        return self._anywhere(pair, base, low)

    def _anywhere(self, pair: Interval, base: str, default):
        low, high = pair
        if base == "bool":
            return bool(self.generator.randint(0, 1))
        if self.generator.random() < 0.2:
            return self.generator.choice((low, high))
        if base == "int":
            return self.generator.randint(low, high)
        value = low + (high - low) * self.generator.random()
        return min(max(value, low), high) if math.isfinite(value) else default
