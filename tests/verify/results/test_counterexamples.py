"""Counterexamples: stored, read, and replayed on the program and on changed programs."""

from __future__ import annotations

import pytest

from hl_dsl.cases.files import InvalidCase, read_counterexample, save_case
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.results.counterexample_files import paths_for
from hl_dsl.verify.results.counterexamples import counterexamples, replay
from hl_dsl.verify.simulation.trace import render_trace
from tests.verify.test_verdicts import LIMITS, VERDICTS

VIOLATED = sorted([*VERDICTS.glob("violated/*.hl"), *VERDICTS.glob("ill-defined/*.hl")])
COUNTER = """policy p for "Breakout-v5" {{
  observe ram
  param most: int = {0} in [0, 20]
  memory m: int in [0, 20] = 0 {{ next = if ram[1] > 100 then min(m + 1, most) else 0 }}
  act {{ when m > 3 => FIRE otherwise => NOOP }}
  invariant few: m <= {1}
  {2}
}}"""


def counter(most=20, bound=5, more=""):
    return Program.parse(COUNTER.format(most, bound, more))


@pytest.fixture(scope="module")
def case():
    program = counter()
    (found,) = counterexamples(program.flow, program.prove(limits=LIMITS))
    return found


@pytest.mark.parametrize("path", VIOLATED, ids=lambda path: path.stem)
def test_every_stored_counterexample_violates_its_property_again(path, tmp_path):
    program = Program.load(path)
    proof = program.prove(limits=LIMITS)
    cases = counterexamples(program.flow, proof)
    assert {case.violated_property["id"] for case in cases} == {
        result.id for result in proof.results if result.status in ("violated", "ill-defined")
    }
    for case, file in zip(cases, paths_for(tmp_path, cases), strict=True):
        result = replay(program.flow, read_counterexample(save_case(file, case)))
        assert result.is_violated and result.violated_id == case.violated_property["id"]
        assert len(result.trace) == len(case.inputs)
        # The table is the one of the proof.
        assert render_trace(result.trace, result.subject, result.names) in proof.render(program.source)


def test_repaired_program_passes(case):
    assert len(case.inputs) == 7
    repaired = replay(counter(bound=20).flow, case)
    assert (repaired.is_violated, repaired.detail, repaired.notes) == (False, "it holds at all 7 ticks", ())
    assert replay(counter(more="let a = 1").flow, case).is_violated


def test_differences_between_the_case_and_the_program_are_noted(case):
    text = COUNTER.format(20, 5, "").replace("param most", "param top").replace("most)", "top)")
    assert replay(Program.parse(text).flow, case).notes == ("the policy no longer has a parameter `most`",)
    smaller = replay(
        Program.parse(COUNTER.format(3, 5, "").replace("[0, 20]\n  memory", "[0, 4]\n  memory")).flow, case
    )
    assert not smaller.is_violated and "outside its current range; 4 is used" in smaller.notes[0]
    assumed = replay(counter(more="assume low: ram[1] < 50").flow, case)
    assert not assumed.is_violated and "violates the assumption `low` at tick 0" in assumed.detail
    unrecorded = replay(counter(more="invariant other: ram[7] >= 0").flow, case)
    assert unrecorded.is_violated and unrecorded.notes == (
        "the case does not record `ram[7]`; the value at the start of an episode is used",
    )


def test_case_for_another_program_is_rejected(case):
    with pytest.raises(InvalidCase, match="no invariant `few`"):
        replay(Program.parse(COUNTER.format(20, 5, "").replace("few", "many")).flow, case)
    with pytest.raises(InvalidCase, match="for Breakout-v5, the policy for CartPole-v1"):
        replay(Program.parse('policy p for "CartPole-v1" { act LEFT }').flow, case)


def test_files_that_are_not_cases_are_not_overwritten(tmp_path, case):
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidCase, match="not overwritten"):
        paths_for(path, [case])


def test_files_are_numbered_and_cases_may_be_overwritten(case, tmp_path):
    assert [path.name for path in paths_for(tmp_path / "x.json", [case, case, case])] == [
        "x.json",
        "x-2.json",
        "x-3.json",
    ]
    assert paths_for(tmp_path, [case]) == [tmp_path / "invariant-few.json"]
    save_case(tmp_path / "invariant-few.json", case)
    assert paths_for(tmp_path, [case]) == [tmp_path / "invariant-few.json"]


def test_goal_that_is_not_violated_has_no_counterexample():
    program = Program.load(VERDICTS / "not-inductive" / "counter_far_too_far.hl")
    assert counterexamples(program.flow, program.prove(limits=ProofLimits(lanes=0, bounded_depths=(2, 2)))) == []
