"""Generated programs on generated runs: every form equals the interpreter, and the verifier's forms admit each run."""

from __future__ import annotations

from collections import Counter

import pytest
import z3
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify import screen
from hl_dsl.verify.goals.terms import SORTS, literal
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.results.report import PROPERTIES
from hl_dsl.verify.smt.encode import RELATIVE_ERROR, START, Encoding
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl_dsl.operators import OPERATORS, replaced
from tests.support.generators.agreement import disagreements
from tests.support.generators.coverage import measure, missing, table
from tests.support.generators.inputs import interpret, runs
from tests.support.generators.mutants import mutants
from tests.support.generators.programs import programs
from tests.support.generators.soundness import broken_proofs, outside_intervals, sound_ticks

SLOWLY = settings(deadline=None, suppress_health_check=list(HealthCheck))
MANY = 17  # copies of each lane, so that a batch is larger than a block of the compiled loop


@pytest.mark.parametrize("back_end", ["numpy", "tape", "interpreter"])
def test_a_back_end_does_what_the_interpreter_does(back_end):
    """Batches of 1 to 4 and of up to 80 lanes, in any order, some absent, restarting at any tick, with own parameters.

    The observations exceed their ranges.
    """
    counts: Counter = Counter()

    @settings(SLOWLY, max_examples=30 if back_end == "interpreter" else 120)
    @given(programs(), st.data())
    def agree(program, data):
        run = data.draw(runs(program.flow))
        reference = interpret(run)
        wide = data.draw(st.booleans()) and back_end != "interpreter"
        own: Counter = Counter()
        assert disagreements(run.repeated(MANY) if wide else run, reference, back_end, own)[:3] == []
        counts.update(own)
        # By program: one with ints beyond 2^53 in a wide batch skips hundreds of comparisons at once.
        counts["programs"] += bool(own["compared"] or own["skipped"])
        counts["mostly skipped"] += own["skipped"] > own["compared"]

    agree()
    print(dict(counts))
    assert counts["programs"] > 10 * counts["mostly skipped"]


@settings(SLOWLY, max_examples=40)
@given(programs(), st.data())
def test_what_a_lane_does_depends_on_that_lane_only(program, data):
    """A lane has the same run alone and among others, in the interpreter and in each back end."""
    run = data.draw(runs(program.flow, lanes=3))
    reference = interpret(run)
    for back_end in ("numpy", "tape"):
        for lane in range(run.lanes):
            alone = run.only(lane)
            assert disagreements(alone, interpret(alone), back_end)[:3] == []
        assert disagreements(run, reference, back_end)[:3] == []


@pytest.mark.parametrize("name", ["max", "mod", "and", "if", "floor"])
def test_a_wrong_row_shows_in_whole_programs(name):
    """What the checks of single rows catch (test_operator_rows.py), generated programs catch too."""
    for mutant in mutants(OPERATORS[name]):
        if mutant.says.split(": ")[1] in ("numpy constant", "interval shrunk to its low end"):
            with replaced(mutant.row):
                assert shows(name), mutant.says


def shows(focus: str) -> bool:
    @settings(SLOWLY, max_examples=150, database=None, derandomize=True, phases=[Phase.generate])
    @given(programs(focus=focus), st.data())
    def agree(program, data):
        run = data.draw(runs(program.flow))
        reference = interpret(run)
        assert disagreements(run, reference, "numpy") == []
        assert outside_intervals(program.flow, IntervalStage(program.flow), run, reference) == []

    try:
        agree()
    except (AssertionError, TypeError):  # what is wrong may have a wrong type, which NumPy refuses
        return True
    return False


def test_the_generator_writes_every_row_and_every_construct():
    counts = measure(300)
    print(table(*counts))
    assert missing(*counts) == []


@settings(SLOWLY, max_examples=80)
@given(programs(), st.data())
def test_intervals_hold_every_value_of_a_run(program, data):
    run = data.draw(runs(program.flow))
    assert outside_intervals(program.flow, IntervalStage(program.flow), run, interpret(run)) == []


def test_what_intervals_prove_holds_in_every_run():
    counts: Counter = Counter()

    @settings(SLOWLY, max_examples=100)
    @given(programs(wild=False), st.data())
    def holds(program, data):
        proof = screen(program.flow)
        defined = all(result.status == "proved" for result in proof.results if result.kind not in PROPERTIES)
        counts["well defined" if defined else "open"] += 1
        if defined:
            run = data.draw(runs(program.flow))
            assert broken_proofs(program.flow, proof, run, interpret(run)) == []

    holds()
    print(dict(counts))
    assert counts["well defined"] > counts["open"], "most generated programs are well defined"


@settings(SLOWLY, max_examples=40)
@given(programs(), st.data())
def test_the_solver_admits_every_run_of_the_interpreter(program, data):
    """All values of the ticks of an episode, put into the encoding of these ticks, are a model of it."""
    flow = program.flow
    tier = IntervalStage(flow)
    run = data.draw(runs(flow, lanes=1, ticks=3))
    assumed = [item.node for item in flow.of_kind("assume")]
    episodes: list[list] = []
    for done, starts in sound_ticks(flow, run, interpret(run)):
        if starts:
            episodes.append([])
        episodes[-1].append(done.values)
    for values in episodes:
        holding = all(row[node] for row in values for node in assumed)
        assert admits(tier, values, tier.evaluator.base if holding else tier.evaluator.root)


def admits(tier: IntervalStage, ticks: list[list], context) -> bool:
    encoding = Encoding(tier.evaluator, context, START, RELATIVE_ERROR)
    lines: list[str] = []
    for values in ticks:
        lines += encoding.frame(range(len(values)))
        lines += [
            f"(assert (= {encoding.frames[-1][number].text} "
            f"{literal(value, SORTS[tier.flow.nodes[number].base]).text}))"
            for number, value in enumerate(values)
        ]
    solver = z3.Solver()
    solver.set("rlimit", 20_000_000)
    solver.from_string("\n".join(lines))
    verdict = solver.check()
    assert verdict != z3.unknown, solver.reason_unknown()
    return verdict == z3.sat


def test_values_that_are_not_a_run_are_not_admitted():
    """So the test before can fail."""
    from hl_dsl.program import Program

    flow = Program.parse(
        'policy p for "CartPole-v1" { observe pole.angle let x = pole.angle / 3 '
        "act { when x > 0 => RIGHT otherwise => LEFT } }"
    ).flow
    tier = IntervalStage(flow)
    values = run_once(flow, [0.3])
    assert admits(tier, [values], tier.evaluator.base)
    wrong = list(values)
    wrong[flow.values["x"].nodes[0]] += 1e-9
    assert not admits(tier, [wrong], tier.evaluator.base)


def run_once(flow: Dataflow, raw: list) -> list:
    from hl_dsl.compiler.backends.interpreter import Interpreter

    return Interpreter(flow).tick(raw).values
