"""A new operator is one row: registered at run time, it works in every part of HL, and no other file changes."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import z3
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.grammar.parser import parse
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.smt.encode import RELATIVE_ERROR, START, Encoding
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import load_card
from hl_dsl.operators import OPERATORS, Form, Operator, intervals, registered, replaced
from hl_dsl.operators.reference_page import page
from hl_dsl.program import Program
from tests.support import row_checks
from tests.support.generators.agreement import disagreements
from tests.support.generators.coverage import operators_of
from tests.support.generators.inputs import interpret, runs
from tests.support.generators.mutants import mutants
from tests.support.generators.programs import programs


def squared(pair):
    size = intervals.absolute(pair)
    return intervals.multiply(size, size)


HYPOT = Operator(
    "hypot",
    "the length of the hypotenuse over {0} and {1}",
    forms=(
        Form(
            ("real", "real"),
            "real",
            scalar=lambda a, b: math.sqrt(a * a + b * b),
            numpy="np.sqrt({0} * {0} + {1} * {1})",
            tape="math.sqrt(a * a + b * b)",
            interval=lambda a, b: intervals.sqrt(intervals.add(squared(a), squared(b))),
        ),
    ),
    samples=((3.0, 4.0), (0.0, -0.0)),
)

TEXT = """\
policy tilt for "CartPole-v1" {
  observe cart.position in [-3.0, 3.0], pole.angle

  let far  = hypot(cart.position, 4)
  let both = hypot([pole.angle, far], 2 * pole.angle)

  act {
    when far > 4.5 => RIGHT
    otherwise      => LEFT
  }

  invariant short: far in [4, 5]
  monitor flat:    both[0] < 0.5
}
"""


pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # operands beyond what is proved


@pytest.fixture(autouse=True)
def hypot():
    with registered(HYPOT):
        yield


def test_it_parses_types_and_formats():
    program = Program.parse(TEXT)
    assert str(program.checked.symbols["far"].type) == "real" and str(program.checked.symbols["both"].type) == "vec[2]"
    assert program.text == TEXT
    assert parse(SourceText(format_policy(program.syntax))).declarations == program.syntax.declarations


def test_what_does_not_fit_it_is_said():
    with pytest.raises(ProgramError) as wrong_type:
        Program.parse(TEXT.replace("hypot(cart.position, 4)", "hypot(cart.position, true)"))
    assert [one.code for one in wrong_type.value.diagnostics] == ["HL303"]
    with pytest.raises(ProgramError) as wrong_count:
        Program.parse(TEXT.replace("hypot(cart.position, 4)", "hypot(cart.position)"))
    assert [one.code for one in wrong_count.value.diagnostics] == ["HL304"]
    with pytest.raises(ProgramError) as misspelt:
        Program.parse(TEXT.replace("hypot(cart.position, 4)", "hipot(cart.position, 4)"))
    assert misspelt.value.diagnostics[0].repair.text == "hypot"


def test_it_is_bounded_and_proved():
    proof = Program.parse(TEXT).prove()
    assert proof.passed, proof.summary
    tighter = Program.parse(TEXT.replace("[4, 5]", "[4, 4.75]")).prove()
    assert [result.status for result in tighter.results if result.kind == "invariant"] == ["violated"]


@pytest.mark.parametrize("query, verdict", [("(> {0} 4.5)", z3.sat), ("(> {0} 5.5)", z3.unsat)])
def test_it_is_encoded(query, verdict):
    flow = Program.parse(TEXT).flow
    tier = IntervalStage(flow)
    encoding = Encoding(tier.evaluator, tier.evaluator.base, START, RELATIVE_ERROR)
    lines = encoding.frame(range(len(flow.nodes)))
    far = encoding.frames[0][flow.values["far"].nodes[0]].text
    solver = z3.Solver()
    solver.from_string("\n".join([*lines, f"(assert {query.format(far)})"]))
    assert solver.check() == verdict


def test_its_forms_hold_together():
    for check in row_checks.checks(HYPOT):
        check(HYPOT)


def test_a_wrong_one_is_caught():
    for mutant in mutants(HYPOT):
        with replaced(mutant.row), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert row_checks.caught(mutant.row), mutant.says


@pytest.mark.parametrize("back_end", ["numpy", "tape", "interpreter"])
def test_it_runs_in_every_back_end(back_end):
    written = []

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(programs(focus="hypot"), st.data())
    def agree(program, data):
        written.append(operators_of(program.policy)["hypot"])
        run = data.draw(runs(program.flow))
        assert disagreements(run, interpret(run), back_end) == []

    agree()
    assert all(written), "the generator writes it into every program"


def test_the_policy_acts():
    policy = Program.parse(TEXT).compile()
    policy.reset(3)
    assert policy.backend == "tape"
    assert policy.act({"observation": np.array([[0.0, 0, 0, 0], [2.5, 0, 0.1, 0], [-3, 0, 0.42, 0]])}).tolist() == [
        0,
        1,
        1,
    ]
    assert policy.monitor_violations.tolist() == [[0], [0], [1]]


def test_it_is_explained_and_has_its_page():
    assert "far is the length of the hypotenuse over cart.position and 4" in Program.parse(TEXT).explain()
    assert page(HYPOT).startswith("## `hypot(a, b)`")


def test_it_is_exported():
    module = {}
    exec(Program.parse(TEXT).export(), module)
    assert module["Policy"](2).act({"observation": np.array([[0.0, 0, 0, 0], [2.5, 0, 0, 0]])}).tolist() == [0, 1]


def test_it_is_part_of_the_program_s_identity():
    assert (
        Program.parse(TEXT).hash != Program.parse(TEXT.replace("hypot(cart.position, 4)", "max(cart.position, 4)")).hash
    )


def test_it_is_gone_afterwards():
    with registered(Operator("twice", "twice {0}", parameters=("x",), formula="2 * x")):
        assert "twice" in OPERATORS
    assert "twice" not in OPERATORS and load_card("CartPole-v1")
    with pytest.raises(ProgramError):
        Program.parse(TEXT.replace("hypot(cart.position, 4)", "twice(cart.position)"))
