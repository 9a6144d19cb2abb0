"""A program as a tape: instructions over numbered registers, run for a batch of lanes by one compiled interpreter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hl_dsl.compiler.backends.backend import Lanes, general_frame, is_any_byte, run_outputs, watched_properties
from hl_dsl.compiler.backends.tape.source import interpreter_for, ready, table_forms
from hl_dsl.compiler.backends.tape.step import BLOCK, BODY
from hl_dsl.compiler.ir.dataflow import Dataflow, Input

from hl_dsl.base.errors import HLError
from hl_dsl.operators import scalar

_SOURCES = {"ram": 0, "observation": 1, "reward": 2, "lives": 3, "step": 4, "plan": 5}
_BASES = {"real": 0, "int": 1, "bool": 2}


@dataclass(frozen=True)
class Tape:
    """An encoded program.

    code: (instructions, 5) of opcode, destination, and three operands. `fixed` are (register, value) of constants;
    the other lists give the register of each input, cell, cell's next value, parameter, watched property, and
    component of the action. An opcode is a position in `forms`.
    """

    code: np.ndarray
    forms: tuple[str, ...]
    registers: int
    fixed: tuple[tuple[int, float], ...]
    inputs: tuple[int, ...]
    cells: tuple[int, ...]
    nexts: tuple[int, ...]
    parameters: tuple[int, ...]
    watched: tuple[int, ...]
    action: tuple[int, ...]


def encode(flow: Dataflow) -> Tape:
    """Orders what a run needs of a program into instructions, and gives registers, each used again once it is free.

    An instruction's destination is never one of its operands, so that the loops over lanes vectorize.
    """
    outputs = run_outputs(flow)
    nodes = flow.reachable(outputs)
    forms = table_forms(flow.nodes[number].form.tape for number in nodes if flow.nodes[number].form is not None)
    opcodes = {form: opcode for opcode, form in enumerate(forms)}
    same = _aliases(flow, nodes)
    args = {number: [same[arg] for arg in flow.nodes[number].args] for number in nodes if same[number] == number}
    last_use = {arg: number for number, operands in args.items() for arg in operands}
    kept = {same[number] for number in outputs}

    place: dict[int, int] = {}
    fixed = []
    leaves = {
        "input": [-1] * len(flow.inputs),
        "parameter": [-1] * len(flow.parameters),
        "memory": [-1] * len(flow.memories),
    }
    for number in nodes:
        node = flow.nodes[number]
        if node.form is None:
            register = place[number] = len(place)
            if node.op == "constant":
                fixed.append((register, scalar.to_real(node.value)))
            else:
                leaves[node.op][node.value] = register
            if node.op in ("constant", "parameter"):
                kept.add(number)
    registers = len(place)
    for kind in leaves.values():  # what is not needed to compute anything is still read, or kept
        for position, register in enumerate(kind):
            if register < 0:
                kind[position] = registers
                registers += 1
    free: list[int] = []
    code = []
    for number, operands in args.items():
        node = flow.nodes[number]
        if node.form is None:
            continue
        if not free:
            free.append(registers)
            registers += 1
        target = place[number] = free.pop()
        used = [place[arg] for arg in operands]
        code.append([opcodes[node.form.tape], target, *used, *[target] * (3 - len(used))])
        free += {place[arg] for arg in operands if last_use[arg] == number and arg not in kept}
    return Tape(
        np.array(code, np.int64).reshape(len(code), 5),
        forms,
        max(registers, 1),
        tuple(fixed),
        tuple(leaves["input"]),
        tuple(leaves["memory"]),
        tuple(place[same[cell.next]] for cell in flow.memories),
        tuple(leaves["parameter"]),
        tuple(place[same[item.node]] for item in watched_properties(flow)),
        tuple(place[same[number]] for number in flow.action),
    )


def _aliases(flow: Dataflow, nodes: list[int]) -> dict[int, int]:
    """For each node the one in whose register it stands: its operand's, where its form only passes that on."""
    same: dict[int, int] = {}
    for number in nodes:
        node = flow.nodes[number]
        same[number] = same[node.args[0]] if node.form is not None and node.form.tape == "a" else number
    return same


class NotCompiled(Exception):
    """numba is missing or fails on this machine; the message says how."""


