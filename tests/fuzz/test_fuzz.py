"""The long run of generated programs finds what it is for, makes it small, and repeats."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.operators import OPERATORS, replaced
from hl_dsl.program import Program
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.smt import rounding_error
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver
from tests.fuzz.examine import examine
from tests.fuzz.run_fuzz import share, smallest
from tests.support.generators.admission import Admission, answer
from tests.support.generators.choices import Rolled, reduced


def test_a_share_of_the_run():
    counts, failed = share((11, range(60)))
    assert failed == []
    assert counts["programs"] == 60 and counts["ticks put into the encoding"] > 60


def row(name: str, **changes):
    original = OPERATORS[name]
    return replaced(replace(original, forms=tuple(replace(form, **changes) for form in original.forms)))


@pytest.mark.parametrize(
    "kind, name, changes",
    [
        ("numpy", "less_equal", {"numpy": "{0} < {1}"}),
        ("interval", "max", {"interval": lambda a, b: a}),
        ("encoding", "min", {"z3": lambda z3, a, b: a}),
    ],
    ids=["numpy", "interval", "encoding"],
)
def test_a_defect_is_found_and_made_small(kind, name, changes):
    with row(name, **changes):
        found = None
        for number in range(400):
            choices = Rolled(random.Random(f"5/{number}"))
            if any(problem.kind == kind for problem in examine(choices, Counter()).problems):
                found = choices.taken
                break
        assert found is not None
        best, small = smallest(found, attempts=250)
        assert any(problem.kind == kind for problem in small.problems)
        assert len(best) < len(found) and examine(Rolled(again=best), Counter()).problems == small.problems
    assert examine(Rolled(again=best), Counter()).problems == []


def test_a_list_of_choices_is_reduced_to_what_matters():
    def fails(trial):
        choices = Rolled(again=trial)
        numbers = [choices.below(100) for _ in range(choices.below(50))]
        return choices.taken if any(number >= 60 for number in numbers) else None

    taken = fails([40, *range(30, 70)])
    assert reduced(taken, fails) == [1, 60]


PROGRAM = (
    'policy p for "CartPole-v1" { observe pole.angle, cart.velocity'
    " let x = pole.angle / 3 + mod(cart.velocity, -1.5) act { when x > 0 => RIGHT otherwise => LEFT } }"
)


def test_evaluating_the_encoding_says_what_the_solver_says():
    tier = IntervalStage(Program.parse(PROGRAM).flow)
    admission = Admission(tier, tier.evaluator.base)
    machine = Interpreter(tier.flow)
    generator = random.Random(2)
    with Solver(60) as solver:
        for step in range(20):
            values = list(machine.tick([generator.uniform(-0.4, 0.4), generator.uniform(-3, 3)]).values)
            if step % 2:
                place = generator.choice(
                    [
                        number
                        for number, node in enumerate(tier.flow.nodes)
                        if node.base == "real" and node.op != "constant"
                    ]
                )
                values[place] += generator.choice((1e-9, -1e-9))
            refused = admission.refused(values)
            assert bool(refused) == (answer(solver, tier, [values], tier.evaluator.base) == UNSAT)
            assert bool(refused) == bool(step % 2)


def test_an_encoding_without_its_error_terms_refuses_runs(monkeypatch):
    monkeypatch.setattr(rounding_error, "rounding_error", lambda largest, precision, underflow: Fraction(0))
    tier = IntervalStage(Program.parse(PROGRAM).flow)
    values = Interpreter(tier.flow).tick([0.1, 0.7]).values
    assert Admission(tier, tier.evaluator.base).refused(values)
    with Solver(60) as solver:
        assert answer(solver, tier, [values], tier.evaluator.base) != SAT
