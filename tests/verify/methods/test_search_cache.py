"""A memo changes what a proof costs, never what it says."""

from __future__ import annotations

from random import Random

from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.generators.programs import programs
from tests.support.paths import POLICIES
from tests.verify.test_verdicts import FILES

POLICY = POLICIES / "breakout" / "ram.hl"


def verdicts(flow, memo=None):
    tier = IntervalStage(flow, memo)
    return (
        tier.ranges,
        [tier.obligation(item) for item in flow.obligations],
        [tier.invariant(item.node, item.asked) for item in flow.of_kind("invariant")],
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(programs(), min_size=2, max_size=4))
def test_generated_programs_through_one_memo(sequence):
    memo = SearchCache()
    for program in [*sequence, *sequence]:
        assert verdicts(program.flow, memo) == verdicts(program.flow)


def test_twins_through_one_memo():
    memo = SearchCache()
    flows = [Program.load(path).flow for path in FILES]
    for flow in [*flows, *reversed(flows)]:
        assert verdicts(flow, memo) == verdicts(flow)


def test_a_second_look_computes_nothing(monkeypatch):
    flow = Program.load(next(path for path in FILES if path.stem == "response_in_time")).flow
    memo = SearchCache()
    first = verdicts(flow, memo)
    monkeypatch.setattr("hl_dsl.verify.methods.interval_stage.Evaluator", None)
    monkeypatch.setattr("hl_dsl.verify.intervals.fixpoint.Evaluator", None)
    assert verdicts(flow, memo) == first


def test_mutants_of_a_policy_through_one_memo():
    program = Program.load(POLICY)
    subject, draw, memo = Subject(program), Random(3), SearchCache()
    verdicts(program.flow, memo)
    for _ in range(40):
        made = mutate(subject, draw)
        try:
            flow = Program.from_syntax(made.policy, card=program.card).flow
        except HLError:
            continue
        assert verdicts(flow, memo) == verdicts(flow)
