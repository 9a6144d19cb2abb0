"""Checks of one row of the operator table; each raises AssertionError.

They are used twice: on the table as it is, and on mutated rows, of which at least one check must fail.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import z3

from hl_dsl.compiler.backends.numpy_backend.lanes import NumpyLanes
from hl_dsl.compiler.backends.tape import step
from hl_dsl.operators import Operator, scalar
from hl_dsl.operators.intervals import ANYTHING
from tests.support.generators.bench import (
    LARGEST,
    Applied,
    bench,
    forms_of,
    frame_of,
    samples,
    with_constants,
)
from tests.support.generators.boxes import random_boxes
from tests.support.generators.formulas import OVER_TIME
from tests.support.generators.inputs import bits
from tests.support.row_formula_checks import check_formula, check_requirements


def differences(lanes, applications: list[Applied], most: int = 600) -> list[str]:
    """Differences between a back end that runs these applications and the definition, bit for bit."""
    found = []
    for component, item in enumerate(applications):
        operands = samples(item, most)
        lanes.start(len(operands), [])
        results = np.asarray(lanes.tick(frame_of(item.bases, operands))).reshape(len(operands), -1)[:, component]
        for values, result in zip(operands, results):
            wanted = item.scalar(values)
            if wanted is not None and bits(wanted) != bits(result):
                found.append(f"{item.row.name}{values} is {wanted!r}, not {float(result)!r}")
                break
    return found


def check_numpy(row: Operator) -> None:
    applications = forms_of([row])
    applications += with_constants(applications)
    if applications:
        assert differences(NumpyLanes(bench(applications)), applications, 300) == []


class _TotalMath:
    """The C library's functions without Python's exceptions, as compiled code calls them."""

    def __getattr__(self, name):
        value = getattr(math, name)
        if not callable(value):
            return value

        def call(*operands):
            try:
                return value(*operands)
            except OverflowError:
                return math.inf
            except ValueError:
                return math.nan

        return call


_TAPE_NAMES = {**vars(step), "math": _TotalMath(), "float32": np.float32}


def check_tape(row: Operator) -> None:
    """Checks the source of the compiled form, run by Python. Another test compiles all rows at once."""
    for item in forms_of([row]):
        code = compile(item.form.tape, f"<{row.name}>", "eval")
        for operands in samples(item):
            wanted = item.scalar(operands)
            if wanted is None:
                continue
            registers = {name: np.float64(value) for name, value in zip("abc", operands)}
            with np.errstate(all="ignore"):
                result = eval(code, {**_TAPE_NAMES, **registers})
            assert bits(result) == bits(wanted), f"{row.name}{operands}: {result!r} is not {wanted!r}"


def _contains(pair, value) -> bool:
    return pair == ANYTHING if value != value else pair[0] <= value <= pair[1]


def check_interval_at(item: Applied, box: tuple, point: tuple) -> None:
    """Checks the row's claims about a box at one point: the range of the result, and the operands narrowed by it.

    Operands are finite; an obligation of their own node requires it.
    """
    form, kind = item.form, item.bases[-1]
    result = form.scalar(*point)
    if type(result) is int and abs(result) > 2**60:
        return
    pair = form.interval(*box)
    assert _contains(pair, result), f"{item.row.name}: {point} in {box} gives {result}, outside {pair}"
    if form.refine is not None:
        _inside(item, form.refine(bool(result), *box, kind), point, f"{box} given {result}")
    if form.backward is not None and not (isinstance(result, float) and result != result):
        for given in ((result, result), _around(result, pair)):
            _inside(item, form.backward(given, *box, kind), point, f"{box} given {given}")


def _around(value, pair) -> tuple:
    return (max(pair[0], value - 2), min(pair[1], value + 1))


def _inside(item: Applied, narrowed, point: tuple, where: str) -> None:
    for pair, value in zip(narrowed or (), point):
        assert value != value or pair[0] <= value <= pair[1], (
            f"{item.row.name}: {point} in {where} is narrowed away to {narrowed}"
        )


def check_interval(row: Operator, count: int = 500) -> None:
    for item in forms_of([row]):
        for box, point in random_boxes(item, count):
            check_interval_at(item, box, point)
        # The interval of a point is a point, up to the kernel's error. A rule that returns `ANYTHING` proves nothing.
        for point in samples(item, 60):
            if all(not isinstance(value, float) or abs(value) < 1e3 for value in point) and not _outside_requirements(
                row, point
            ):
                size = abs(item.form.scalar(*point))
                if not size <= LARGEST:
                    continue
                low, high = item.form.interval(*((value, value) for value in point))
                assert high - low <= 1e-9 * max(1.0, size) or high - low <= LOOSE.get(row.name, 0), (
                    f"{row.name}{point} is in {(low, high)}"
                )


# Rows whose interval of a point is allowed to be wider than rounding, and by how much.
LOOSE = {"popcount": 64, "atan2": 2 * math.pi}


def _outside_requirements(row: Operator, point: tuple) -> bool:
    names = dict(zip(row.parameters, point))
    return any(not eval(requirement.formula, {}, names) for requirement in row.requires)


def check_z3(row: Operator) -> None:
    """The exact form equals the definition on fractions; the float result is that, rounded if the row rounds."""
    for item in forms_of([row]):
        if item.form.z3 is None:
            continue
        for operands in samples(item, 150):
            if any(isinstance(value, float) and not math.isfinite(value) for value in operands):
                continue
            exact = _solver_value(item.form.z3(z3, *(_solver_literal(value) for value in operands)))
            wanted = item.form.scalar(*(Fraction(value) if isinstance(value, float) else value for value in operands))
            if not (item.form.rounds and type(wanted) is float):
                assert exact == wanted, f"{row.name}{operands}: the solver says {exact}, the definition {wanted}"
            result = item.form.scalar(*operands)
            if isinstance(result, float) and math.isfinite(result):
                near = _rounded(exact, item.form.precision) if item.form.rounds else exact
                assert near == result, (
                    f"{row.name}{operands}: {result!r} is not {exact}{' rounded' if item.form.rounds else ''}"
                )


def _rounded(exact: Fraction, precision: int) -> float:
    try:
        return scalar.float32(float(exact)) if precision == 24 else float(exact)
    except OverflowError:
        return math.inf


def _solver_literal(value):
    if isinstance(value, bool):
        return z3.BoolVal(value)
    if isinstance(value, int):
        return z3.IntVal(value)
    fraction = Fraction(value)
    return z3.Q(fraction.numerator, fraction.denominator)


def _solver_value(expression):
    value = z3.simplify(expression)
    if z3.is_bool(value):
        return z3.is_true(value)
    return (
        value.as_long() if z3.is_int_value(value) else Fraction(value.numerator_as_long(), value.denominator_as_long())
    )


def check_guards(row: Operator) -> None:
    """The declared guards are exactly the bool operands under which another operand cannot change the result."""
    for item in forms_of([row]):
        values = {"real": (0.5, 2.5), "int": (1, 3), "bool": (False, True)}
        needless = set()
        for position in range(len(item.bases)):
            for by, by_base in enumerate(item.bases):
                if by_base != "bool" or by >= position:
                    continue
                for truth in (False, True):
                    if not _matters(item, values, position, by, truth):
                        needless.add((position, by, not truth))
        assert needless == set(row.guards), (
            f"{row.name}: the definition implies {sorted(needless)}, {row.guards} is declared"
        )


def _matters(item: Applied, values: dict, position: int, by: int, truth: bool) -> bool:
    """Whether the operand at `position` can change the result while operand `by` is `truth`."""
    for operands in product(*(values[base] for base in item.bases)):
        if operands[by] is not truth:
            continue
        results = {
            item.form.scalar(*operands[:position], other, *operands[position + 1 :])
            for other in values[item.bases[position]]
        }
        if len(results) > 1:
            return True
    return False


def check_commutative(row: Operator) -> None:
    if row.commutative:
        for item in forms_of([row]):
            for operands in samples(item, 100):
                assert bits(float(item.form.scalar(*operands))) == bits(float(item.form.scalar(*reversed(operands)))), (
                    f"{row.name}{operands} does not commute"
                )


FORM_CHECKS = (check_tape, check_numpy, check_interval, check_z3, check_guards, check_commutative)


def with_form(row: Operator, position: int, **changes) -> Operator:
    """The row with one of its forms changed."""
    forms = list(row.forms)
    forms[position] = replace(forms[position], **changes)
    return replace(row, forms=tuple(forms))


def checks(row: Operator):
    """The checks that apply to a row."""
    yield check_requirements
    if row.forms:
        yield from FORM_CHECKS
    elif row.name not in OVER_TIME:
        yield check_formula


def caught(row: Operator) -> bool:
    """Returns whether a check fails on a row of the table. A mutated row must be caught."""
    for check_one in checks(row):
        try:
            check_one(row)
        except Exception:
            return True
    return False
