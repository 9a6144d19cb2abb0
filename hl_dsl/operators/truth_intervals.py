"""Interval forms of comparisons and logic, and what a known truth value implies for the operands.

Truth values are the intervals `TRUE`, `FALSE` and `EITHER`. A `refine_*` function narrows the operands' intervals,
given the truth of the result and the kind of the operands ("real", "int", …).
"""

from __future__ import annotations

import math

from hl_dsl.operators.intervals import ANYTHING, EITHER, FALSE, INF, TRUE, maximum


def less(a, b):
    """`a < b`."""
    if a[1] < b[0]:
        return TRUE
    return FALSE if a[0] >= b[1] and _known(a, b) else EITHER


def less_equal(a, b):
    """`a <= b`."""
    if a[1] <= b[0] and _known(a, b):
        return TRUE
    return FALSE if a[0] > b[1] else EITHER


def equal(a, b):
    """`a == b`."""
    if a[0] > b[1] or b[0] > a[1]:
        return FALSE
    return TRUE if a[0] == a[1] == b[0] == b[1] and _known(a, b) else EITHER


def not_equal(a, b):
    """`a != b`."""
    return logical_not(equal(a, b))


def _known(a, b):
    """Returns whether neither operand can be NaN; an unbounded operand can be."""
    return a != ANYTHING and b != ANYTHING


def logical_not(a):
    """`not a`."""
    return (1 - a[1], 1 - a[0])


def implies(a, b):
    """`a implies b`."""
    return maximum(logical_not(a), b)


def _below(value, kind):
    return value - 1 if kind != "real" else math.nextafter(value, -INF)


def _above(value, kind):
    return value + 1 if kind != "real" else math.nextafter(value, INF)


def refine_less(truth, a, b, kind):
    """Operands of `a < b`, given its truth."""
    if truth:
        return (a[0], min(a[1], _below(b[1], kind))), (max(b[0], _above(a[0], kind)), b[1])
    return (max(a[0], b[0]), a[1]), (b[0], min(b[1], a[1]))


def refine_less_equal(truth, a, b, kind):
    """Operands of `a <= b`, given its truth."""
    if truth:
        return (a[0], min(a[1], b[1])), (max(b[0], a[0]), b[1])
    return (max(a[0], _above(b[0], kind)), a[1]), (b[0], min(b[1], _below(a[1], kind)))


def refine_equal(truth, a, b, kind):
    """Operands of `a == b`, given its truth."""
    if truth:
        both = (max(a[0], b[0]), min(a[1], b[1]))
        return both, both
    return _without(a, b, kind), _without(b, a, kind)


def refine_not_equal(truth, a, b, kind):
    """Operands of `a != b`, given its truth."""
    return refine_equal(not truth, a, b, kind)


def _without(a, b, kind):
    if b[0] != b[1]:
        return a
    low, high = a
    return (_above(low, kind) if low == b[0] else low, _below(high, kind) if high == b[0] else high)


def refine_not(truth, a, kind):
    """The operand of `not a`, given its truth."""
    return (FALSE if truth else TRUE,)


def refine_and(truth, a, b, kind):
    """Operands of `a and b`, given its truth."""
    if truth:
        return TRUE, TRUE
    return FALSE if b == TRUE else a, FALSE if a == TRUE else b


def refine_or(truth, a, b, kind):
    """Operands of `a or b`, given its truth."""
    if not truth:
        return FALSE, FALSE
    return TRUE if b == FALSE else a, TRUE if a == FALSE else b


def refine_implies(truth, a, b, kind):
    """Operands of `a implies b`, given its truth."""
    if not truth:
        return TRUE, FALSE
    return FALSE if b == FALSE else a, TRUE if a == TRUE else b
