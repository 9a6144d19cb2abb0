"""Forms chosen by bounds, and the functions of the kernel: equal to the definition and without warnings."""

from __future__ import annotations

import math
import warnings
from random import Random

import numpy as np
import pytest
from hl_dsl.compiler.backends.numpy_backend import kernel
from hl_dsl.compiler.backends.numpy_backend.source import Operand

from hl_dsl.operators import OPERATORS
from tests.support.generators.inputs import bits


def test_a_form_chosen_by_bounds_is_the_definition_within_them():
    """Every row whose NumPy form depends on the operands' bounds, on operands at and between many bounds."""
    names = {name: getattr(kernel, name) for name in (*kernel.NAMES, "np")}
    draw = Random(7)
    ends = {
        "real": (-1e300, -700.5, -2.0, -1.0, -0.0, 0.0, 0.3, 1.0, 7.0, 4e18, 1e300),
        "int": (-(2**53), -64, -1, 0, 1, 2, 7, 64, 2**53),
        "bool": (0, 1),
    }
    texts = set()
    for row in OPERATORS.values():
        for form in (form for form in row.forms if callable(form.numpy) and "any" not in form.operands):
            for _ in range(400):
                boxes = [tuple(sorted((draw.choice(ends[base]), draw.choice(ends[base])))) for base in form.operands]
                operands = [Operand("let", base, *box) for base, box in zip(form.operands, boxes)]
                lanes = [tuple(_inside(draw, base, *box) for base, box in zip(form.operands, boxes)) for _ in range(8)]
                arguments = [
                    str(box[0]) if box[0] == box[1] and base == "int" and box[0] >= 0 else name
                    for name, base, box in zip("xyz", form.operands, boxes)
                ]
                text = form.numpy([f"({argument})" for argument in arguments], operands)
                texts.add(text)
                types = {"real": np.float64, "int": np.int64, "bool": np.bool_}
                arrays = {
                    name: np.array(column, types[base]) for name, base, column in zip("xyz", form.operands, zip(*lanes))
                }
                with np.errstate(all="ignore"):
                    results = np.broadcast_to(eval(text, names, arrays), len(lanes))
                for values, result in zip(lanes, results):
                    wanted = form.scalar(*values)
                    if type(wanted) is not int or abs(wanted) <= 2**53:
                        assert bits(result) == bits(wanted), (row.name, text, values, boxes)
    assert len(texts) > 20


def _inside(draw: Random, base: str, low, high):
    if base == "bool":
        return bool(draw.choice((low, high)))
    if base == "int":
        return draw.choice((low, high, draw.randint(low, high)))
    between = low + draw.random() * (high - low) if math.isfinite(high - low) else low / 2 + high / 2
    return draw.choice((low, high, min(max(between, low), high)))


@pytest.mark.parametrize("name", [name for name in kernel.NAMES if name != "each"])
def test_the_kernel_is_quiet_on_every_operand(name):
    odd = np.array([0.0, -0.0, 1.5, -2.5, 5e-324, 1e308, -1e308, 3.5e38, 1e19, np.inf, -np.inf, np.nan])
    whole = np.array([0, 1, -1, 7, -(2**63), 2**63 - 1, 2**53])
    function = getattr(kernel, name)
    ints = name in ("floor_divide", "popcount", "to_real")
    for values in [whole] if ints else [odd, whole] if name in ("modulo", "minimum", "maximum") else [odd]:
        pairs = np.array([(a, b) for a in values for b in values]).T
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if name == "divide":  # what overflows is masked by the writer
                pairs = pairs[
                    :,
                    np.isfinite(pairs).all(axis=0)
                    & ((np.abs(pairs[0]) < 1e300) | (pairs[1] == 0))
                    & (np.abs(pairs[1]) != 5e-324),
                ]
            operands = pairs if function.__code__.co_argcount == 2 else pairs[:1]
            assert function(*operands).shape == operands[0].shape
