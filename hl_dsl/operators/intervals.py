"""Interval forms: sound for binary64 because correctly rounded operations are monotone.

End points computed in round-to-nearest are then exactly the extreme values of the float program. If the end points are
unbounded, the result is `ANYTHING`; a finiteness obligation fails there.
"""

from __future__ import annotations

import math

from hl_dsl.operators import scalar

INF = math.inf
ANYTHING = (-INF, INF)
EITHER = (0, 1)
TRUE = (1, 1)
FALSE = (0, 0)
_HUGE = 2**62
# The transcendental kernel is assumed to be within 4 ulp, both at the end point computed here and at the value of a
# run: 8 ulp of a number that may lie in the next binade, where an ulp is twice that of the end point.
_STEPS = 16


def whole(low: float, high: float) -> tuple[float, float]:
    """An int interval, with ends beyond any machine integer made infinite (outward) or cut to it (inward)."""
    return (-INF if low < -_HUGE else min(low, _HUGE), INF if high > _HUGE else max(high, -_HUGE))


def hull(*values):
    """The smallest interval that holds all values; anything if one of them is NaN."""
    low, high = min(values), max(values)
    if low != low or high != high or any(value != value for value in values):
        return ANYTHING
    return (low, high)


def real_only(pair):
    """The pair itself; anything if an end is NaN."""
    low, high = pair
    return ANYTHING if low != low or high != high else pair


def add(a, b):
    """`a + b` of reals."""
    return real_only((a[0] + b[0], a[1] + b[1]))


def subtract(a, b):
    """`a - b` of reals."""
    return real_only((a[0] - b[1], a[1] - b[0]))


def multiply(a, b):
    """`a * b` of reals."""
    return hull(a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1])


def square(a):
    """A real times itself. A number that is unbounded on both sides may be NaN, and so may its square."""
    low, high = a
    if a == ANYTHING:
        return ANYTHING
    if low <= 0 <= high:
        return (0.0, max(low * low, high * high))
    return (low * low, high * high) if low > 0 else (high * high, low * low)


def whole_square(a):
    """The square of an int."""
    low, high = a
    if low <= 0 <= high:
        return whole(0, max(low * low, high * high))
    return whole(*sorted((low * low, high * high)))


def whole_add(a, b):
    """`a + b` of ints."""
    return whole(*add(a, b))


def whole_subtract(a, b):
    """`a - b` of ints."""
    return whole(*subtract(a, b))


def whole_multiply(a, b):
    """`a * b` of ints."""
    return whole(*hull(*(0 if x == 0 or y == 0 else x * y for x in a for y in b)))


def divide(a, b):
    """`a / b` of reals; 0 where b is 0."""
    if b[0] <= 0.0 <= b[1]:
        if b == (0.0, 0.0):
            return (0.0, 0.0)
        return ANYTHING
    return hull(a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1])


def whole_divide(a, b):
    """`a // b` of ints, rounded down; 0 where b is 0."""
    parts = []
    for low, high in ((b[0], min(b[1], -1)), (max(b[0], 1), b[1])):
        if low <= high:
            parts += [_floor_quotient(x, y) for x in a for y in (low, high)]
    if b[0] <= 0 <= b[1]:
        parts.append(0)
    return whole(min(parts), max(parts))


def _floor_quotient(x, y):
    if math.isinf(x):
        return x if y > 0 else -x
    if math.isinf(y):
        return 0 if x == 0 or (x > 0) == (y > 0) else -1
    return x // y


def modulo(a, b):
    """`a mod b` of reals, with the sign of b; 0 where b is 0."""
    low, high = b
    if low == high and math.isfinite(low) and low and a[1] - a[0] < abs(low):
        # Less than one period: no wrap happens in between if the remainders are in order.
        first, last = scalar.modulo_real(a[0], low), scalar.modulo_real(a[1], low)
        if first < last or a[0] == a[1]:
            return (first, last)
    parts = [(0.0, 0.0)] if low <= 0.0 <= high else []
    if high > 0.0:
        if a[0] >= 0.0 and a[1] < low:
            return a
        parts.append((0.0, high))
    if low < 0.0:
        if high < 0.0 and high < a[0] and a[1] <= 0.0:
            return a
        parts.append((low, 0.0))
    if math.isinf(a[0]) or math.isinf(a[1]):
        return ANYTHING
    return (min(p[0] for p in parts), max(p[1] for p in parts))