class TapeLanes(Lanes):
    """The compiled back end. Making one raises NotCompiled where numba is missing or fails."""

    name = "tape"

    def __init__(self, flow: Dataflow):
        super().__init__(flow)
        self.tape = encode(self.flow)
        ints = np.zeros(0, np.int32)
        self._no_ram, self._no_observation, self._no_lives = (
            np.zeros((0, 0), np.uint8),
            np.zeros((0, 0), np.float32),
            ints,
        )
        self._no_plan = np.zeros((0, 0))
        self._reads_ram, self._reads_observation, self._reads_lives, self._reads_plan = (
            source in self.columns for source in ("ram", "observation", "lives", "plan")
        )
        self._program, self._state = np.zeros(BODY, np.int64), np.zeros(0)
        # A guess at what the environment's frames will hold; other types are made ready when they come.
        observation = self._no_observation.astype(
            np.float64 if self._reads_observation and self.dtype == np.float64 else np.float32
        )
        try:
            self._interpret = interpreter_for(
                self.tape.forms,
                (
                    ints,
                    self._no_ram,
                    observation,
                    np.zeros(0, np.float32),
                    ints,
                    ints,
                    self._no_plan,
                    self._program,
                    self._state,
                ),
            )
        except Exception as error:
            raise NotCompiled(f"{type(error).__name__}: {error}".splitlines()[0]) from error

    def start(self, num_lanes: int, parameters: list) -> None:
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
                "mended": (num_lanes,),
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

    def tick(self, frame) -> np.ndarray:
        lanes = frame.lanes
        try:
            fits = self._interpret(
                lanes,
                frame.ram if self._reads_ram else self._no_ram,
                frame.observation if self._reads_observation else self._no_observation,
                frame.reward,
                frame.lives if self._reads_lives else self._no_lives,
                frame.step,
                frame.plan if self._reads_plan else self._no_plan,
                self._program,
                self._state,
            )
        except TypeError:
            fits = self._interpret_unusual(frame)
        if not fits:
            raise HLError(
                f"the frame does not fit: {self._program[0]} lanes were begun, and each source needs a row for every lane of the frame"
            )
        return self._chosen[: len(lanes)].astype(self.dtype)

    def _interpret_unusual(self, frame) -> bool:
        """Frames of types that the interpreter is not ready for: the environment's own, or else all of float64."""
        observation = frame.observation if self._reads_observation else self._no_observation
        arrays = [
            frame.lanes,
            frame.ram if self._reads_ram else self._no_ram,
            observation,
            frame.reward,
            frame.lives if self._reads_lives else self._no_lives,
            frame.step,
            frame.plan if self._reads_plan else self._no_plan,
        ]
        usual = all(
            isinstance(values, np.ndarray)
            and values.dtype in types
            and values.flags.c_contiguous
            and values.flags.writeable
            for values, types in zip(arrays, _USUAL_TYPES)
        )
        if not usual:
            general = general_frame(frame, self.columns)
            arrays = [
                general.lanes,
                general.ram,
                general.observation,
                general.reward,
                general.lives,
                general.step,
                general.plan,
            ]
        ready(self._interpret, (*arrays, self._program, self._state))
        return self._interpret(*arrays, self._program, self._state)

    def adopt(self, other: TapeLanes, theirs: np.ndarray, mine: np.ndarray) -> None:
        here, there, rest = self.shared_cells(other)
        memory, known = self._views["memory"], other._views["memory"]
        memory[np.ix_(here, mine)] = known[np.ix_(there, theirs)]
        memory[np.ix_(rest, mine)] = self._views["start"][rest, None]
        self._views["last"][:, mine] = other._views["last"][:, theirs]

    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        return self._views["memory"][cell, lanes]

    def memory(self) -> dict[str, np.ndarray]:
        types = {"real": np.float64, "int": np.int64, "bool": np.bool_}
        return {
            cell.name: self._views["memory"][row].astype(types[cell.base])
            for row, cell in enumerate(self.flow.memories)
        }

    def mended(self) -> np.ndarray:
        return self._views["mended"].astype(np.int64)

    def violations(self) -> np.ndarray:
        return self._views["violations"].T.astype(np.int64)


_USUAL_TYPES = (
    (np.int32,),
    (np.uint8,),
    (np.float32, np.float64),
    (np.float32,),
    (np.int32,),
    (np.int32,),
    (np.float64,),
)


def _boundary_row(entry: Input) -> tuple[int, ...]:
    """How an input is read, and whether every byte is one of its values."""
    return _SOURCES[entry.source], entry.column, _BASES[entry.base], is_any_byte(entry)


def _sections(shapes: dict[str, tuple[int, ...]]) -> tuple[np.ndarray, dict[str, np.ndarray], list[int]]:
    """One array of float64, a view of it for each name, and where each begins."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    places = [sum(sizes[:position]) for position in range(len(sizes))]
    whole = np.zeros(sum(sizes))
    views = {
        name: whole[place : place + size].reshape(shape)
        for (name, shape), size, place in zip(shapes.items(), sizes, places)
    }
    return whole, views, places
