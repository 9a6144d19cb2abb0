"""Whole generated programs on generated runs: every form does what the interpreter does, and the verifier's forms admit it."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import z3
from hypothesis import HealthCheck, given, settings, strategies as st

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.operators.interval import ANYTHING
from hl_dsl.verify import screen
from hl_dsl.verify.encode import START, Encoding
from hl_dsl.verify.interval_tier import IntervalTier
from hl_dsl.verify.terms import SORTS, literal
from tests.generate.agreement import disagreements
from tests.generate.coverage import measure, missing, table
from tests.generate.inputs import interpret, runs
from tests.generate.programs import programs

SLOWLY = settings(deadline=None, suppress_health_check=list(HealthCheck))
MANY = 17  # copies of each lane, so that a batch is larger than a block of the compiled loop


@pytest.mark.parametrize("back_end", ["numpy", "tape", "interpreter"])
def test_a_back_end_does_what_the_interpreter_does(back_end):
    """In batches of 1 to 4 and of up to 80 lanes, in any order, some left out, restarting at any tick, each with its
    own parameters, on observations that leave their ranges."""
    counts: Counter = Counter()

    @settings(SLOWLY, max_examples=30 if back_end == "interpreter" else 120)
    @given(programs(), st.data())
    def agree(program, data):
        run = data.draw(runs(program.flow))
        reference = interpret(run)
        wide = data.draw(st.booleans()) and back_end != "interpreter"
        assert disagreements(run.repeated(MANY) if wide else run, reference, back_end, counts)[:3] == []

    agree()
    print(dict(counts))
    assert counts["compared"] > 20 * counts["skipped"]


@settings(SLOWLY, max_examples=40)
@given(programs(), st.data())
def test_what_a_lane_does_depends_on_that_lane_only(program, data):
    """A lane alone, and the same lane among others: the interpreter's run of it is the same, and so is each back end's."""
    run = data.draw(runs(program.flow, lanes=3))
    reference = interpret(run)
    for back_end in ("numpy", "tape"):
        for lane in range(run.lanes):
            alone = run.only(lane)
            assert disagreements(alone, interpret(alone), back_end)[:3] == []
        assert disagreements(run, reference, back_end)[:3] == []


def test_the_generator_writes_every_row_and_every_construct():
    counts = measure(300)
    print(table(*counts))
    assert missing(*counts) == []


def sound_ticks(flow: Dataflow, run):
    """Ticks of lanes of a run in which everything so far was finite and whole numbers exact: (tick, lane, values, memory).

    Ends a lane's episode where an assumption fails: nothing is claimed from there on.
    """
    reference = interpret(run)
    assumed = [item.node for item in flow.of_kind("assume")]
    for lane in range(run.lanes):
        open_ = False
        for tick in range(run.ticks):
            done = reference.ticks[tick][lane]
            if done is None:
                continue
            open_ = open_ or bool(run.restarts[tick, lane])
            finite = all(type(value) is not float or math.isfinite(value) for value in done.values)
            if not (open_ and finite and reference.plain[tick, lane]):
                open_ = False
                continue
            yield tick, lane, done, run.restarts[tick, lane]
            open_ = all(done.values[node] for node in assumed)


@settings(SLOWLY, max_examples=80)
@given(programs(), st.data())
def test_intervals_hold_every_value_of_a_run(program, data):
    flow = program.flow
    tier = IntervalTier(flow)
    for _, _, done, _ in sound_ticks(flow, data.draw(runs(flow))):
        for value, pair in zip(done.memory, tier.ranges):
            assert pair == ANYTHING or pair[0] <= value <= pair[1]
        for number, value in enumerate(done.values):
            low, high = tier.evaluator.value(number, tier.evaluator.root)
            assert low <= value <= high, (number, flow.nodes[number].op, value, (low, high))


def test_what_intervals_prove_holds_in_every_run():
    counts: Counter = Counter()

    @settings(SLOWLY, max_examples=100)
    @given(programs(wild=False), st.data())
    def holds(program, data):
        flow = program.flow
        proof = screen(flow)
        defined = all(result.status == "proved" for result in proof.results if result.kind != "invariant")
        counts["well defined" if defined else "open"] += 1
        if not defined:
            return
        run = data.draw(runs(flow))
        proved = {result.name for result in proof.results if result.kind == "invariant" and result.status == "proved"}
        reference = interpret(run)
        assert reference.plain.all()
        for _, _, done, _ in sound_ticks(flow, run):
            if not all(done.values[item.node] for item in flow.of_kind("assume")):
                continue
            for item in flow.of_kind("invariant"):
                assert item.name not in proved or done.values[item.node], item.name
            for item in flow.obligations:
                if item.guard is None or done.values[item.guard]:
                    assert item.claim is None or done.values[item.claim], item
            for value, cell in zip(done.memory, flow.memories):
                assert cell.low is None or cell.low <= value <= cell.high

    holds()
    print(dict(counts))
    assert counts["well defined"] > counts["open"], "most generated programs are well defined"


@settings(SLOWLY, max_examples=40)
@given(programs(), st.data())
def test_the_solver_admits_every_run_of_the_interpreter(program, data):
    """All values of the ticks of an episode, put into the encoding of these ticks, are a model of it."""
    flow = program.flow
    tier = IntervalTier(flow)
    run = data.draw(runs(flow, lanes=1, ticks=3))
    assumed = [item.node for item in flow.of_kind("assume")]
    episode: list = []
    episodes: list[list] = []
    for _, _, done, restarts in sound_ticks(flow, run):
        if restarts:
            episode = []
            episodes.append(episode)
        episode.append(done.values)
    for values in filter(None, episodes):
        holding = all(row[node] for row in values for node in assumed)
        assert admits(tier, values, tier.evaluator.base if holding else tier.evaluator.root)


def admits(tier: IntervalTier, ticks: list[list], context) -> bool:
    encoding = Encoding(tier.evaluator, context, START)
    lines: list[str] = []
    for values in ticks:
        lines += encoding.frame(range(len(values)))
        lines += [f"(assert (= {encoding.frames[-1][number].text} {literal(value, SORTS[tier.flow.nodes[number].base]).text}))"
                  for number, value in enumerate(values)]
    solver = z3.Solver()
    solver.set("rlimit", 20_000_000)
    solver.from_string("\n".join(lines))
    verdict = solver.check()
    assert verdict != z3.unknown, solver.reason_unknown()
    return verdict == z3.sat


def test_a_run_that_is_none_is_not_admitted():
    """So the test before can fail."""
    from hl_dsl.program import Program

    flow = Program.parse('policy p for "CartPole-v1" { observe pole.angle let x = pole.angle / 3 act { when x > 0 => RIGHT otherwise => LEFT } }').flow
    tier = IntervalTier(flow)
    values = run_once(flow, [0.3])
    assert admits(tier, [values], tier.evaluator.base)
    wrong = list(values)
    wrong[flow.values["x"].nodes[0]] += 1e-9
    assert not admits(tier, [wrong], tier.evaluator.base)


def run_once(flow: Dataflow, raw: list) -> list:
    from hl_dsl.compiler.interpreter import Interpreter

    return Interpreter(flow).tick(raw).values
