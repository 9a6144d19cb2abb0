"""Bounds on the distance of a rounded result from the exact one.

Rounding to nearest moves a result by at most half a unit in the last place: 2^-53 of its size for binary64, plus
2^-1075 below the normal floats (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 2.2). A coarse
bound keeps a query linear; finer bounds prove what the coarse one does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from hl_dsl.operators.table import Form
from hl_dsl.verify.goals.terms import REAL, If, Term, literal

# The smallest float above zero, by bits of precision.
SMALLEST = {53: Fraction(1, 2**1074), 24: Fraction(1, 2**149)}
# Below these sizes an exact result certainly rounds to a finite float.
OVERFLOW = {53: Fraction(2**1023), 24: Fraction(2**127)}


def underflow(form: Form) -> Fraction:
    """Returns the largest error of a result below the normal floats: half the distance of floats there."""
    return SMALLEST[form.precision] / 2 if form.underflows else Fraction(0)


def bound_by_interval(term: Term, exact: Term, form: Form, largest: float) -> list[str]:
    """Asserts that the error is at most 2^-53 times the largest size of the result, plus the underflow error.

    Args:
        term: The rounded result.
        exact: The exact result.
        form: The operator's form.
        largest: Upper bound of the result's size, from its interval.

    Returns:
        SMT-LIB commands.
    """
    if largest == math.inf:
        return bound_by_result(term, exact, form)
    return [_within(term, exact, literal(rounding_error(largest, form.precision, underflow(form)), REAL))]


def bound_by_result(term: Term, exact: Term, form: Form) -> list[str]:
    """Asserts that the error is at most 2^-53 times the size of the exact result, plus the underflow error."""
    size = If(exact < 0, -exact, exact)
    return [_within(term, exact, size * literal(Fraction(1, 2**form.precision), REAL) + literal(underflow(form), REAL))]


def bound_finely(term: Term, exact: Term, form: Form, compared: Iterable[float]) -> list[str]:
    """Asserts the tightest facts known about a rounded result.

    These are the relative bound, that no float lies between zero and the smallest one, and that rounding to nearest
    keeps the order of the exact result and each float in `compared`.

    Args:
        term: The rounded result.
        exact: The exact result.
        form: The operator's form.
        compared: Literals that conditions compare the result with.

    Returns:
        SMT-LIB commands.
    """
    small = literal(SMALLEST[form.precision], REAL).text
    lines = [
        *bound_by_result(term, exact, form),
        f"(assert (or (= {term.text} 0.0) (<= {small} {term.text}) (<= {term.text} (- {small}))))",
    ]
    if form.precision == 53:
        for value in {0.0, *compared}:
            lines += _in_order(term.text, exact.text, literal(value, REAL).text) if abs(value) < math.inf else []
    return lines


def _in_order(term: str, exact: str, end: str) -> list[str]:
    """Asserts that a result lies on the same side of a float as the exact one, or equals that float."""
    return [
        f"(assert (=> (<= {exact} {end}) (<= {term} {end})))",
        f"(assert (=> (<= {end} {exact}) (<= {end} {term})))",
    ]


def _within(term: Term, exact: Term, error: Term) -> str:
    return f"(assert (<= (- {error.text}) (- {term.text} {exact.text}) {error.text}))"


def rounding_error(largest: float, precision: int, underflow: Fraction) -> Fraction:
    """Returns a bound on the error of a result of at most size `largest`, as a short fraction."""
    error: Fraction = Fraction(largest) / 2**precision + underflow
    if not error:
        return error
    top, bottom = error.numerator, error.denominator
    shift = bottom.bit_length() - top.bit_length() + 12
    return Fraction(math.ceil(error * 2**shift), 2**shift) if shift > 0 else Fraction(math.ceil(error))
