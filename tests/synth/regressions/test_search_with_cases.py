"""A search accepts only programs that pass all cases, counts their steps, and resumes only with the same cases."""

from dataclasses import replace

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import add_case, cases_folder, remove_case
from hl_dsl.cases.records import EpisodeCase, Window
from hl_dsl.program import Program
from hl_dsl.synth.proposers.text.feedback import failed_direction
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.regressions.run import run_cases
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, Interrupt, synth, trials

# The initial program fails early; most programs that balance the pole let the cart leave its range.
STAYS = EpisodeCase("stays", "CartPole-v1", "standard", 30, holds="cart.position in [-0.5, 0.5]")
BALANCES = EpisodeCase("balances", "CartPole-v1", "standard", 31, window=Window(5, 15), least_return=10.0)


@pytest.fixture
def cases(lean):
    for case in (STAYS, BALANCES):
        add_case(cases_folder(lean), case)
    return (BALANCES, STAYS)


def verdicts(folder):
    return {
        trial.index: (
            trial.program_hash,
            trial.gate,
            trial.reason,
            trial.returns,
            trial.environment_steps,
            dict(trial.cases),
        )
        for trial in trials(folder)
        if trial.kind == "search"
    }


def test_accepted_programs_pass_every_case(lean, cases, tmp_path):
    before = steps_taken()
    result = synth(lean, tmp_path / "run", budget_steps=6_000, seeds=(0, 1))
    assert steps_taken() - before == result.env_steps <= 6_000
    recorded = trials(tmp_path / "run")
    assert sum(trial.environment_steps for trial in recorded) == result.env_steps
    accepted = [trial for trial in recorded if trial.accepted]
    for trial in accepted:
        again = run_cases(Program.parse(trial.program), cases, None)
        assert [result.passed for result in again.results] == [True, True], trial.change
        if trial.kind == "search":
            assert {name: entry["steps"] for name, entry in trial.cases.items()} == {
                result.name: result.length for result in again.results
            }
            assert trial.environment_steps == sum(trial.lengths) + again.env_steps
    rejected = [trial for trial in recorded if trial.gate == "regression"]
    strayed = [
        trial
        for trial in rejected
        if trial.reason.startswith("case stays: `cart.position in [-0.5, 0.5]` is false at tick")
    ]
    assert strayed and all(trial.reason.startswith(("case stays", "case balances")) for trial in rejected)
    assert all(trial.mean > recorded[0].mean for trial in rejected), "only the case rejected them"
    assert all(
        failed_direction(trial).reason.startswith("regression: case stays: `cart.position") for trial in strayed
    ), "the prompt holds the reason"
    assert all(not trial.cases for trial in recorded if trial.gate in ("quick_seeds", "duplicate", "prove"))
    assert run_cases(Program.parse(result.best_text), cases, None).exit_code == 0


def test_an_interrupted_search_with_cases_resumes_to_the_same_result(lean, cases, tmp_path, monkeypatch):
    """The interrupts occur during the cases of the initial program, of the next ones, and after that."""
    expected = synth(lean, tmp_path / "whole", budget_steps=3_000, seeds=(0, 1))
    reached, real = [], CaseGate.batches
    monkeypatch.setattr(CaseGate, "batches", lambda self: reached.append(self) or real(self))
    stops = [
        Interrupt(lambda event, count, most=most: event["event"] == "steps" and len(reached) >= most)
        for most in (1, 3, 4)
    ]
    before = steps_taken()
    for number, stop in enumerate(stops):
        try:
            assert synth(
                lean, tmp_path / "cut", budget_steps=3_000, seeds=(0, 1), on_event=stop, resume=number > 0
            ).interrupted
        except HLError as error:
            assert "before its first episode ended" in error.message
        assert stop.done
    result = synth(lean, tmp_path / "cut", budget_steps=3_000, seeds=(0, 1), resume=True)
    assert verdicts(tmp_path / "cut") == verdicts(tmp_path / "whole") and result.best_text == expected.best_text
    assert sum(trial.environment_steps for trial in trials(tmp_path / "cut")) == steps_taken() - before
    assert result.lost_steps > 0


def test_a_search_resumes_only_with_the_same_cases(lean, cases, tmp_path):
    folder = cases_folder(lean)
    synth(lean, tmp_path / "run", budget_steps=1_000, seeds=(0, 1))

    def resumed():
        return synth(lean, tmp_path / "run", budget_steps=1_000, seeds=(0, 1), resume=True)

    assert resumed().env_steps <= 1_000
    add_case(folder, replace(BALANCES, name="later"))
    with pytest.raises(HLError, match="regression cases; `later` was added since"):
        resumed()
    remove_case(folder, "later")
    remove_case(folder, "stays")
    with pytest.raises(HLError, match="`stays` was removed since"):
        resumed()
    add_case(folder, replace(STAYS, seed=29))
    with pytest.raises(HLError, match="`stays` was changed since"):
        resumed()
    remove_case(folder, "stays")
    add_case(folder, replace(STAYS, origin="another origin"))
    assert resumed().env_steps <= 1_000


def test_an_initial_program_that_fails_a_case_is_rejected(lean, tmp_path):
    add_case(cases_folder(lean), EpisodeCase("high", "CartPole-v1", "standard", 30, least_return=400.0))
    for resume in (False, True):
        before = steps_taken()
        with pytest.raises(HLError, match="initial program was rejected: case high: a return of .* is less than 400"):
            synth(lean, tmp_path / "run", budget_steps=5_000, seeds=(0, 1), resume=resume)
        assert (steps_taken() == before) is resume
    (trial,) = [one for one in trials(tmp_path / "run") if one.kind == "search"]
    assert (trial.gate, trial.index) == ("regression", 0) and not (tmp_path / "run" / "best.hl").exists()


@pytest.mark.parametrize("seeds", [(0, 50), (100,)])
def test_a_search_uses_development_seeds(lean, tmp_path, seeds):
    with pytest.raises(HLError, match="a search may not use seed"):
        synth(lean, tmp_path / "run", budget_steps=1_000, seeds=seeds)
    assert not (tmp_path / "run").exists()


def test_episodes_end_when_the_result_of_the_case_is_known(tmp_path):
    program = Program.parse(LEAN)
    found = run_cases(program, (BALANCES,), None)
    assert found.env_steps == 20 and found.results[0].value == 15
