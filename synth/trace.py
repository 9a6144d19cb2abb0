"""One episode tick by tick, as JSON lines, replayed by the reference interpreter while the compiled policy plays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hl_dsl.compiler.interpreter import Interpreter
from hl_dsl.compiler.ir import Dataflow
from hl_dsl.diagnostics import HLError
from hl_dsl.synth.frame import Frame


class TraceWriter:
    """Writes the first seed's episode to `path`: observations, memory, lets, mode, action, reward.

    The values come from the interpreter; an action that differs from the one played is an error, since the forms of a
    program agree bit for bit.
    """

    def __init__(self, path: Path, flow: Dataflow):
        self.flow = flow
        self.interpreter = Interpreter(flow)
        self.tick = 0
        self.done = False
        self.path = path
        try:
            self.file = open(path, "w", encoding="utf-8")
        except OSError as error:
            raise HLError(f"cannot write the trace to {path}: {error.strerror}", "choose another path") from None

    def __call__(self, environments, frame: Frame, actions) -> None:
        rows = np.flatnonzero(frame.lanes == 0)
        if self.done or not len(rows):
            return
        row = int(rows[0])
        reward = float(frame.reward[row])
        if actions is None:
            self._write({"tick": self.tick, "reward": reward, "end": True})
            self.done = True
            self.file.close()
            return
        tick = self.interpreter.tick(raw_observations(self.flow, frame, row))
        played = np.atleast_1d(actions[row]).tolist()
        if [float(value) for value in tick.action] != [float(value) for value in played]:
            raise HLError(f"at tick {self.tick} the compiled policy did {played}, the interpreter {list(tick.action)}", "this is a defect of HL: please report it with the policy")
        self._write({"tick": self.tick, "reward": reward, **describe_tick(self.flow, tick)})
        self.tick += 1

    def _write(self, record: dict) -> None:
        try:
            self.file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise HLError(f"cannot write the trace to {self.path}: {error.strerror}", "free some space, or choose another path") from None

    def close(self) -> None:
        self.file.close()


def raw_observations(flow: Dataflow, frame: Frame, row: int) -> list:
    """The raw value of each of the program's inputs in one row of a frame."""
    sources = {"ram": frame.ram, "observation": frame.observation, "reward": frame.reward, "lives": frame.lives, "step": frame.step}
    return [np.ravel(sources[entry.source][row])[entry.column].item() for entry in flow.inputs]


def describe_tick(flow: Dataflow, tick) -> dict:
    """A tick as names and values."""
    named = {name: [tick.values[node] for node in value.nodes] for name, value in flow.values.items()}
    names = {"mode": flow.modes, "action": flow.card.action.names}

    def shown(name: str):
        values = named[name]
        if names.get(name):
            return names[name][values[0]]
        return values[0] if len(values) == 1 else values

    return {
        "observations": {entry.name: value for entry, value in zip(flow.inputs, tick.inputs)},
        "memory": {cell.name: cell.names[value] if cell.names else value for cell, value in zip(flow.memories, tick.memory)},
        "lets": {name: shown(name) for name in flow.lets},
        **({"mode": shown("mode")} if flow.modes else {}),
        "action": shown("action"),
        "out_of_range": tick.out_of_range,
    }
