"""One program that applies every primitive form of some rows to the same operands, to compare back ends by form.

The bench has a column for each operand and base, and a component of the action for each form. A real operand is a
product of two columns, so that NaN (infinity times 0) reaches the operators; the boundary would reject it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np

from hl_dsl.base.source import SourceText
from hl_dsl.cards import ActionSpace, Card
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Input, Value
from hl_dsl.language.types import REAL, vector
from hl_dsl.operators import OPERATORS, Form, Operator

OPERANDS = 3
REALS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.49999999999999994,
    3.141592653589793,
    1e-3,
    7.0,
    -3.0,
    5e-324,
    -2.2e-308,
    1e16,
    1e22,
    -1e5,
    800.0,
    1.7e308,
    math.inf,
    -math.inf,
    math.nan,
)
INTS = (0, 1, -1, 2, 3, -3, 7, -7, 100, 255, -256, 2**31, -(2**31), 2**52 + 1, 2**53, -(2**53))
LARGEST = 2**53


@dataclass(frozen=True)
class Applied:
    """A form of a row at concrete bases. `constants`: operands that are literals, as (position, value)."""

    row: Operator
    form: Form
    bases: tuple[str, ...]
    constants: tuple[tuple[int, object], ...] = ()

    def scalar(self, operands) -> float | None:
        """The definition's result as a number; None where it is an int beyond what the language proves."""
        result = self.form.scalar(*operands)
        return None if type(result) is int and abs(result) > LARGEST else float(result)


def forms_of(rows) -> list[Applied]:
    found = []
    for row in rows:
        for form in row.forms:
            shared = ("real", "int", "bool") if "any" in form.operands else ("",)
            found += [
                Applied(row, form, tuple(base if wanted == "any" else wanted for wanted in form.operands))
                for base in shared
            ]
    return found


def with_constants(applications: list[Applied]) -> list[Applied]:
    """The same with one operand a literal, each in turn: writers may treat literals apart."""
    values = {"real": (0.0, -0.0, 2.5), "int": (0, 1, -3), "bool": (False, True)}
    return [
        replace(item, constants=((position, value),))
        for item in applications
        if len(item.bases) > 1
        for position, base in enumerate(item.bases)
        for value in values[base]
    ]


def samples(applied: Applied, most: int = 600) -> list[tuple]:
    """Operands: every combination of edge values (thinned to `most`), and the row's own samples."""
    fixed = dict(applied.constants)
    values = {"real": REALS, "int": INTS, "bool": (False, True)}
    every = list(
        product(
            *((fixed[position],) if position in fixed else values[base] for position, base in enumerate(applied.bases))
        )
    )
    step = max(1, len(every) // most)
    if step > 1:
        step += 1 - len(REALS) % 2 if step % 2 == 0 else 0  # keeps in step with none of the value lists
    own = [
        tuple(as_base(value, base) for value, base in zip(sample, applied.bases))
        for sample in applied.row.samples
        if not fixed and all(base == "real" or value == int(value) for value, base in zip(sample, applied.bases))
    ]
    return every[::step] + own


def as_base(value, base: str):
    return {"real": float, "int": int, "bool": bool}[base](value)


def bench(applications: list[Applied]) -> Dataflow:
    """A dataflow with a component of the action for each application."""
    builder = Builder()
    inputs: list[Input] = []

    def column(name: str, base: str) -> int:
        low, high = {"real": (-math.inf, math.inf), "int": (-LARGEST, LARGEST), "bool": (0, 1)}[base]
        default = {"real": 0.0, "int": 0, "bool": False}[base]
        inputs.append(Input(name, base, low, high, default, "observation", len(inputs)))
        return builder.leaf("input", len(inputs) - 1, base)

    operands = {}
    for position in range(OPERANDS):
        operands["real", position] = builder.apply(
            "multiply", (column(f"real_{position}", "real"), column(f"scale_{position}", "real"))
        )
        operands["int", position] = column(f"int_{position}", "int")
        operands["bool", position] = column(f"bool_{position}", "bool")
    one, zero = builder.constant(1.0, "real"), builder.constant(0.0, "real")
    action = []
    for item in applications:
        fixed: dict[int, Any] = dict(item.constants)
        node = builder.apply(
            item.row.name,
            tuple(
                builder.constant(fixed[position], base) if position in fixed else operands[base, position]
                for position, base in enumerate(item.bases)
            ),
        )
        base = builder.nodes[node].base
        action.append(builder.apply("if", (node, one, zero)) if base == "bool" else builder.widen(node, "real"))
    size = len(action)
    space = ActionSpace(None, size, (-math.inf,) * size, (math.inf,) * size, "float64")
    card = Card("Bench-v0", "made up", {}, space, 1, None, ("standard",), "")
    value = Value(vector("real", size) if size > 1 else REAL, tuple(action))
    return Dataflow(
        "bench", card, SourceText(""), builder.nodes, inputs, [], [], tuple(action), {"action": value}, (), (), [], []
    )


def frame_of(bases: tuple[str, ...], operands: list[tuple]) -> SimpleNamespace:
    """Operands of one application as a frame, a lane for each tuple."""
    count = len(operands)
    table = np.zeros((count, OPERANDS * 4))
    table[:, 1::4] = 1.0
    for lane, values in enumerate(operands):
        for position, (base, value) in enumerate(zip(bases, values)):
            start = 4 * position
            if base == "real":
                table[lane, start : start + 2] = (math.inf, 0.0) if value != value else (value, 1.0)
            else:
                table[lane, start + (2 if base == "int" else 3)] = float(value)
    lanes = np.arange(count, dtype=np.int32)
    nothing = np.zeros(count, np.int32)
    return SimpleNamespace(
        lanes=lanes,
        ram=np.zeros((count, 128), np.uint8),
        observation=table,
        reward=np.zeros(count),
        lives=nothing,
        step=nothing,
        done=nothing > 0,
        truncated=nothing > 0,
        ended=False,
    )


def all_forms() -> list[Applied]:
    return forms_of(OPERATORS.values())
