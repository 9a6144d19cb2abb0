"""Every row of the operator table, form by form: total, the same in every back end, soundly bounded, soundly encoded.

The checks themselves are in tests/support/row_checks.py, and are tried on wrong rows here too.
"""

from __future__ import annotations

import math
import warnings
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.compiler.backends.interpreter_backend import InterpreterLanes
from hl_dsl.compiler.backends.numpy_backend.lanes import NumpyLanes
from hl_dsl.compiler.backends.tape.program import TapeLanes
from hl_dsl.operators import OPERATORS, Operator, replaced
from hl_dsl.program import Program
from tests.support import row_checks
from tests.support.generators.bench import INTS, all_forms, bench, samples, with_constants
from tests.support.generators.formulas import DEFINITIONS, OVER_TIME
from tests.support.generators.mutants import mutants

ROWS = list(OPERATORS)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # operands beyond what is proved


@pytest.mark.parametrize("name", ROWS)
def test_a_row_holds_together(name):
    row = OPERATORS[name]
    for check in row_checks.checks(row):
        check(row)


@pytest.mark.parametrize(
    "back_end, most",
    [(InterpreterLanes, 150), (NumpyLanes, 3000), (TapeLanes, 3000)],
    ids=["interpreter", "numpy", "tape"],
)
def test_a_back_end_equals_every_definition(back_end, most):
    applications = all_forms() + with_constants(all_forms())
    assert row_checks.differences(back_end(bench(applications)), applications, most) == []


def test_every_form_is_total():
    for item in all_forms():
        for operands in samples(item, 3000):
            assert item.form.scalar(*operands) is not None, (item.row.name, operands)


def test_every_formula_row_has_a_definition_written_by_hand():
    assert {row.name for row in OPERATORS.values() if row.formula or row.fold} == {*DEFINITIONS, *OVER_TIME}


def test_a_row_is_either_forms_or_a_formula_or_a_fold():
    for row in OPERATORS.values():
        assert sum(map(bool, (row.forms, row.formula, row.fold))) == 1, row.name
        assert all(len(form.operands) == row.arity for form in row.forms), row.name


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_intervals_hold_what_the_definition_gives(data):
    item = data.draw(st.sampled_from(all_forms()), label="form")
    box, point = [], []
    for base in item.bases:
        numbers = {
            "real": st.floats(allow_nan=False, allow_infinity=False),
            "bool": st.integers(0, 1),
            "int": st.one_of(st.sampled_from(INTS), st.integers(-20, 20), st.integers(-(2**53), 2**53)),
        }[base]
        low, value, high = sorted(data.draw(st.tuples(numbers, numbers, numbers)))
        if base == "real" and data.draw(st.integers(0, 9)) == 9:
            low, high = data.draw(st.sampled_from(((-math.inf, high), (low, math.inf), (-math.inf, math.inf))))
        box.append((low, high))
        point.append(bool(value) if base == "bool" else value)
    row_checks.check_interval_at(item, tuple(box), tuple(point))


def test_intervals_of_ints_end_in_ints():
    """The solver gets them as literals of its integers."""
    ends = (-math.inf, -(2**53), -3, 0, 1, 7, 2**53, math.inf)
    boxes = {
        "real": [(float(a), float(b)) for a in ends for b in ends if a <= b],
        "int": [(a, b) for a in ends[:-1] for b in ends[1:] if a <= b],
        "bool": [(0, 0), (0, 1), (1, 1)],
    }
    for item in all_forms():
        if item.form.result == "int":
            for box in product(*(boxes[base] for base in item.bases)):
                assert all(type(end) is int or math.isinf(end) for end in item.form.interval(*box)), (
                    item.row.name,
                    box,
                )


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_an_operand_that_occurs_twice(data):
    item = data.draw(st.sampled_from([item for item in all_forms() if item.form.with_itself is not None]), label="form")
    numbers = (
        st.floats(allow_nan=False)
        if item.bases[0] == "real"
        else st.one_of(st.integers(-20, 20), st.integers(-(2**53), 2**53))
    )
    low, value, high = sorted(data.draw(st.tuples(numbers, numbers, numbers)))
    ends = item.form.with_itself((low, high))
    assert ends == (-math.inf, math.inf) or ends[0] <= item.form.scalar(value, value) <= ends[1]
    plain = item.form.interval((low, high), (low, high))
    assert plain[0] <= ends[0] and ends[1] <= plain[1]
    assert all(type(end) is int or math.isinf(end) for end in ends) or item.bases[0] == "real"


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_narrow_boxes_far_and_near(data):
    """Boxes a few units in the last place wide, where an end computed with the wrong rounding shows."""
    item = data.draw(st.sampled_from([item for item in all_forms() if set(item.bases) == {"real"}]), label="form")
    box, point = [], []
    for _ in item.bases:
        value = data.draw(st.one_of(st.floats(-10, 10), st.floats(allow_nan=False, allow_infinity=False)))
        low, high = (_steps(value, data.draw(st.integers(0, 3)), way) for way in (-math.inf, math.inf))
        box.append((low, high))
        point.append(data.draw(st.sampled_from([end for end in (low, value, high) if math.isfinite(end)])))
    row_checks.check_interval_at(item, tuple(box), tuple(point))


def _steps(value: float, count: int, towards: float) -> float:
    for _ in range(count):
        value = math.nextafter(value, towards)
    return value


def test_rising_is_true_in_the_tick_a_condition_becomes_true():
    from hl_dsl.compiler.backends.interpreter import Interpreter

    flow = Program.parse(
        'policy p for "CartPole-v1" { observe pole.angle let up = rising(pole.angle > 0) act LEFT }'
    ).flow
    machine = Interpreter(flow)
    seen = [machine.tick([angle]).values[flow.values["up"].nodes[0]] for angle in (0.1, 0.1, -0.1, 0.1, -0.1, -0.1)]
    assert seen == [True, False, False, True, False, False]


@pytest.mark.parametrize("name", ROWS)
def test_a_mutation_of_a_row_is_caught(name):
    found = list(mutants(OPERATORS[name]))
    assert found or name in OVER_TIME
    for mutant in found:
        with replaced(mutant.row), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert _fails(mutant.check, mutant.row) or row_checks.caught(mutant.row), f"nothing catches {mutant.says}"


def test_a_mutated_rising_is_caught():
    row = OPERATORS["rising"]
    for formula in ("b", "not previous(b, false)", "b and not previous(b, true)", "b and previous(b, false)"):
        with replaced(Operator(row.name, row.says, parameters=row.parameters, formula=formula)):
            assert _fails(lambda _: test_rising_is_true_in_the_tick_a_condition_becomes_true(), row), formula


def _fails(check, row: Operator) -> bool:
    try:
        check(row)
    except Exception:
        return True
    return False
