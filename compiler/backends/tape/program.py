"""Compiled back end: a program as a tape, run for a batch of lanes by one compiled interpreter."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.backend import Lanes, general_frame, is_any_byte
from hl_dsl.compiler.backends.tape.encoding import encode
from hl_dsl.compiler.backends.tape.source import interpreter_for, ready
from hl_dsl.compiler.backends.tape.step import BLOCK, BODY
from hl_dsl.compiler.ir.dataflow import Dataflow, Input
from hl_dsl.input_sources.source import InputSource
from hl_dsl.input_sources.table import INPUT_SOURCES, SOURCE_NAMES

_BASES = MappingProxyType({"real": 0, "int": 1, "bool": 2})


class NotCompiled(Exception):
    """numba is missing or fails on this machine; the message says how."""


class TapeLanes(Lanes):
    """The compiled back end. Making one raises NotCompiled where numba is missing or fails."""

    name = "tape"

    def __init__(self, flow: Dataflow):
        super().__init__(flow)
        self.tape = encode(self.flow)
        # `lanes`, an array for each source, `_program` and `_state`. The arrays are empty and of the types that the
        # environment's frames are expected to have; for other types the interpreter is prepared when they come.
        expected = [_expected(source, self.dtype, source.name in self.columns) for source in INPUT_SOURCES]
        self._program, self._state = np.zeros(BODY, np.int64), np.zeros(0)
        self._arguments = [np.zeros(0, np.int32), *expected, self._program, self._state]
        self._read = [(0, "lanes")]
        self._read += [(1 + k, name) for k, name in enumerate(SOURCE_NAMES) if name in self.columns or name == "step"]
        try:
            self._interpret = interpreter_for(self.tape.forms, tuple(self._arguments))
        except Exception as error:
            raise NotCompiled(f"{type(error).__name__}: {error}".splitlines()[0]) from error

    def start(self, num_lanes: int, parameters: list) -> None:
        """Starts an episode in each of `num_lanes` lanes."""
        flow, tape = self.flow, self.tape
        varied = [position for position, value in enumerate(parameters) if np.ndim(value)]
        inputs, cells = len(flow.inputs), len(flow.memories)
        stride = (
            -(-min(num_lanes, BLOCK) // 8) * 8 + 8
        )  # not a power of two, which would crowd registers into few cache lines
        self._state, self._views, places = _sections(
            {
                "bounds": (inputs, 3),
                "start": (cells,),
                "parameters": (len(varied), num_lanes),
                "memory": (cells, num_lanes),
                "last": (inputs, num_lanes),
                "out_of_range": (num_lanes,),
                "violations": (len(self.watched), num_lanes),
                "chosen": (num_lanes,) if self.action_size is None else (num_lanes, self.action_size),
                "registers": (tape.registers, stride),
            }
        )
        counts = [
            num_lanes,
            len(tape.code),
            inputs,
            cells,
            len(varied),
            len(self.watched),
            len(flow.action),
            tape.registers,
            stride,
        ]
        body = [
            number for entry, register in zip(flow.inputs, tape.inputs) for number in (*_boundary_row(entry), register)
        ]
        body += [
            *tape.cells,
            *(tape.parameters[position] for position in varied),
            *tape.nexts,
            *tape.watched,
            *tape.action,
        ]
        self._program = np.array([*counts, *places, *body, *tape.code.ravel()], np.int64)
        self._arguments[-2:] = self._program, self._state
        views = self._views
        self._chosen = views["chosen"]
        views["bounds"][:] = np.array([(entry.low, entry.high, entry.default) for entry in flow.inputs], float).reshape(
            inputs, 3
        )
        views["start"][:] = [cell.start for cell in flow.memories]
        views["memory"][:] = views["start"][:, None]
        views["last"][:] = views["bounds"][:, 2, None]
        for row, position in enumerate(varied):
            views["parameters"][row] = parameters[position]
        for register, value in (
            *tape.fixed,
            *(
                (tape.parameters[position], value)
                for position, value in enumerate(parameters)
                if position not in varied
            ),
        ):
            views["registers"][register] = value

    def tick(self, frame: Any) -> np.ndarray:
        """One step of the lanes in the frame."""
        arguments = self._arguments.copy()
        for place, name in self._read:
            arguments[place] = getattr(frame, name)
        try:
            fits = self._interpret(*arguments)
        except TypeError:
            fits = self._interpret_converted(frame, arguments)
        if not fits:
            raise HLError(
                f"the frame does not fit: {self._program[0]} lanes were started, "
                "and each source needs a row for every lane of the frame"
            )
        return self._chosen[: len(arguments[0])].astype(self.dtype)

    def _interpret_converted(self, frame: Any, arguments: list[np.ndarray]) -> bool:
        """Prepares the interpreter for the types of a frame; float64 replaces types that a source does not have."""
        dtypes = [("int32",), *(source.dtypes for source in INPUT_SOURCES)]
        if not all(_is_usual(values, types) for values, types in zip(arguments[: len(dtypes)], dtypes, strict=True)):
            general = general_frame(frame, self.columns)
            arguments = [general.lanes, *(getattr(general, name) for name in SOURCE_NAMES), self._program, self._state]
        ready(self._interpret, tuple(arguments))
        return self._interpret(*arguments)

    def adopt(self, other: Lanes, theirs: np.ndarray, mine: np.ndarray) -> None:
        """Copies the state of lanes of other lanes."""
        assert isinstance(other, TapeLanes)
        here, there, rest = (np.array(cells, np.intp) for cells in self.shared_cells(other))
        memory, known = self._views["memory"], other._views["memory"]
        memory[np.ix_(here, mine)] = known[np.ix_(there, theirs)]
        memory[np.ix_(rest, mine)] = self._views["start"][rest, None]
        self._views["last"][:, mine] = other._views["last"][:, theirs]

    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """(k,): values of a memory cell in these lanes."""
        return self._views["memory"][cell, lanes]

    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""
        types = {"real": np.float64, "int": np.int64, "bool": np.bool_}
        return {
            cell.name: self._views["memory"][row].astype(types[cell.base])
            for row, cell in enumerate(self.flow.memories)
        }

    def out_of_range(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN."""
        return self._views["out_of_range"].astype(np.int64)

    def violations(self) -> np.ndarray:
        """(n, monitored properties) int64: ticks at which each did not hold."""
        return self._views["violations"].T.astype(np.int64)


