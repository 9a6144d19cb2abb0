"""A search cache changes the cost of a proof and never its results."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from tests.support.generators.programs import programs
from tests.support.paths import POLICIES
from tests.verify.test_verdicts import FILES

POLICY = POLICIES / "breakout" / "ram.hl"


def verdicts(flow, search_cache=None):
    stage = IntervalStage(flow, search_cache)
    return (
        stage.ranges,
        [stage.obligation(item) for item in flow.obligations],
        [stage.invariant(item.node, item.antecedents) for item in flow.of_kind("invariant")],
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(programs(), min_size=2, max_size=4))
def test_verdicts_on_generated_programs_are_the_same_with_a_shared_cache(sequence):
    search_cache = SearchCache()
    for program in [*sequence, *sequence]:
        assert verdicts(program.flow, search_cache) == verdicts(program.flow)


def test_verdicts_on_twins_are_the_same_with_a_shared_cache():
    search_cache = SearchCache()
    flows = [Program.load(path).flow for path in FILES]
    for flow in [*flows, *reversed(flows)]:
        assert verdicts(flow, search_cache) == verdicts(flow)


def test_second_proof_computes_nothing(monkeypatch):
    flow = Program.load(next(path for path in FILES if path.stem == "response_in_time")).flow
    search_cache = SearchCache()
    first = verdicts(flow, search_cache)
    monkeypatch.setattr("hl_dsl.verify.methods.interval_stage.Evaluator", None)
    monkeypatch.setattr("hl_dsl.verify.intervals.fixpoint.Evaluator", None)
    assert verdicts(flow, search_cache) == first


def test_verdicts_on_mutants_are_the_same_with_a_shared_cache():
    program = Program.load(POLICY)
    subject, draw, search_cache = Subject(program), Random(3), SearchCache()
    verdicts(program.flow, search_cache)
    for _ in range(40):
        made = mutate(subject, draw)
        try:
            flow = Program.from_syntax(made.policy, card=program.card).flow
        except HLError:
            continue
        assert verdicts(flow, search_cache) == verdicts(flow)
