"""Encoding of a program as a tape: instructions over numbered registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.backend import monitored_properties, run_outputs
from hl_dsl.compiler.backends.tape.source import table_forms
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators import scalar


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
    forms = table_forms(form.tape for number in nodes if (form := flow.nodes[number].form) is not None)
    opcodes = {form: opcode for opcode, form in enumerate(forms)}
    same = _aliases(flow, nodes)
    args = {number: [same[arg] for arg in flow.nodes[number].args] for number in nodes if same[number] == number}
    last_use = {arg: number for number, operands in args.items() for arg in operands}
    kept = {same[number] for number in outputs}

    place: dict[int, int] = {}
    fixed = []
    leaves: dict[str, Any] = {
        "input": [-1] * len(flow.inputs),
        "parameter": [-1] * len(flow.parameters),
        "memory": [-1] * len(flow.memories),
    }
    for number in nodes:
        node = flow.nodes[number]
        if node.form is None:
            register = place[number] = len(place)
            if node.op == "constant":
                assert node.value is not None
                value = scalar.to_real(node.value) if isinstance(node.value, int) else node.value
                fixed.append((register, value))
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
        tuple(place[same[item.node]] for item in monitored_properties(flow)),
        tuple(place[same[number]] for number in flow.action),
    )


def _aliases(flow: Dataflow, nodes: list[int]) -> dict[int, int]:
    """For each node, the node whose register holds its value: its operand, if its form only passes the operand on."""
    same: dict[int, int] = {}
    for number in nodes:
        node = flow.nodes[number]
        same[number] = same[node.args[0]] if node.form is not None and node.form.tape == "a" else number
    return same
