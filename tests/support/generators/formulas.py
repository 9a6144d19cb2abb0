"""Rows that are formulas or folds, written again by hand: the same operations in the same order, in plain Python.

The table expands such a row into other rows; these say what must come out. A formula row without an entry fails the
test that reads this.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from hl_dsl.operators import scalar


def clamp(x, low, high):
    raised = low if low > x else x
    return high if high < raised else raised


def lerp(a, b, t):
    return a + t * (b - a)


def reflect(x, low, high):
    length = high - low
    along = (
        scalar.modulo_real(x - low, 2 * length)
        if isinstance(x - low, float) or isinstance(length, float)
        else scalar.modulo_int(x - low, 2 * length)
    )
    return low + (length - abs(along - length))


def wrap(angle):
    return scalar.modulo_real(angle + math.pi, 2 * math.pi) - math.pi


def sign(x):
    return (x > 0) - (x < 0)


def total(v):
    result = v[0]
    for item in v[1:]:
        result = result + item
    return result


def dot(a, b):
    return total([x * y for x, y in zip(a, b)])


def norm(v):
    return scalar.sqrt(float(dot(v, v)))


# Each takes the operands of the row: numbers, or lists for vectors that the row takes as a whole.
DEFINITIONS: dict[str, Callable] = {
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "in": lambda x, low, high: low <= x <= high,
    "clamp": clamp,
    "lerp": lerp,
    "reflect": reflect,
    "wrap": wrap,
    "sign": sign,
    "sum": total,
    "all": lambda v: False not in v,
    "any": lambda v: True in v,
    "dot": dot,
    "norm": norm,
}

# These look at more than one tick, and have tests of their own.
OVER_TIME = ("rising",)

# Operands to try, within what each row requires.
OPERANDS: dict[str, tuple] = {
    "clamp": ((5.0, 0.0, 1.0), (-0.0, 0.0, 1.0), (0.5, 0.0, 1.0), (-3.0, -2.5, 7.0), (0.0, -0.0, 0.0)),
    "lerp": ((0.0, 10.0, 0.25), (1.0, -3.0, 2.0), (0.1, 0.7, 0.3)),
    "reflect": ((7.0, 0.0, 5.0), (-1.0, 0.0, 5.0), (23.3, 1.5, 4.25), (-1e-20, 0.0, 144.0), (5.0, 0.0, 5.0)),
    "wrap": ((0.0,), (3.5,), (-3.5,), (100.0,), (-math.pi,)),
    "sign": ((3.0,), (-0.25,), (0.0,), (-0.0,)),
    "greater": ((1.0, 2.0), (2.0, 1.0), (0.0, -0.0)),
    "greater_equal": ((1.0, 2.0), (2.0, 1.0), (0.0, -0.0)),
    "in": ((1.0, 0.0, 2.0), (0.0, -0.0, 2.0), (3.0, 0.0, 2.0), (2.0, 2.0, 2.0), (1.0, 2.0, 0.0)),
    "sum": (([0.1, 0.2, 0.3],), ([1e16, 1.0, -1e16],), ([-0.0, -0.0, -0.0],)),
    "all": (([True, True, True],), ([True, False, True],), ([False, False, False],)),
    "any": (([True, True, True],), ([True, False, True],), ([False, False, False],)),
    "dot": (([0.1, 0.2, 0.3], [3.0, -2.0, 0.7]), ([1e8, 1.0, -1e8], [1e8, 1.0, 1e8])),
    "norm": (([3.0, 4.0, 12.0],), ([0.1, 0.2, 0.3],), ([0.0, -0.0, 0.0],)),
}
