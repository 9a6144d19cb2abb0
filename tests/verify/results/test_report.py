"""Reports: claims, tables and details."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, prove, screen
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.methods.bounded_model_checking import BoundedSearch
from hl_dsl.verify.simulation.replay import SimulatedRun
from hl_dsl.verify.simulation.trace import render_trace
from tests.support.generators.programs import programs
from tests.verify.test_verdicts import VERDICTS

FIELDS = {
    "id",
    "kind",
    "name",
    "status",
    "claim",
    "method",
    "seconds",
    "line",
    "detail",
    "trace",
    "span",
    "about",
    "components",
    "advice",
    "lemmas",
}


def test_proof_states_its_claim():
    proof = Program.load(VERDICTS / "proved" / "paddle_follows.hl").prove()
    claim = next(result.claim for result in proof.results if result.id == "invariant:command_bounds")
    assert claim == (
        "From every declared initial state, for every parameter, residual and finite input within its declared "
        "range, at every tick, "
        "`command_bounds` holds of the compiled program under IEEE-754 binary64 rounding to nearest, ties to even. "
        "Assumes the `assume` facts "
        "`starts_inside` and `follows`, sin, cos, tanh, exp and atan2 within 4 ulp and their own ranges, no fused or "
        "reassociated arithmetic, and the tools "
        "correct. It does not cover the score or the environment."
    )
    assert "`command_bounds` holds and everything is well defined" in proof.render()


def test_violation_shows_the_line_and_a_table():
    program = Program.load(VERDICTS / "violated" / "paddle_follows.hl")
    proof = program.prove()
    assert set(proof.to_json()["results"][0]) == FIELDS
    text = proof.render(program.source)
    assert "27 |   invariant command_bounds: command in [50 - 7, 216 + 7]" in text
    rows = [line.split() for line in text.splitlines()]
    header = next(row for row in rows if row[:1] == ["tick"])
    assert header[1] == "command" and header[-1] == "action"
    assert proof.summary == "3 proved, 1 violated"
    trace = next(result.trace for result in proof.results if result.status == "violated")
    assert [tick["tick"] for tick in trace] == list(range(len(trace)))
    assert set(trace[0]) == {"tick", "inputs", "memory", "lets", "action", "parameters"}
    assert all(tick["action"] in ("NOOP", "FIRE", "LEFT", "RIGHT") for tick in trace)


def test_monitored_property_is_not_a_goal_but_its_divisor_is():
    text = 'policy p for "Breakout-v5" {{ observe ram act NOOP monitor m: 1 / {} > 2 }}'
    good, bad = Program.parse(text.format("(ram[1] + 1)")), Program.parse(text.format("ram[1]"))
    assert good.prove().passed and not bad.prove().passed
    assert {result.kind for result in good.prove().results} <= {"division", "finite", "integer"}
    assert next(result for result in bad.prove().results if result.kind == "division").status == "ill-defined"


def test_invariant_is_unknown_if_an_obligation_it_depends_on_is_unproved():
    program = Program.parse(
        'policy p for "Breakout-v5" { observe ram act NOOP let q = 1 / ram[1] invariant small: q <= 1 }'
    )
    statuses = {result.id: result for result in program.prove().results}
    assert statuses["invariant:small"].status == "unknown"
    assert "depends on division@1" in statuses["invariant:small"].detail


def test_program_without_goals_passes():
    program = Program.parse('policy p for "Breakout-v5" { observe ram act NOOP }')
    assert program.prove().passed and program.prove().summary == "nothing to prove"


def test_open_goal_is_unknown_without_the_solver():
    program = Program.load(VERDICTS / "proved" / "ghost_counter.hl")
    result = next(
        result for result in prove(program.flow, ProofLimits(solver=False)).results if result.id == "invariant:same"
    )
    assert (result.status, result.detail) == ("unknown", "the solver is disabled")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(program=programs())
def test_goal_ids_are_distinct_and_the_same_in_screening(program):
    ids = [goal.id for goal in list_goals(program.flow)]
    assert len(set(ids)) == len(ids)
    proof = screen(program.flow)
    assert [result.id for result in proof.results if result.id != "assumptions"] == ids
    assert proof.passed == all(result.status == "proved" for result in proof.results)


def test_detail_of_an_unconfirmed_goal_names_the_trace():
    result = next(
        result
        for result in Program.load(VERDICTS / "unconfirmed" / "absorbed.hl").prove().results
        if result.status == "unconfirmed"
    )
    assert (
        result.detail
        == "over the reals, z3 finds that a trace of 1 tick violates it; the replay in floats does not confirm it"
    )


@pytest.mark.parametrize(
    "rows, clear, reason, says",
    [
        (0, 0, "", ""),
        (0, 0, "z3 gave up", "z3 gave up"),
        (0, 1, "", "over the reals, no trace of up to 1 tick violates it"),
        (0, 4, "z3 gave up", "over the reals, no trace of up to 4 ticks violates it; z3 gave up"),
        (
            3,
            2,
            "",
            "over the reals, z3 finds that a trace of 3 ticks violates it and none shorter; the replay in floats "
            "does not confirm it",
        ),
    ],
)
def test_detail_of_a_bounded_search(rows, clear, reason, says):
    assert BoundedSearch(SimulatedRun({}, ((),) * rows) if rows else None, False, clear, reason).says == says


def test_middle_of_a_long_trace_is_omitted():
    trace = [{"tick": tick, "inputs": {"x": tick}, "memory": {}, "lets": {}, "action": "NOOP"} for tick in range(100)]
    lines = render_trace(trace).splitlines()
    assert len(lines) == 26 and lines[9].strip() == "… 76 ticks omitted"
    assert lines[1].split()[0] == "0" and lines[-1].split()[0] == "99" and lines[10].split()[0] == "84"
    assert "omitted" not in render_trace(trace[:25]) and len(render_trace(trace[:25]).splitlines()) == 26