def whole_modulo(a, b):
    """`a mod b` of ints, with the sign of b; 0 where b is 0."""
    low, high = b
    if low == high and low and a[1] - a[0] < abs(low):
        first, last = a[0] % low, a[1] % low
        if first <= last:
            return (first, last)
    parts = [(0, 0)] if low <= 0 <= high else []
    if high > 0:
        if low > 0 and a[0] >= 0 and a[1] < low:
            return a
        parts.append((0, high - 1))
    if low < 0:
        if high < 0 and high < a[0] and a[1] <= 0:
            return a
        parts.append((low + 1, 0))
    return whole(min(p[0] for p in parts), max(p[1] for p in parts))


def negate(a):
    """`-a`."""
    return (-a[1], -a[0])


def absolute(a):
    """`abs(a)` of a real."""
    if a[0] >= 0:
        return a
    if a[1] <= 0:
        return (-a[1], -a[0])
    return (0.0, max(-a[0], a[1]))


def whole_absolute(a):
    """`abs(a)` of an int."""
    low, high = absolute(a)
    return (low if math.isinf(low) else int(low), high)


def minimum(a, b):
    """`min(a, b)`."""
    return (min(a[0], b[0]), min(a[1], b[1]))


def maximum(a, b):
    """`max(a, b)`."""
    return (max(a[0], b[0]), max(a[1], b[1]))


def join(a, b):
    """The smallest interval that holds both."""
    return (min(a[0], b[0]), max(a[1], b[1]))


def to_whole(function):
    """Floor, ceiling, rounding: monotone, so the end points go through the function."""

    def interval(a):
        return whole(*(x if math.isinf(x) else function(x) for x in a))

    return interval


def sqrt(a):
    """`sqrt(a)`; 0 where a is negative."""
    return (scalar.sqrt(a[0]), INF if a[1] == INF else scalar.sqrt(a[1]))


def widened(low, high, floor=-INF, ceiling=INF):
    """Outward by the assumed error of the transcendental kernel, and never past the function's own bounds."""
    for _ in range(_STEPS):
        low, high = math.nextafter(low, -INF), math.nextafter(high, INF)
    return (max(low, floor), min(high, ceiling))


def monotone(function, floor=-INF, ceiling=INF):
    """The interval form of a monotone function of the transcendental kernel, within its own bounds."""

    def interval(a):
        low, high = (function(x) for x in a)
        return widened(low, high, floor, ceiling)

    return interval


def sine(a):
    """`sin(a)`."""
    return _wave(a, scalar.sin, 0.25)


def cosine(a):
    """`cos(a)`."""
    return _wave(a, scalar.cos, 0.0)


def _wave(a, function, peak):
    """A function of period 2 pi whose maximum lies at `peak` turns. Far out, where turns blur, [-1, 1]."""
    low, high = a
    if not (high - low < 6.28 and max(-low, high) < 1e6):
        return (-1.0, 1.0)
    turn = 2 * math.pi
    slack = 1e-9
    first, last = low / turn - slack, high / turn + slack
    ends = (function(low), function(high))
    top = 1.0 if math.floor(last - peak) >= math.ceil(first - peak) else max(ends)
    bottom = -1.0 if math.floor(last - peak - 0.5) >= math.ceil(first - peak - 0.5) else min(ends)
    return widened(bottom, top, -1.0, 1.0)


def arctangent(y, x):
    """`atan2(y, x)`."""
    if x[0] > 0.0:
        corners = [math.atan2(b, a) for a in x for b in y]
        return widened(min(corners), max(corners), -math.pi, math.pi)
    if y[0] > 0.0:
        return widened(0.0, math.pi, 0.0, math.pi)
    return (-math.pi, math.pi)


def popcount(a):
    """The number of set bits of an int."""
    high = 0 if a[1] <= 0 else 53 if a[1] >= 2**53 else int(a[1]).bit_length()
    return (0 if a[0] <= 0 else 1, high)


def float32(a):
    """Rounding to binary32."""
    return tuple(scalar.float32(x) for x in a)
