"""NumPy back end: a program's generated NumPy function over lanes."""

from __future__ import annotations

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.backend import Lanes, general_frame, is_any_byte
from hl_dsl.compiler.backends.number_conversion import is_exact_in_binary64
from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.dataflow import Dataflow, Input

TYPES = {"real": np.dtype(np.float64), "int": np.dtype(np.int64), "bool": np.dtype(np.bool_)}


class NumpyLanes(Lanes):
    """Arrays with one value for each lane. A frame with some of the lanes selects their values and writes them back."""

    name = "numpy"

    def __init__(self, flow: Dataflow):
        super().__init__(flow)
        self._step = compile_numpy(self.flow)
        self._bytes: dict[str, list[int]] = {}  # by source, the positions of the inputs that take every byte as it is
        for position, entry in enumerate(flow.inputs):
            if is_any_byte(entry):
                self._bytes.setdefault(entry.source, []).append(position)
        self._columns = {
            source: np.array([flow.inputs[position].column for position in positions], np.intp)
            for source, positions in self._bytes.items()
        }
        self._num_lanes = 0

    def start(self, num_lanes: int, parameters: list) -> None:
        """Starts an episode in each of `num_lanes` lanes."""
        flow = self.flow
        self._num_lanes = num_lanes
        self._all = np.arange(num_lanes, dtype=np.int32).tobytes()
        self._parameters = [
            np.atleast_1d(np.asarray(value, TYPES[item.base])) for item, value in zip(flow.parameters, parameters)
        ]
        self._memory = [np.full(num_lanes, cell.start, TYPES[cell.base]) for cell in flow.memories]
        self._last = [np.full(num_lanes, entry.default, TYPES[entry.base]) for entry in flow.inputs]
        self._out_of_range = np.zeros(num_lanes, np.int64)
        self._violations = np.zeros((len(self.watched), num_lanes), np.int64)

    def tick(self, frame) -> np.ndarray:
        """One step of the lanes in the frame."""
        if not _plain(frame, self.columns):
            frame = general_frame(frame, self.columns)
        lanes = frame.lanes
        count = len(lanes)
        everyone = lanes.tobytes() == self._all  # a fraction of the cost of comparing arrays
        if not everyone and count and not (lanes.min() >= 0 and lanes.max() < self._num_lanes):
            raise HLError(f"the frame has lanes beyond the {self._num_lanes} that were started")
        memory, last, parameters = self._memory, self._last, self._parameters
        if not everyone:
            memory, last = [values[lanes] for values in memory], [values[lanes] for values in last]
            parameters = [values[lanes] if len(values) > 1 else values for values in parameters]
        if np.count_nonzero(frame.step) < count:
            starting = frame.step == 0
            memory = [np.where(starting, cell.start, values) for cell, values in zip(self.flow.memories, memory)]
            last = [np.where(starting, entry.default, values) for entry, values in zip(self.flow.inputs, last)]
        out_of_range = self._out_of_range if everyone else np.zeros(count, np.int64)
        observation = self._admitted(frame, last, out_of_range)
        action, memory, watched = self._step(observation, memory, parameters)
        memory = [_full(values, count, TYPES[cell.base]) for cell, values in zip(self.flow.memories, memory)]
        if everyone:
            self._memory, self._last = memory, observation
        else:
            self._memory = _put(self._memory, memory, lanes)
            self._last = _put(self._last, observation, lanes)
            self._out_of_range[lanes] += out_of_range
        for counter, holds in zip(self._violations, watched):
            counter[slice(None) if everyone else lanes] += ~_full(holds, count, TYPES["bool"])
        actions = self.new_actions(count)
        if self.action_size is None:
            actions[:] = action[0]
        else:
            for column, values in enumerate(action):
                actions[:, column] = values
        return actions

    def _admitted(self, frame, last: list[np.ndarray], out_of_range: np.ndarray) -> list[np.ndarray]:
        """The observations, one new array for each input; values out of range are counted."""
        out: list = [None] * len(self.flow.inputs)
        for source, positions in self._bytes.items():
            held = getattr(frame, source)
            if held.dtype == np.uint8:
                for position, values in zip(positions, held.T[self._columns[source]].astype(np.int64), strict=True):
                    out[position] = values
        for position, entry in enumerate(self.flow.inputs):
            if out[position] is None:
                values = getattr(frame, entry.source)
                out[position] = _admit(
                    entry, values[:, entry.column] if values.ndim == 2 else values, last[position], out_of_range
                )
        return out

    def adopt(self, other: Lanes, theirs: np.ndarray, mine: np.ndarray) -> None:
        """Copies the state of lanes of other lanes."""
        assert isinstance(other, NumpyLanes)
        here, there, rest = self.shared_cells(other)
        fresh = dict(zip(here, (other._memory[place][theirs] for place in there)))
        fresh |= {
            place: np.full(len(mine), cell.start, TYPES[cell.base])
            for place in rest
            for cell in (self.flow.memories[place],)
        }
        self._memory = _put(self._memory, [fresh[place] for place in range(len(fresh))], mine)
        self._last = _put(self._last, [values[theirs] for values in other._last], mine)

    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """(k,): values of a memory cell in these lanes."""
        return self._memory[cell][lanes]

    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""
        return {cell.name: values.copy() for cell, values in zip(self.flow.memories, self._memory)}

    def out_of_range(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN."""
        return self._out_of_range.copy()

    def violations(self) -> np.ndarray:
        """(n, monitored properties) int64: ticks at which each did not hold."""
        return self._violations.T.copy()


def _plain(frame, columns: dict[str, int]) -> bool:
    """Whether all arrays that are read have a row for each lane, enough columns and a type exact in binary64."""
    count = len(frame.lanes)
    if frame.step.shape != (count,) or not is_exact_in_binary64(frame.step.dtype):
        return False
    for source, width in columns.items():
        values = getattr(frame, source)
        if values is None or len(values) != count or not is_exact_in_binary64(values.dtype):
            return False
        if values.shape[1:] and values.shape[1] < width:
            return False
    return True


def _admit(entry: Input, raw: np.ndarray, last: np.ndarray, out_of_range: np.ndarray) -> np.ndarray:
    """The rule of input_admission.py for an array, which counts in `out_of_range`. Always a new array."""
    if entry.base == "bool":
        valid = raw == raw
        value = np.where(valid, raw != 0, last)
    else:
        if (
            raw.size and entry.low <= float(np.minimum.reduce(raw)) and float(np.maximum.reduce(raw)) <= entry.high
        ):  # false where there is a NaN
            return raw.astype(TYPES[entry.base])
        raw = raw.astype(np.float64)
        valid = (raw >= entry.low) & (raw <= entry.high)
        value = np.where(
            raw != raw, last, np.where(raw < entry.low, entry.low, np.where(raw > entry.high, entry.high, raw))
        )
    out_of_range += ~valid
    return value.astype(TYPES[entry.base])


def _full(values, count: int, dtype: np.dtype) -> np.ndarray:
    if isinstance(values, np.ndarray) and values.shape == (count,):
        return values
    return np.full(count, values, dtype)


def _put(kept: list[np.ndarray], new: list[np.ndarray], lanes: np.ndarray) -> list[np.ndarray]:
    """Copies with the lanes' new values: what is kept may be shared with an observation or a parameter."""
    out = []
    for values, fresh in zip(kept, new):
        values = values.copy()
        values[lanes] = fresh
        out.append(values)
    return out
