"""A verifier with a defect gives a wrong result on a small program.

Each defect occurred in a real verifier: a dropped error term, an open interval end, a swapped strictness, counters as
reals, no base case, and more.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from hl_dsl.operators import intervals, inverse_intervals, scalar, truth_intervals
from hl_dsl.verify.goals import terms
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.intervals import contexts, fixpoint
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods import interval_stage, k_induction
from hl_dsl.verify.smt import encode, rounding_error
from tests.verify.mutation import (
    BREAKOUT,
    CARTPOLE,
    AssumingGoals,
    WithoutBase,
    WithoutDropping,
    WithoutInitialCheck,
    attribute,
    one_round,
    proved,
    row,
    row_with,
)

# (defect, how it is put in, program, whether the sound verifier proves it)
MUTANTS = [
    (
        "no error term",
        lambda: attribute(rounding_error, "rounding_error", lambda largest, precision, underflow: Fraction(0)),
        CARTPOLE.format("let a = clamp(cart.position, -4, 4) invariant p: (a + cart.velocity) - cart.velocity <= 4"),
        False,
    ),
    (
        "no underflow term",
        lambda: attribute(rounding_error, "underflow", lambda form: Fraction(0)),
        BREAKOUT.format("let tiny = (ram[1] + 1) * 1e-200 invariant p: tiny * 1e-200 > 0"),
        False,
    ),
    (
        "an order that rounding does not keep",
        lambda: attribute(
            rounding_error, "_in_order", lambda term, exact, end: [f"(assert (=> (< {exact} {end}) (< {term} {end})))"]
        ),
        CARTPOLE.format("let a = clamp(cart.position, 0, 0.9999999999999999) invariant p: a + 6e-17 < 1").replace(
            "policy p", "policy fine"
        ),
        False,
    ),
    (
        "floats that are never small",
        lambda: attribute(rounding_error, "SMALLEST", {53: Fraction(1, 2**1022), 24: Fraction(1, 2**149)}),
        CARTPOLE.format("invariant p: cart.position * 1e-310 == 0").replace("policy p", "policy fine"),
        False,
    ),
    (
        "half the relative error",
        lambda: attribute(
            rounding_error,
            "bound_by_result",
            lambda term, exact, form: [
                rounding_error._within(
                    term, exact, terms.If(exact < 0, -exact, exact) * terms.literal(Fraction(1, 2**54), terms.REAL)
                )
            ],
        ),
        CARTPOLE.format("let x = clamp(cart.position, 0, 1) invariant p: (x + 1e16) - 1e16 >= x - 0.7").replace(
            "policy p", "policy fine"
        ),
        False,
    ),
    (
        "products that keep their sign when they underflow",
        lambda: row("multiply", underflows=False),
        CARTPOLE.format(
            "let a = cart.position * 1e-200 let b = a * 1e-200 invariant p: cart.position > 1 implies b > 0"
        ),
        False,
    ),
    (
        "a strict comparison that fails taken as strict",
        lambda: row(
            "less",
            refine=lambda truth, a, b, kind: (
                truth_intervals.refine_less(True, a, b, kind)
                if truth
                else tuple(reversed(truth_intervals.refine_less(True, b, a, kind)))
            ),
        ),
        BREAKOUT.format("let q = if ram[1] < 4 then 1 else 10 / (ram[1] - 4)"),
        False,
    ),
    (
        "a strict comparison that holds taken as weak",
        lambda: row("less", refine=truth_intervals.refine_less_equal),
        BREAKOUT.format("let q = if 4 < ram[1] then 10 / (ram[1] - 4) else 1").replace("policy p", "policy intervals"),
        True,
    ),
    (
        "reals stepped like ints",
        lambda: attribute(truth_intervals, "_above", lambda value, kind: value + 1),
        CARTPOLE.format("let q = if cart.position > 0 then sqrt(cart.position - 0.5) else 0"),
        False,
    ),
    (
        "an interval end opened",
        lambda: row("less_equal", interval=lambda a, b: truth_intervals.less_equal((a[0], a[1] - 1), b)),
        BREAKOUT.format("invariant p: ram[1] <= 254"),
        False,
    ),
    (
        "the smaller of two taken as the first",
        lambda: row("min", interval=lambda a, b: a),
        BREAKOUT.format("invariant p: min(ram[1], 10 - ram[2]) >= 0"),
        False,
    ),
    (
        "division through zero by the end points alone",
        lambda: row("divide", interval=lambda a, b: intervals.hull(*(x / y if y else 0.0 for x in a for y in b))),
        BREAKOUT.format("let q = 10 / (if ram[1] == 7 then 0.001 else ram[1] - 7.5) invariant p: abs(q) <= 100"),
        False,
    ),
    (
        "counters as reals",
        lambda: attribute(encode, "SORTS", {"int": terms.REAL, "real": terms.REAL, "bool": terms.BOOL}),
        BREAKOUT.format("invariant p: 2 * ram[1] != 2 * ram[2] + 1"),
        True,
    ),
    (
        "Euclidean division",
        lambda: row("floor_divide", z3=lambda z3, a, b: a / b),
        BREAKOUT.format("invariant p: ram[1] // -2 == -((ram[1] + 1) // 2)"),
        True,
    ),
    (
        "a float32 taken for a float64",
        lambda: row("float32", precision=53, interval=lambda a: a),
        'policy p for "Pendulum-v1" { observe pole.sin act clamp(pole.sin, -0.1, 0.1) invariant p: action in [-0.1, '
        "0.1] }",
        False,
    ),
    (
        "a fixpoint that stops early",
        lambda: attribute(interval_stage, "solve_group", one_round),
        BREAKOUT.format("memory n: int in [0, 9] = 0 { next = n + 1 }"),
        False,
    ),
    (
        "a value taken for the same in every context",
        lambda: attribute(contexts.Context, "circumstances", lambda context, number, *_: (number,)),
        BREAKOUT.format("invariant p: if ram[1] < 10 then ram[1] + 1 <= 10 else ram[1] + 1 <= 10"),
        False,
    ),
    (
        "no base case",
        lambda: attribute(k_induction, "Induction", WithoutBase),
        BREAKOUT.format(
            "memory a: int in [0, 300] = 0 { next = ram[1] } memory b: int in [0, 300] = 5 { next = ram[1] } "
            "invariant p: a == b"
        ),
        False,
    ),
    (
        "the first tick shown by nothing",
        lambda: attribute(k_induction, "Induction", WithoutInitialCheck),
        BREAKOUT.format(
            "memory a: int in [0, 300] = 0 { next = ram[1] } memory b: int in [0, 300] = 5 { next = ram[1] } "
            "invariant p: a == b"
        ),
        False,
    ),
    (
        "hypotheses that failed are kept",
        lambda: attribute(k_induction, "Induction", WithoutDropping),
        BREAKOUT.format(
            "memory a: int in [-900, 900] = 0 { next = clamp(ram[1] + a - b, -900, 900) }"
            "memory b: int in [-900, 900] = 0 { next = clamp(ram[2] + a - b, -900, 900) }"
            "invariant p: a == b invariant asked: previous(a - b, 0) == 0"
        ),
        False,
    ),
    (
        "a wave that only looks at the ends",
        lambda: row("sin", interval=lambda a: tuple(sorted((scalar.sin(a[0]), scalar.sin(a[1]))))),
        CARTPOLE.format("let x = clamp(cart.velocity, 1, 3) invariant p: sin(x) <= 0.9"),
        False,
    ),
    (
        "a transcendental function taken as exact",
        lambda: row("exp", interval=lambda a: (scalar.exp(a[0]), scalar.exp(a[1]))),
        BREAKOUT.format("let x = ram[1] / 255 invariant p: exp(x) <= exp(1.0)"),
        False,
    ),
    (
        "a remainder that never reaches its divisor",
        lambda: row("mod", interval=lambda a, b: (0.0, math.nextafter(b[1], 0.0))),
        CARTPOLE.format("invariant p: mod(cart.position, 1.5) < 1.5"),
        False,
    ),
    (
        "a Euclidean remainder",
        lambda: row("mod", z3=lambda z3, a, b: a % b),
        BREAKOUT.format("invariant p: mod(ram[1], -3) >= 0"),
        False,
    ),
    (
        "backward intervals of a sum without rounding",
        lambda: attribute(inverse_intervals, "outward", lambda pair: pair),
        CARTPOLE.format("invariant p: cart.position + 1e16 <= 1e16 implies cart.position <= 0").replace(
            "policy p", "policy intervals"
        ),
        False,
    ),
    (
        "a guard turned round",
        lambda: row_with("if", guards=((1, 0, False), (2, 0, True))),
        BREAKOUT.format("let q = if ram[1] == 0 then 10 / ram[1] else 1"),
        False,
    ),
    (
        "a guard not looked at",
        lambda: attribute(
            Evaluator, "_guarded", lambda self, args, guards, context: [self.value(arg, context) for arg in args]
        ),
        BREAKOUT.format(
            "let q = if ram[1] > 0 then 10 // ram[1] else 0 let r = if q > 3 then 1 / (if q > 4 then q else 5) else 0 "
            "invariant p: (if ram[1] > 100 then ram[1] else 200) >= 101"
        ).replace("policy p", "policy intervals"),
        True,
    ),
    (
        "a start that is forgotten",
        lambda: attribute(
            fixpoint,
            "_solve_acyclic",
            lambda tick, ranges: [ranges.__setitem__(cell, pair) for cell, pair in tick.stored(ranges).items()],
        ),
        BREAKOUT.format("memory a: int in [0, 10] = 7 { next = min(ram[1], 3) } invariant p: a <= 3"),
        False,
    ),
    (
        "an assumption that vouches for itself",
        lambda: attribute(GraphIndex, "without_assumptions", lambda self, item: False),
        CARTPOLE.format("assume small: exp(1000 * cart.velocity) < 5"),
        False,
    ),
    (
        "the goal supposed in the tick it is asked of",
        lambda: attribute(k_induction, "Induction", AssumingGoals),
        BREAKOUT.format("memory a: int in [0, 900] = 0 { next = min(a + ram[1] // 255, 900) } invariant p: a < 900"),
        False,
    ),
    (
        "ints that are never too large",
        lambda: attribute(interval_stage, "LARGEST_INT", 2**80),
        BREAKOUT.format(
            "memory a: int in [0, 9000000000000000] = 1 { next = if a < 30000000000000 then a * 255 else 1 } let b = "
            "a * 3"
        ),
        False,
    ),
    (
        "floats that are never too large",
        lambda: attribute(interval_stage, "holds", lambda item, pair: item.claim is None or pair == intervals.TRUE),
        CARTPOLE.format("let e = exp(100 * cart.velocity)"),
        False,
    ),
]


@pytest.mark.parametrize("defect, put_in, text, sound", MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_verifier_with_a_defect_gives_a_wrong_result(defect, put_in, text, sound):
    assert proved(text) is sound
    with put_in():
        assert proved(text) is not sound
