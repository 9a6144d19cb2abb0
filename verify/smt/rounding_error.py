"""How far a rounded result is from the exact one: coarse bounds that keep a question small, and fine ones for what they miss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from hl_dsl.verify.goals.terms import REAL, If, Term, literal

from hl_dsl.operators.table import Form

# The smallest float above zero, by bits of precision.
SMALLEST = {53: Fraction(1, 2**1074), 24: Fraction(1, 2**149)}
# Below these sizes an exact result certainly rounds to a finite float.
OVERFLOW = {53: Fraction(2**1023), 24: Fraction(2**127)}


def underflow(form: Form) -> Fraction:
    """What a result below the normal floats may be off by: half the distance of floats there."""
    return SMALLEST[form.precision] / 2 if form.underflows else Fraction(0)


def bound_by_interval(term: Term, exact: Term, form: Form, largest: float) -> list[str]:
    """That the error is at most 2^-53 times the result's greatest size, and what underflow adds."""
    if largest == math.inf:
        return bound_by_result(term, exact, form)
    return [_within(term, exact, literal(rounding_error(largest, form.precision, underflow(form)), REAL))]


def bound_by_result(term: Term, exact: Term, form: Form) -> list[str]:
    """That the error is at most 2^-53 times the result's own size, and what underflow adds."""
    size = If(exact < 0, -exact, exact)
    return [_within(term, exact, size * literal(Fraction(1, 2**form.precision), REAL) + literal(underflow(form), REAL))]


def bound_finely(term: Term, exact: Term, form: Form, compared: Iterable[float]) -> list[str]:
    """The relative bound; that no float lies between zero and the smallest; and, because rounding to nearest keeps order and
    floats as they are, on which side of the floats it is `compared` with the result lies."""
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
    """That a result is on the side of a float that the exact one is on, or is that float."""
    return [
        f"(assert (=> (<= {exact} {end}) (<= {term} {end})))",
        f"(assert (=> (<= {end} {exact}) (<= {end} {term})))",
    ]


def _within(term: Term, exact: Term, error: Term) -> str:
    return f"(assert (<= (- {error.text}) (- {term.text} {exact.text}) {error.text}))"


def rounding_error(largest: float, precision: int, underflow: Fraction) -> Fraction:
    """A bound on the error of a result of at most this size, as a short fraction."""
    error = Fraction(largest) / 2**precision + underflow
    if not error:
        return error
    top, bottom = error.numerator, error.denominator
    shift = bottom.bit_length() - top.bit_length() + 12
    return Fraction(math.ceil(error * 2**shift), 2**shift) if shift > 0 else Fraction(math.ceil(error))
