"""Reference interpreter: one lane, plain Python values. It defines the meaning of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hl_dsl.compiler.backends.input_admission import admit
from hl_dsl.compiler.ir.dataflow import Dataflow


@dataclass(frozen=True)
class Tick:
    """One tick.

    Attributes:
        action: The components of the action.
        values: The value of every node.
        inputs: The admitted observations.
        memory: The memory before the tick.
        out_of_range: Number of observations that were out of range or NaN.
    """

    action: tuple
    values: list
    inputs: tuple
    memory: tuple
    out_of_range: int


class Interpreter:
    """Runs a program one tick at a time.

    `parameters` maps parameter names (`name`, or `name[i]` for a component) to values; the rest take their defaults.
    """

    def __init__(self, flow: Dataflow, parameters: Mapping[str, int | float | bool] | None = None):
        self.flow = flow
        given = parameters or {}
        self.parameters = tuple(given.get(parameter.name, parameter.default) for parameter in flow.parameters)
        self.reset()

    def reset(self) -> None:
        """Starts an episode: memory at its start values."""
        self.memory = tuple(cell.start for cell in self.flow.memories)
        self.last_valid = tuple(
            bool(entry.default) if entry.base == "bool" else entry.default for entry in self.flow.inputs
        )

    def tick(self, observations: Sequence[float]) -> Tick:
        """One tick on raw observations, in the order of `flow.inputs`."""
        flow = self.flow
        admitted = [admit(entry, raw, last) for entry, raw, last in zip(flow.inputs, observations, self.last_valid)]
        inputs = tuple(value for value, _ in admitted)
        values = self.evaluate(inputs, self.memory)
        before = self.memory
        self.memory = tuple(values[cell.next] for cell in flow.memories)
        self.last_valid = inputs
        return Tick(
            tuple(values[node] for node in flow.action),
            values,
            inputs,
            before,
            sum(was_invalid for _, was_invalid in admitted),
        )

    def evaluate(self, inputs: Sequence, memory: Sequence) -> list:
        """The value of every node for admitted observations and a memory state, which stays as it is."""
        leaves: dict[str, Any] = {"input": inputs, "parameter": self.parameters, "memory": memory}
        values: list = []
        for node in self.flow.nodes:
            if node.form is not None:
                values.append(node.form.scalar(*[values[arg] for arg in node.args]))
            elif node.op == "constant":
                values.append(node.value)
            else:
                values.append(leaves[node.op][node.value])
        return values
