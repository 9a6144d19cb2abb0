"""Trace of an episode as JSON lines, computed by the reference interpreter while the compiled policy plays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem
from hl_dsl.base.json_values import plain
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.interpreter import Interpreter, Tick
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.rollouts.episode import Recording

SCHEMA = "hl.trace/1"


class TraceWriter:
    """An `on_tick` that writes the first seed's episode to `path`.

    The first line describes the trace. Each tick has a line: observations as the program gets them, memory at the start
    of the tick, lets, mode, action, and the reward of the step before. The last line has the last reward and
    `"end": true`. The values are the interpreter's.

    A full disk does not stop the evaluation: after the constructor only `close` raises errors.

    Raises:
        HLError: The file cannot be opened.
    """

    def __init__(self, path: Path | str, flow: Dataflow, **about: Any):
        self.path = Path(path)
        self._flow = flow
        self._interpreter = Interpreter(flow)
        self._tick = 0
        self._over = False
        self._error: HLError | None = None
        try:
            self._file = open(self.path, "w", encoding="utf-8")  # noqa: SIM115 (`close` closes it)
        except OSError as error:
            raise self._problem(error) from error
        self._write({"schema": SCHEMA, "policy": flow.name, "env": flow.card.environment, **about})

    def __call__(self, environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        """Writes a tick."""
        rows = np.flatnonzero(frame.lanes == 0)
        if self._over or not len(rows):
            return
        row = int(rows[0])
        reward = float(frame.reward[row])
        if actions is None:
            self._write({"tick": self._tick, "reward": reward, "end": True})
            self._over = True
            return
        tick = self._interpreter.tick(raw_observations(self._flow, frame, row))
        played = np.atleast_1d(actions[row]).tolist()
        if [float(value) for value in tick.action] != [float(value) for value in played]:
            self._stop(
                HLError(
                    f"at tick {self._tick} the compiled policy did {played}, the interpreter {list(tick.action)}",
                    "this is a defect of HL: please report it with the policy",
                )
            )
            return
        self._write({"tick": self._tick, "reward": reward, **describe_tick(self._flow, tick)})
        self._tick += 1

    def close(self) -> None:
        """Closes the file. Raises HLError if the trace is incomplete, or an action differed from the interpreter's."""
        try:
            self._file.close()
        except OSError as error:
            self._stop(self._problem(error))
        self._over = True
        if self._error is not None:
            raise self._error

    def _write(self, record: dict) -> None:
        try:
            self._file.write(json.dumps(plain(record, "the trace"), allow_nan=False) + "\n")
        except OSError as error:
            self._stop(self._problem(error))

    def _stop(self, error: HLError) -> None:
        self._error = self._error or error
        self._over = True

    def _problem(self, error: OSError) -> HLError:
        problem, hint = storage_problem(error)
        return HLError(f"cannot write the trace {self.path}: {problem}", hint)


def raw_observations(flow: Dataflow, frame: Frame, row: int) -> list:
    """The raw value of each of the program's inputs in one row of a frame; defaults for sources it does not have."""
    shown = [getattr(frame, entry.source) for entry in flow.inputs]
    return [
        entry.default if values is None else np.ravel(values[row])[entry.column].item()
        for entry, values in zip(flow.inputs, shown)
    ]


def describe_tick(flow: Dataflow, tick: Tick) -> dict[str, Any]:
    """A tick as names and values, with the names of modes and actions."""
    named = {name: [tick.values[node] for node in value.nodes] for name, value in flow.values.items()}
    names = {"mode": flow.modes, "action": flow.card.action.names}

    def shown(name: str) -> Any:
        values, of_values = named[name], names.get(name)
        if of_values:
            return of_values[values[0]]
        return values[0] if len(values) == 1 else values

    return {
        "observations": {entry.name: value for entry, value in zip(flow.inputs, tick.inputs)},
        "memory": {
            cell.name: cell.names[value] if cell.names else value for cell, value in zip(flow.memories, tick.memory)
        },
        "lets": {name: shown(name) for name in flow.lets},
        **({"mode": shown("mode")} if flow.modes else {}),
        "action": shown("action"),
        "out_of_range": tick.out_of_range,
    }


def replayed(flow: Dataflow, recording: Recording, start: int, stop: int) -> Iterator[tuple[int, Frame, Tick]]:
    """Replays the ticks of a recorded episode from `start`. Yields number, frame and the interpreter's tick."""
    interpreter, lane = Interpreter(flow), np.zeros(1, np.int32)
    for number in range(start, stop):
        frame = recording.frame(number, number + 1, lane)
        yield number, frame, interpreter.tick(raw_observations(flow, frame, 0))
