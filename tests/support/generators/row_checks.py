"""What must hold of a row of the operator table, each as a function that raises AssertionError.

They are used twice: on the table as it is, and on mutated rows, which at least one of them must catch.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import z3
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.backends.numpy_backend.lanes import NumpyLanes
from hl_dsl.compiler.backends.tape import step
from hl_dsl.compiler.lowering.lower import lower
from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Let, Name, Number, Observe, Observed, PolicyDeclaration, Rule

from hl_dsl.base.source import SourceText
from hl_dsl.cards import ActionSpace, Card, Field
from hl_dsl.language.checker import check
from hl_dsl.operators import Operator, scalar
from hl_dsl.operators.intervals import ANYTHING
from tests.support.generators.bench import (
    INTS,
    LARGEST,
    REALS,
    Applied,
    bench,
    forms_of,
    frame_of,
    samples,
    with_constants,
)
from tests.support.generators.formulas import DEFINITIONS, OPERANDS, OVER_TIME
from tests.support.generators.inputs import bits

BOX_ENDS = {
    "real": tuple(sorted(x for x in REALS if x == x)) + (4.0, 20.0, 0.1, -0.1, 100.0, 2.0, 3.0),
    "int": tuple(sorted(INTS)),
    "bool": (0, 1),
}


def differences(lanes, applications: list[Applied], most: int = 600) -> list[str]:
    """Where a back end, which runs the bench of these applications, does not equal the definition bit for bit."""
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
    """The compiled form's source, run by Python. (Compiled, all rows are tried at once elsewhere.)"""
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
    """The row's claims about a box, tried at a point of it: the result's range, and what knowing the result narrows.

    Operands are finite: that they are is another obligation, of the node they come from.
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


def random_boxes(item: Applied, count: int):
    """Boxes with a point in each: ends from the edge values, often narrow, often degenerate."""
    dice = Random(f"{item.row.name} {item.bases}")
    for _ in range(count):
        pairs = [_pair_and_value(dice, base) for base in item.bases]
        yield tuple(pair for pair, _ in pairs), tuple(value for _, value in pairs)


def _pair_and_value(dice: Random, base: str) -> tuple:
    low, high = sorted((dice.choice(BOX_ENDS[base]), dice.choice(BOX_ENDS[base])))
    if dice.random() < 0.3:
        high = low
    value = dice.choice((low, high, _between(dice, base, low, high)))
    if base == "real":
        value = value if math.isfinite(value) else _between(dice, base, low, high)
        low, high = min(low, value), max(high, value)
    return (low, high), bool(value) if base == "bool" else value


def _between(dice: Random, base: str, low, high):
    if base != "real":
        return dice.randint(low, high)
    finite = [end for end in (low, high) if math.isfinite(end)] or [0.0]
    value = dice.choice(
        (dice.uniform(min(finite), max(finite)) if len(finite) > 1 else finite[0], finite[0] * 0.5, finite[-1] * 2 + 1)
    )
    value = min(max(value, low), high)
    return value if math.isfinite(value) else finite[0]


def check_interval(row: Operator, count: int = 500) -> None:
    for item in forms_of([row]):
        for box, point in random_boxes(item, count):
            check_interval_at(item, box, point)
        # A point's interval is a point, up to the error of the kernel: an interval rule that says "anything" proves nothing.
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
    """The exact form equals the definition on fractions, and the float result is that, rounded where the row says so."""
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
    """An operand is only needed under a condition: exactly where, beside a bool operand, it makes no difference."""
    for item in forms_of([row]):
        values = {"real": (0.5, 2.5), "int": (1, 3), "bool": (False, True)}
        needless = set()
        for position, base in enumerate(item.bases):
            for by, by_base in enumerate(item.bases):
                if by_base != "bool" or by >= position:
                    continue
                for truth in (False, True):
                    if not _matters(item, values, position, by, truth):
                        needless.add((position, by, not truth))
        assert needless == set(row.guards), (
            f"{row.name}: {sorted(needless)} can be told from the definition, {row.guards} is declared"
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


def check_formula(row: Operator) -> None:
    """A formula or a fold, as a program runs it, equals the definition written by hand, bit for bit."""
    for operands in OPERANDS[row.name]:
        found, wanted = run_row(row, operands), DEFINITIONS[row.name](*operands)
        assert bits(float(found)) == bits(float(wanted)), f"{row.name}{operands} is {found!r}, not {wanted!r}"


def run_row(row: Operator, operands: tuple):
    """The row applied in a program, to observations, by the interpreter. Lists are vectors."""
    fields, raw, names = {}, [], []
    for position, value in enumerate(operands):
        items = value if isinstance(value, list) else [value]
        base = {bool: "bool", int: "int", float: "real"}[type(items[0])]
        low, high = (-LARGEST, LARGEST) if base != "bool" else (0, 1)
        many = isinstance(value, list)
        names.append(f"x{position}")
        fields[names[-1]] = Field(
            names[-1],
            base,
            len(items) if many else None,
            (low,) * len(items),
            (high,) * len(items),
            (0,) * len(items),
            "observation",
            tuple(range(len(raw), len(raw) + len(items))),
            "",
            "",
        )
        raw += items
    card = Card(
        "Row-v0", "made up", fields, ActionSpace(None, 1, (-1e300,), (1e300,), "float64"), 1, None, ("standard",), ""
    )
    result = Let("result", Apply(row.name, tuple(map(Name, names))))
    observe = Observe(tuple(Observed(name, None, None) for name in names))
    flow = lower(
        check(
            PolicyDeclaration("row", "Row-v0", (observe, result, Act((Rule(None, Number(0.0)),)))), card, SourceText("")
        )
    )
    by_place = {entry.column: position for position, entry in enumerate(flow.inputs)}
    tick = Interpreter(flow).tick([raw[column] for column in sorted(by_place, key=by_place.get)])
    return tick.values[flow.values["result"].nodes[0]]


def check_requirements(row: Operator) -> None:
    """Where a row's requirements hold, its definition is the plain one; where they do not, the row is not asked."""
    wanted = REQUIRED.get(row.name, ())
    assert tuple(requirement.formula for requirement in row.requires) == wanted, f"{row.name} requires {row.requires}"


# The language's own words on where an operator means something (docs/language.md), beside the table's.
REQUIRED = {
    "divide": ("b != 0",),
    "floor_divide": ("b != 0",),
    "mod": ("b != 0",),
    "sqrt": ("a >= 0",),
    "popcount": ("a >= 0",),
    "clamp": ("low <= high",),
    "reflect": ("low < high",),
}


def checks(row: Operator):
    """The checks that concern a row."""
    yield check_requirements
    if row.forms:
        yield from FORM_CHECKS
    elif row.name not in OVER_TIME:
        yield check_formula


def caught(row: Operator) -> bool:
    """Whether some check fails on a row that stands in the table, which is what a mutated one must come to."""
    for check_one in checks(row):
        try:
            check_one(row)
        except Exception:
            return True
    return False
