"""Inferred lemmas hold in every run, and prove goals about counters and timers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.terms import SORTS, literal
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.lemma import Lemma, Linear, Truth, make_positive
from hl_dsl.verify.methods.lemmas.candidates import LemmaCandidates
from hl_dsl.verify.methods.lemmas.houdini import Houdini, remove_implied
from hl_dsl.verify.methods.lemmas.induction_with_lemmas import sample_states
from hl_dsl.verify.simulation.simulate import simulate
from hl_dsl.verify.smt.solver import Solver
from tests.support.generators.programs import programs
from tests.verify.test_verdicts import VERDICTS

BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward act NOOP {} }}'
TIMERS = (
    "memory a: int in [0, 99] = 0 {{ next = if ram[1] == 0 then min(a + 1, 99) else 0 }} "
    "memory b: int in [0, 99] = {start} {{ next = if ram[1] == {other} then min(b + 1, 99) else 0 }} invariant p: a "
    "<= 98 or b <= 99"
)


def kept(program: Program, lemmas=None):
    """Returns the inductive lemmas of those given, or of the candidates for the open goals."""
    stage = IntervalStage(program.flow)
    wanted = list_goals(program.flow)
    if lemmas is None:
        lemmas = LemmaCandidates(stage.evaluator, wanted, sample_states(stage.index, wanted)).propose()
    with Solver(60) as solver:
        return Houdini(stage.evaluator, [], ProofLimits(solver_steps=300_000), solver).filter(lemmas)


@pytest.mark.parametrize(
    "name, lemma",
    [
        ("stuck_then_turns", "`w == waited`"),
        ("target_reached", "`w > 0 implies error + 2 * w <= 100`"),
        ("countdown_ends", "`ghost + left <= 30`"),
        ("shaking_ends", "`shake == timer`"),
    ],
)
def test_lemma_of_a_counter_is_found_and_named(name, lemma):
    program = Program.load(VERDICTS / "proved" / f"{name}.hl")
    proof = program.prove()
    assert proof.passed
    found = [result for result in proof.results if result.lemmas]
    assert any(lemma in result.method and lemma.strip("`") in result.lemmas for result in found), proof.render()
    assert any(result["lemmas"] for result in proof.to_json()["results"])
    assert not program.prove(
        limits=ProofLimits(lemmas=False, depths=(0, 1), bounded_depths=(2, 2), lanes=4, ticks=8)
    ).passed


def test_monitor_cell_has_its_own_name_in_a_lemma():
    program = Program.parse("""policy p for "Breakout-v5" { observe ram, reward
      memory t: int in [0, 9] = 0 { next = if t == 9 then 0 else t + 1 }
      invariant nine: within 9 of true: t == 9
      act NOOP }""")
    result = next(result for result in program.prove().results if result.name == "nine")
    assert (
        result.lemmas
        and not any("invariant" in lemma for lemma in result.lemmas)
        and any("nine.waited" in lemma for lemma in result.lemmas)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(program=programs())
def test_inductive_lemma_holds_in_every_run(program):
    flow = program.flow
    lemmas = kept(program)
    seen = simulate(
        IntervalStage(flow).index,
        [],
        6,
        24,
        first_seed=500,
        watch=lambda values: [lemma.says(flow) for lemma in lemmas if not lemma.holds(values)],
    )
    assert seen.watched == []


def test_lemma_that_fails_initially_or_later_is_dropped():
    def lemma(program):
        return Lemma(Linear(((1, leaf(program, "a")), (-1, leaf(program, "b"))), 0, True))

    same = Program.parse(BREAKOUT.format(TIMERS.format(start=0, other=0)))
    assert kept(same, [lemma(same)]) == [lemma(same)]
    starts_wrong = Program.parse(BREAKOUT.format(TIMERS.format(start=1, other=0)))
    assert kept(starts_wrong, [lemma(starts_wrong)]) == []
    drifts = Program.parse(BREAKOUT.format(TIMERS.format(start=0, other=1)))
    assert kept(drifts, [lemma(drifts)]) == []


def test_lemmas_that_depend_on_a_dropped_lemma_are_dropped():
    program = Program.parse(
        BREAKOUT.format(
            "memory a: int in [0, 9] = 0 { next = min(a + 1, 9) } memory b: int in [0, 9] = 0 { next = a } invariant "
            "p: b <= a"
        )
    )
    a, b = leaf(program, "a"), leaf(program, "b")
    small, smaller = Lemma(Linear(((1, a),), 3)), Lemma(Linear(((1, b),), 3))
    assert kept(program, [small, smaller]) == []
    assert kept(program, [Lemma(Linear(((1, b), (-1, a)), 0)), small]) == [Lemma(Linear(((1, b), (-1, a)), 0))]


def test_implied_bounds_are_removed():
    a, b = Lemma(Linear(((1, 3), (-1, 4)), 0, True)), Lemma(Linear(((-1, 3), (1, 4)), 0))
    c, d = Lemma(Linear(((1, 5),), 4)), Lemma(Linear(((1, 5),), 4), make_positive(3))
    e, f = Lemma(Linear(((1, 5),), 3), Truth(6, True)), Lemma(Linear(((-1, 5),), -1))
    assert remove_implied([a, b, c, d, e, f]) == [a, c, e, f]


def leaf(program: Program, name: str) -> int:
    return program.flow.values[name].nodes[0]


def test_lemma_has_the_same_value_in_floats_and_in_the_solver():
    """`holds` and `text` state the same fact."""
    program = Program.load(VERDICTS / "proved" / "shaking_ends.hl")
    stage = IntervalStage(program.flow)
    wanted = list_goals(program.flow)
    rows = sample_states(stage.index, wanted)
    lemmas = LemmaCandidates(stage.evaluator, wanted, rows[:3]).propose()
    assert len(lemmas) > 20
    with Solver(60) as solver:
        for values in rows[::7]:
            known = {
                node: literal(value, SORTS[entry.base])
                for node, (entry, value) in enumerate(zip(program.flow.nodes, values))
            }
            solver.reset(1_000_000)
            for lemma in lemmas:
                solver.add(
                    f"(assert "
                    f"{'' if lemma.holds(values) else '(not '}{lemma.text(known)}{'' if lemma.holds(values) else ')'})"
                )
            assert solver.check() == "sat"
