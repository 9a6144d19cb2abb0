"""Inverse interval forms: operands narrowed by a known result.

They are sound for binary64: real bounds move outward by what rounding may hide. Each function takes the result's
interval, the operands' intervals and the base of the operands. It returns the narrowed operands, or None if nothing is
narrowed.
"""

from __future__ import annotations

import math

from hl_dsl.operators import intervals
from hl_dsl.operators.intervals import INF

_EXACT = 2.0**53  # whole numbers up to here are floats


def meet(pair, low, high):
    """The part of an interval between two bounds."""
    return (max(pair[0], low), min(pair[1], high))


def outward(pair):
    """An interval widened by one float at each end: what rounding may hide."""
    return (math.nextafter(pair[0], -INF), math.nextafter(pair[1], INF))


def add(result, a, b, kind):
    """Operands of `a + b`."""
    if kind == "int":
        return meet(a, result[0] - b[1], result[1] - b[0]), meet(b, result[0] - a[1], result[1] - a[0])
    low, high = outward(result)
    return meet(a, *outward((low - b[1], high - b[0]))), meet(b, *outward((low - a[1], high - a[0])))


def subtract(result, a, b, kind):
    """Operands of `a - b`."""
    if kind == "int":
        return meet(a, result[0] + b[0], result[1] + b[1]), meet(b, a[0] - result[1], a[1] - result[0])
    low, high = outward(result)
    return meet(a, *outward((low + b[0], high + b[1]))), meet(b, *outward((a[0] - high, a[1] - low)))


def multiply(result, a, b, kind):
    """Operands of `a * b`."""
    return _factor(result, a, b, kind), _factor(result, b, a, kind)


def _factor(result, a, b, kind):
    """Narrows `a` in `a * b`."""
    if b[0] <= 0 <= b[1]:
        return a
    if kind == "real":
        return meet(a, *outward(intervals.divide(outward(result), b)))
    if b[0] != b[1]:
        return a
    low, high = result if b[0] > 0 else (-result[1], -result[0])
    size = abs(b[0])
    return meet(a, low if math.isinf(low) else -(-low // size), high if math.isinf(high) else high // size)


def divide(result, a, b, kind):
    """Operands of `a / b`."""
    if b[0] <= 0.0 <= b[1]:
        return None
    return meet(a, *outward(intervals.multiply(outward(result), b))), b


def floor_divide(result, a, b, kind):
    """Operands of `a // b`."""
    if b[0] != b[1] or b[0] <= 0:
        return None
    return meet(a, result[0] * b[0], result[1] * b[0] + b[0] - 1), b


def negate(result, a, kind):
    """The operand of `-a`."""
    return (meet(a, -result[1], -result[0]),)


def absolute(result, a, kind):
    """The operand of `abs(a)`."""
    low, high = meet(a, -result[1], result[1])
    if low > -result[0]:
        low = max(low, result[0])
    elif high < result[0]:
        high = min(high, -result[0])
    return ((low, high),)


def minimum(result, a, b, kind):
    """Operands of `min(a, b)`."""
    low, high = result
    return meet(a, low, high if b[0] > high else INF), meet(b, low, high if a[0] > high else INF)


def maximum(result, a, b, kind):
    """Operands of `max(a, b)`."""
    low, high = result
    return meet(a, low if b[1] < low else -INF, high), meet(b, low if a[1] < low else -INF, high)


def to_real(result, a, kind):
    """The int operand of a conversion to real."""
    low, high = result
    return (
        meet(
            a, math.ceil(low) if -_EXACT < low < _EXACT else -INF, math.floor(high) if -_EXACT < high < _EXACT else INF
        ),
    )


def floor(result, a, kind):
    """The operand of `floor(a)`."""
    return (meet(a, _low(result[0]), math.nextafter(_high(result[1] + 1), -INF)),)


def ceil(result, a, kind):
    """The operand of `ceil(a)`."""
    return (meet(a, math.nextafter(_low(result[0] - 1), INF), _high(result[1])),)


def round_half_even(result, a, kind):
    """The operand of `round(a)`."""
    return (meet(a, _low(result[0]) - 0.5, _high(result[1]) + 0.5),)


def _low(value):
    """A whole lower bound as a float, moved down to where floats still hold whole numbers exactly."""
    return -INF if value <= -_EXACT else float(min(value, _EXACT))


def _high(value):
    return INF if value >= _EXACT else float(max(value, -_EXACT))
