"""Vacuous properties: the reason names the form of the property."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, proof_pipeline, prove, screen, vacuity
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.methods import interval_stage
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.simulation.simulate import simulate

TIMER = "memory t: int in [0, 300] = 0 { next = min(t + 1, 300) } "


@pytest.mark.parametrize(
    "declarations, detail",
    [
        (
            "invariant p: ram[1] > 300 implies action == NOOP",
            "the condition of an `implies` in it is never true: `300 < ram[1]`",
        ),
        (
            "invariant p: ram[2] > 3 implies (ram[1] > 300 implies action == NOOP)",
            "the condition of an `implies` in it is never true: `300 < ram[1]`",
        ),
        (
            "assume low: ram[1] < 9 invariant p: ram[1] > 20 implies action == NOOP",
            "the condition of an `implies` in it is never true where the `assume` facts hold: `20 < ram[1]`",
        ),
        (
            "let high = ram[1] > 300 invariant p: within 3 of high: action == NOOP",
            "the trigger of its `within` is never true: `high`",
        ),
        (
            "invariant p: after ram[1] > 300 until ram[2] == 0: action == NOOP",
            "the trigger of its `after` is never true: `300 < ram[1]`",
        ),
        (
            "invariant p: after ram[1] == 7 until ram[1] > 2: action == NOOP",
            "the interval that its `after` starts is empty: its `until` is true whenever it starts",
        ),
        # By the solver.
        (
            "invariant p: within 3 of ram[1] > ram[2] and ram[2] > ram[1]: action == NOOP",
            "the trigger of its `within` is never true: `ram[2] < ram[1] and ram[1] < ram[2]`",
        ),
        (
            "assume none: ram[3] > 255 invariant p: within 3 of ram[1] > 300: action == NOOP",
            "the assumptions contradict each other",
        ),
        (
            "assume odd: 2 * ram[2] == 2 * ram[3] + 1 invariant p: ram[1] > 300 implies action == NOOP",
            "the condition of an `implies` in it is never true where the `assume` facts hold: `300 < ram[1]`",
        ),
        (
            "assume odd: 2 * ram[2] == 2 * ram[3] + 1 invariant p: ram[1] > 30 implies ram[1] > 29",
            "the assumptions contradict each other",
        ),
        ("reachable p: ram[1] > 300", "it is false at every tick of every run"),
        (
            TIMER + "assume early: t < 10 reachable p: t == 20",
            "it is false at every tick of every run that keeps the `assume` facts `early`; without them a run "
            "reaches it",
        ),
        (
            TIMER + "assume early: t < 10 reachable p: t == 301",
            "it is false at every tick of every run that keeps the `assume` facts `early`",
        ),
    ],
)
def test_vacuous_claim_has_a_reason(declarations, detail):
    program = Program.parse(f'policy p for "Breakout-v5" {{ observe ram {declarations} act NOOP }}')
    result = next(result for result in program.prove().results if result.name == "p")
    assert (result.status, result.detail) == ("vacuous", detail)


@pytest.mark.parametrize(
    "claim",
    [
        "action == LEFT and (pole.angle > 5 implies action == RIGHT)",
        "(pole.angle > 5 implies action == RIGHT) and action == LEFT",
        "all([action == LEFT, pole.angle > 5 implies action == RIGHT])",
        "not (action == RIGHT or pole.angle > 5)",
        "never action == RIGHT or pole.angle > 5",
        "pole.angle > -5 implies ((pole.angle > 5 implies action == RIGHT) and action == LEFT)",
        "within 2 of pole.angle > -5: action == LEFT and (pole.angle > 5 implies action == RIGHT)",
        "after pole.angle > -5 until pole.angle > 5: (pole.angle > 5 implies action == RIGHT) and action == LEFT",
    ],
)
def test_violated_claim_with_unmet_condition_is_violated(claim):
    flow = Program.parse(f'policy push for "CartPole-v1" {{ observe pole.angle act RIGHT invariant p: {claim} }}').flow
    (result,) = [result for result in prove(flow).results if result.name == "p"]
    assert result.status == "violated" and result.trace
    (screened,) = [result for result in screen(flow).results if result.name == "p"]
    assert screened.status == "unknown"


def test_reachable_claim_with_unmet_condition_has_a_witness():
    flow = Program.parse(
        'policy push for "CartPole-v1" { observe pole.angle act RIGHT '
        "reachable p: not ((pole.angle > 5 implies action == RIGHT) and action == LEFT) }"
    ).flow
    (result,) = [result for result in prove(flow).results if result.name == "p"]
    assert result.status == "proved" and result.trace
    assert screen(flow).passed


@pytest.mark.parametrize(
    "claim, status",
    [
        ("pole.angle > 5 implies 1 / pole.angle > 0", "vacuous"),  # the division is never evaluated
        ("(1 / pole.angle > 0 and pole.angle > 5) implies action == LEFT", "unknown"),  # the division may be by zero
    ],
)
def test_claim_on_an_unproved_obligation_is_not_vacuous(claim, status):
    program = Program.parse(f'policy push for "CartPole-v1" {{ observe pole.angle act RIGHT invariant p: {claim} }}')
    assert [result.status for result in program.prove().results if result.name == "p"] == [status]


ATOMS = (
    "action == LEFT",
    "action == RIGHT",
    "pole.angle > 5",
    "pole.angle > -5",
    "pole.angle > 0.1",
    "t > 20",
    "t >= 0",
    "t > 2",
    "b",
    "not b",
)
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} implies {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("all([{}, {}])".format, inner, inner),
        st.builds("any([{}, {}])".format, inner, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)
CLAIMS = st.one_of(
    CONDITIONS,
    st.builds("{} and ({} implies {})".format, CONDITIONS, CONDITIONS, CONDITIONS),
    st.builds("never {}".format, CONDITIONS),
    st.builds("within 2 of {}: {}".format, CONDITIONS, CONDITIONS),
    st.builds("after {} until {}: {}".format, CONDITIONS, CONDITIONS, CONDITIONS),
)
ASSUMPTIONS = st.sampled_from(
    ("", "assume up: pole.angle > 0.2 ", "assume early: t < 3 ", "assume none: pole.angle > 0.4 and t > 20 ")
)
ACTIONS = st.sampled_from(
    (
        "act RIGHT",
        "act { when pole.angle > 0.1 => LEFT otherwise => RIGHT }",
        "act { when t > 2 => LEFT otherwise => RIGHT }",
    )
)
QUICK = ProofLimits(solver_steps=50_000, depths=(0, 1), bounded_depths=(4, 6), bounded_steps=50_000, lanes=0)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    assumption=ASSUMPTIONS,
    act=ACTIONS,
    claim=CLAIMS,
    kind=st.sampled_from(("invariant", "reachable")),
    seed=st.integers(0, 99),
)
def test_only_proved_claims_are_vacuous(assumption, act, claim, kind, seed):
    """For a vacuous claim, no simulated run violates it, and it is proved if vacuity detection is disabled."""
    if kind == "reachable" and claim.startswith(("never", "within", "after")):
        kind = "invariant"
    flow = Program.parse(
        'policy p for "CartPole-v1" { observe pole.angle memory t: int in [0, 9] = 0 { next = min(t + 1, 9) } '
        f"memory b: bool = false {{ next = pole.angle > 0 }} {assumption}{act} {kind} p: {claim} }}"
    ).flow
    status = status_of(flow)
    (goal,) = [goal for goal in list_goals(flow) if goal.name == "p"]
    broken = goal.id in simulate(GraphIndex(flow), [goal], 8, 16, seed).broken
    if broken:
        assert status == ("violated" if kind == "invariant" else "proved")
    if kind == "invariant" and status == "vacuous":
        with (
            patch.object(vacuity, "find_antecedents", lambda *_: []),
            patch.object(interval_stage, "find_antecedents", lambda *_: []),
            patch.object(proof_pipeline, "assumptions_contradict", lambda *_: False),
        ):
            assert status_of(flow) == "proved" or IntervalStage(flow).impossible()


def status_of(flow) -> str:
    return next(result.status for result in prove(flow, QUICK).results if result.name == "p")
