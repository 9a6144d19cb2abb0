"""Golden verdicts: programs in folders by their verdict, checked in several configurations of the verifier.

Every proved program has a twin of the same name in another folder, in which one bound, guard or clamp is changed.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, SolverAnswerCache, screen
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.statuses import FINAL_STATUSES
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break
from tests.support.generators.coverage import constructs_of, missing, operators_of
from tests.support.paths import VERDICTS

FILES = sorted(VERDICTS.glob("*/*.hl"))
STATUS = {status.replace(" (reals)", "-reals").replace(" ", "-"): status for status in FINAL_STATUSES}
LIMITS = ProofLimits(solver_steps=200_000, bounded_steps=100_000, depths=(0, 1, 2, 4), lanes=96, ticks=256)
PROVED = [path for path in FILES if path.parent.name == "proved"]

# Constructs that no program for one of the project's environments can have, or that would prove nothing more.
NOT_IN_THE_VERDICTS = {"act: vector", "observe: length", "number: -0.0"}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def statuses(proof) -> dict[str, str]:
    return {result.id: result.status for result in proof.results}


def needs(path: Path) -> str:
    """Returns what the proof needs according to a comment of the program: nothing, or `lemmas`."""
    return next(
        (
            line.removeprefix("# needs:").strip()
            for line in path.read_text().splitlines()
            if line.startswith("# needs:")
        ),
        "",
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_program_gets_the_verdict_of_its_folder(path, tmp_path):
    program = Program.load(path)
    file = str(tmp_path / "answers.sqlite")
    cold, warm = SolverAnswerCache(file), SolverAnswerCache(file)
    proof = program.prove(limits=LIMITS, answer_cache=cold)
    cold.close()
    check_verdict(program, proof, STATUS[path.parent.name])
    again = program.prove(limits=LIMITS, answer_cache=warm)
    warm.close()
    assert statuses(again) == statuses(proof), "with what was kept of the first proof"
    assert [result.trace for result in again.results] == [result.trace for result in proof.results]
    check_verdict(program, program.prove(limits=replace(LIMITS, slicing=False)), STATUS[path.parent.name])
    without = program.prove(limits=replace(LIMITS, lemmas=False))
    if needs(path) == "lemmas":
        assert not without.passed
    else:
        check_verdict(program, without, STATUS[path.parent.name])


def check_verdict(program, proof, expected):
    open_ones = {
        result.status
        for result in proof.results
        if result.status != "proved" and not result.detail.startswith("depends on")
    }
    assert open_ones == {expected} - {"proved"}, proof.render()
    assert proof.passed == (expected == "proved")
    assert json.loads(json.dumps(proof.to_json(), allow_nan=False))["passed"] == proof.passed
    text = proof.render(program.source)
    for result in proof.results:
        if result.status != "proved":
            assert result.claim in text and result.id in text
        if result.status in ("violated", "ill-defined"):
            assert_replays(program.flow, result)
    if screen(program.flow).passed:
        assert proof.passed or expected == "vacuous"


def assert_replays(flow, result):
    """Replays the trace of a violation from its JSON."""
    goal = next(goal for goal in list_goals(flow) if goal.id == result.id)
    run = SimulatedRun(result.trace[0]["parameters"], tuple(tuple(tick["inputs"].values()) for tick in result.trace))
    assert first_break(flow, goal, run) == len(result.trace) - 1


@pytest.mark.parametrize("path", PROVED, ids=lambda path: path.stem)
def test_proved_program_has_a_twin_that_differs_in_one_line(path):
    twins = [twin for twin in VERDICTS.glob(f"*/{path.name}") if twin != path]
    assert twins
    for twin in twins:
        ours, theirs = code_of(path), code_of(twin)
        assert len(ours) == len(theirs)
        assert sum(line != other for line, other in zip(ours, theirs)) == 1


def code_of(path: Path) -> list[str]:
    """Returns the lines without comments and layout."""
    lines = [" ".join(line.split("#")[0].split()) for line in path.read_text().splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("folder", STATUS)
def test_program_starts_with_a_comment_and_has_the_name_of_its_file(folder):
    files = [path for path in FILES if path.parent.name == folder]
    assert files
    for path in files:
        assert path.read_text().startswith("# "), path
        assert Program.load(path).flow.name == path.stem


def test_programs_use_every_operator_and_construct():
    written, built = Counter(), Counter()
    for path in FILES:
        program = Program.load(path)
        written.update(operators_of(program.checked.policy))
        built.update(
            constructs_of(SimpleNamespace(policy=program.checked.policy, checked=program.checked, flow=program.flow))
        )
    assert len(FILES) >= 80
    assert set(missing(written, built)) <= NOT_IN_THE_VERDICTS


def test_verdict_is_the_same_in_a_second_proof():
    path = VERDICTS / "violated" / "paddle_follows.hl"
    first, second = (Program.load(path).prove(limits=LIMITS) for _ in range(2))
    first_results, second_results = (
        [{**result, "seconds": 0} for result in proof.to_json()["results"]] for proof in (first, second)
    )
    assert first_results == second_results
