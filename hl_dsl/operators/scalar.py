"""Scalar functions that every back end shares, made total: defined, and the same, for all inputs.

Transcendental functions are the C library's (as `math` and numba both call it), because NumPy's own differ
from it in the last bits. Accuracy is taken as 4 ulp.
"""

from __future__ import annotations

import math
import struct

INF = math.inf
LARGEST_INT = 2**53  # ints beyond are not exact in binary64


def _total(function):
    def call(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return INF
        except ValueError:
            return math.nan

    call.__name__ = function.__name__
    return call


sin, cos, tanh, exp = map(_total, (math.sin, math.cos, math.tanh, math.exp))
atan2 = math.atan2


def sqrt(x: float) -> float:
    """The square root; 0 where x is negative."""
    return math.sqrt(x) if x >= 0.0 else 0.0


def divide(a: float, b: float) -> float:
    """`a / b`; 0 where b is 0."""
    return a / b if b != 0.0 else 0.0


def floor_divide(a: int, b: int) -> int:
    """`a // b`, rounded down; 0 where b is 0."""
    return a // b if b != 0 else 0


def modulo_int(a: int, b: int) -> int:
    """Python's `%`: the sign of b. 0 where b is 0."""
    return a % b if b != 0 else 0


def modulo_real(a: float, b: float) -> float:
    """Python's `%`: the sign of b. 0 where b is 0; NaN where a is not finite."""
    if b == 0.0:
        return 0.0
    return a % b if math.isfinite(a) else math.nan


def _to_int(function):
    def call(x: float) -> int:
        return function(x) if math.isfinite(x) else 0

    return call


floor, ceil, round_half_even = map(_to_int, (math.floor, math.ceil, round))


def to_real(a: int) -> float:
    """The nearest float. An int beyond the floats is outside the proved range and becomes infinite."""
    try:
        return float(a)
    except OverflowError:
        return INF if a > 0 else -INF


def to_binary64(raw) -> float:
    """The binary64 nearest to a number of any type.

    2^53 + 1, halfway between two, is rounded away from 0, and so is each number between it and 2^53. So a number beyond
    ±2^53 stays beyond it, and the range of an int is compared exactly.
    """
    try:
        number = float(raw)
    except OverflowError:
        return INF if raw > 0 else -INF
    if abs(number) == LARGEST_INT and not -LARGEST_INT <= raw <= LARGEST_INT:
        return math.nextafter(number, math.copysign(INF, number))
    return number


def popcount(a: int) -> int:
    """The number of set bits; 0 where a is negative."""
    return a.bit_count() if a >= 0 else 0


def float32(x: float) -> float:
    """Rounded to binary32 and back."""
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(INF, x)