def _expected(source: InputSource, action_dtype: np.dtype, is_read: bool) -> np.ndarray:
    """An empty array of the type that frames are expected to have: that of the actions, if the source can have it."""
    dtype = action_dtype.name if is_read and action_dtype.name in source.dtypes else source.dtypes[0]
    return np.zeros((0, 0) if source.is_wide else 0, dtype)


def _is_usual(values: Any, dtypes: tuple[str, ...]) -> bool:
    """Whether the interpreter can be compiled for an array."""
    return (
        isinstance(values, np.ndarray)
        and values.dtype in dtypes  # not the name, which omits the byte order
        and values.flags.c_contiguous
        and values.flags.writeable
    )


def _boundary_row(entry: Input) -> tuple[int, ...]:
    """How an input is read, and whether every byte is one of its values."""
    return SOURCE_NAMES.index(entry.source), entry.column, _BASES[entry.base], is_any_byte(entry)


def _sections(shapes: dict[str, tuple[int, ...]]) -> tuple[np.ndarray, dict[str, np.ndarray], list[int]]:
    """One array of float64, a view of it for each name, and the start of each."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    places = [sum(sizes[:position]) for position in range(len(sizes))]
    whole = np.zeros(sum(sizes))
    views = {
        name: whole[place : place + size].reshape(shape)
        for (name, shape), size, place in zip(shapes.items(), sizes, places)
    }
    return whole, views, places
