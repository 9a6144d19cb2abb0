"""Interpreter back end: one reference interpreter for each lane. It is slow, and compiles nothing."""

from __future__ import annotations

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.backend import Lanes, general_frame
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow


class InterpreterLanes(Lanes):
    """One interpreter for each lane."""

    name = "interpreter"

    def __init__(self, flow: Dataflow):
        super().__init__(flow)
        self._machines: list[Interpreter] = []

    def start(self, num_lanes: int, parameters: list) -> None:
        """Starts an episode in each of `num_lanes` lanes."""
        names = [parameter.name for parameter in self.flow.parameters]
        columns = [np.broadcast_to(value, num_lanes).tolist() for value in parameters]
        self._machines = [
            Interpreter(self.flow, {name: column[lane] for name, column in zip(names, columns)})
            for lane in range(num_lanes)
        ]
        self._out_of_range = np.zeros(num_lanes, np.int64)
        self._violations = np.zeros((num_lanes, len(self.watched)), np.int64)

    def tick(self, frame) -> np.ndarray:
        """One step of the lanes in the frame."""
        frame = general_frame(frame, self.columns)
        actions = self.new_actions(len(frame.lanes))
        for row, lane in enumerate(frame.lanes.tolist()):
            if not 0 <= lane < len(self._machines):
                raise HLError(f"lane {lane} is not one of the {len(self._machines)} that were started")
            machine = self._machines[lane]
            if frame.step[row] == 0:
                machine.reset()
            tick = machine.tick([_raw(frame, entry, row) for entry in self.flow.inputs])
            actions[row] = tick.action[0] if self.action_size is None else tick.action
            self._out_of_range[lane] += tick.out_of_range
            for column, item in enumerate(self.watched):
                self._violations[lane, column] += not tick.values[item.node]
        return actions

    def adopt(self, other: Lanes, theirs: np.ndarray, mine: np.ndarray) -> None:
        """Copies the state of lanes of other lanes."""
        assert isinstance(other, InterpreterLanes)
        here, there, _ = self.shared_cells(other)
        for source, target in zip(theirs.tolist(), mine.tolist()):
            known, machine = other._machines[source], self._machines[target]
            memory = [cell.start for cell in self.flow.memories]
            for own, place in zip(here, there):
                memory[own] = known.memory[place]
            machine.memory, machine.last_valid = tuple(memory), known.last_valid

    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """(k,): values of a memory cell in these lanes."""
        return np.array([self._machines[lane].memory[cell] for lane in lanes.tolist()])

    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""
        return {
            cell.name: np.array([machine.memory[row] for machine in self._machines])
            for row, cell in enumerate(self.flow.memories)
        }

    def out_of_range(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN."""
        return self._out_of_range.copy()

    def violations(self) -> np.ndarray:
        """(n, monitored properties) int64: ticks at which each did not hold."""
        return self._violations.copy()


def _raw(frame, entry, row: int) -> float:
    values = getattr(frame, entry.source)
    return values[row, entry.column].item() if values.ndim == 2 else values[row].item()
