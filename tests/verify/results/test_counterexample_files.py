"""Violations kept as cases: written, read again, run on the program as it is and as it becomes."""

from __future__ import annotations

import json

import pytest
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.results.counterexample_files import InvalidCounterexample, cases, paths_for, read_case, replay
from hl_dsl.verify.simulation.trace import render_trace

from hl_dsl.program import Program
from tests.verify.test_verdicts import LIMITS, VERDICTS

BROKEN = sorted([*VERDICTS.glob("violated/*.hl"), *VERDICTS.glob("ill-defined/*.hl")])
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
    (found,) = cases(program.flow, program.prove(limits=LIMITS))
    return found


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_violation_is_a_case_that_breaks_again(path, tmp_path):
    program = Program.load(path)
    proof = program.prove(limits=LIMITS)
    found = cases(program.flow, proof)
    assert {one.property["id"] for one in found} == {
        result.id for result in proof.results if result.status in ("violated", "ill-defined")
    }
    for one, file in zip(found, paths_for(tmp_path, found)):
        file.write_text(json.dumps(one.to_json()), encoding="utf-8")
        again = replay(program.flow, read_case(file))
        assert again.broken and again.broken_id == one.property["id"] and len(again.trace) == len(one.inputs)
        assert render_trace(again.trace, again.about, again.names) in proof.render(program.source), (
            "the table is the one of the proof"
        )


def test_a_mended_program_holds(case):
    assert len(case.inputs) == 7
    mended = replay(counter(bound=20).flow, case)
    assert (mended.broken, mended.detail, mended.notes) == (False, "it holds at all 7 ticks", ())
    assert replay(counter(more="let a = 1").flow, case).broken


def test_what_the_case_and_the_program_do_not_share(case):
    text = COUNTER.format(20, 5, "").replace("param most", "param top").replace("most)", "top)")
    assert replay(Program.parse(text).flow, case).notes == ("the policy has no parameter `most` any more",)
    smaller = replay(
        Program.parse(COUNTER.format(3, 5, "").replace("[0, 20]\n  memory", "[0, 4]\n  memory")).flow, case
    )
    assert not smaller.broken and "outside its range now: 4 is taken" in smaller.notes[0]
    assumed = replay(counter(more="assume low: ram[1] < 50").flow, case)
    assert not assumed.broken and "breaks the assumption `low` at tick 0" in assumed.detail
    unseen = replay(counter(more="invariant other: ram[7] >= 0").flow, case)
    assert unseen.broken and unseen.notes == ("the case says nothing of `ram[7]`: taken as at the start of an episode",)


def test_a_case_that_does_not_suit(case):
    with pytest.raises(InvalidCounterexample, match="no invariant `few`"):
        replay(Program.parse(COUNTER.format(20, 5, "").replace("few", "many")).flow, case)
    with pytest.raises(InvalidCounterexample, match="for Breakout-v5, the policy for CartPole-v1"):
        replay(Program.parse('policy p for "CartPole-v1" { act LEFT }').flow, case)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "hl.case/1"}',
        '{"schema": "hl.case/2"}',
        "\0",
        '{"schema": "hl.case/1", "environment": "x", "property": {"kind": "a", "name": "", "text": ""}, "parameters": {}, "ticks": [{"inputs": {"a": "b"}}]}',
    ],
)
def test_a_file_that_is_no_case(text, tmp_path, case):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidCounterexample):
        read_case(path)
    with pytest.raises(InvalidCounterexample, match="not overwritten"):
        paths_for(path, [case])


def test_files_are_numbered_and_a_case_may_take_the_place_of_a_case(case, tmp_path):
    assert [path.name for path in paths_for(tmp_path / "x.json", [case, case, case])] == [
        "x.json",
        "x-2.json",
        "x-3.json",
    ]
    assert paths_for(tmp_path, [case]) == [tmp_path / "invariant-few.json"]
    (tmp_path / "invariant-few.json").write_text(json.dumps(case.to_json()), encoding="utf-8")
    assert paths_for(tmp_path, [case]) == [tmp_path / "invariant-few.json"]


def test_what_is_not_violated_is_no_case():
    program = Program.load(VERDICTS / "not-inductive" / "counter_far_too_far.hl")
    assert cases(program.flow, program.prove(limits=ProofLimits(lanes=0, bounded_depths=(2, 2)))) == []
