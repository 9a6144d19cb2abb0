"""A search accepts what passes all cases, pays for them, and goes on only with the same ones."""

from dataclasses import replace

import pytest
from hl_dsl.synth.environments.environments import steps_taken
from hl_dsl.synth.proposers.text.feedback import failed_direction
from hl_dsl.synth.regressions.case import EpisodeCase, Window
from hl_dsl.synth.regressions.files import folder_beside, remove_case, write_case
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.regressions.run import run_cases

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.study_runs import LEAN, Interrupt, synth, trials

# The first program falls before it gets far; most that keep the pole up let the cart stray.
STAYS = EpisodeCase("stays", "CartPole-v1", "standard", 30, holds="cart.position in [-0.5, 0.5]")
STANDS = EpisodeCase("stands", "CartPole-v1", "standard", 31, window=Window(5, 15), least_return=10.0)


@pytest.fixture
def cases(lean):
    for case in (STAYS, STANDS):
        write_case(folder_beside(lean), case)
    return (STANDS, STAYS)


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


def test_what_is_accepted_passes_every_case(lean, cases, tmp_path):
    before = steps_taken()
    result = synth(lean, tmp_path / "run", budget_steps=6_000, seeds=(0, 1))
    assert steps_taken() - before == result.env_steps <= 6_000
    recorded = trials(tmp_path / "run")
    assert sum(trial.environment_steps for trial in recorded) == result.env_steps
    accepted = [trial for trial in recorded if trial.accepted]
    for trial in accepted:
        again = run_cases(Program.parse(trial.program), cases, None)
        assert [one.passed for one in again.outcomes] == [True, True], trial.change
        if trial.kind == "search":
            assert {name: kept["steps"] for name, kept in trial.cases.items()} == {
                one.name: one.length for one in again.outcomes
            }
            assert trial.environment_steps == sum(trial.lengths) + again.env_steps
    refused = [trial for trial in recorded if trial.gate == "regression"]
    strayed = [
        trial
        for trial in refused
        if trial.reason.startswith("case stays: `cart.position in [-0.5, 0.5]` is false at tick")
    ]
    assert strayed and all(trial.reason.startswith("case st") for trial in refused)
    assert all(trial.mean > recorded[0].mean for trial in refused), "the case alone stopped them"
    assert all(failed_direction(trial).reason.startswith("regression: case stays: `cart.position") for trial in strayed), (
        "a proposer that reads is told"
    )
    assert all(not trial.cases for trial in recorded if trial.gate in ("quick_seeds", "duplicate", "prove"))
    assert run_cases(Program.parse(result.best_text), cases, None).exit_code == 0


def test_a_run_with_cases_goes_on_as_if_nothing_had_been(lean, cases, tmp_path, monkeypatch):
    """Interrupted while the cases of the first program are played, of the next ones, and after that."""
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


def test_a_run_goes_on_with_its_own_cases_only(lean, cases, tmp_path):
    folder = folder_beside(lean)
    synth(lean, tmp_path / "run", budget_steps=1_000, seeds=(0, 1))

    def resumed():
        return synth(lean, tmp_path / "run", budget_steps=1_000, seeds=(0, 1), resume=True)

    assert resumed().env_steps <= 1_000
    write_case(folder, replace(STANDS, name="later"))
    with pytest.raises(HLError, match="regression cases; `later` was added since"):
        resumed()
    remove_case(folder, "later")
    remove_case(folder, "stays")
    with pytest.raises(HLError, match="`stays` was taken away since"):
        resumed()
    write_case(folder, replace(STAYS, seed=29))
    with pytest.raises(HLError, match="`stays` was changed since"):
        resumed()
    remove_case(folder, "stays")
    write_case(folder, replace(STAYS, origin="said otherwise"))
    assert resumed().env_steps <= 1_000


def test_a_search_begins_from_a_program_that_passes(lean, tmp_path):
    write_case(folder_beside(lean), EpisodeCase("high", "CartPole-v1", "standard", 30, least_return=400.0))
    for resume in (False, True):
        before = steps_taken()
        with pytest.raises(HLError, match="begins from is no good: case high: a return of .* is less than 400"):
            synth(lean, tmp_path / "run", budget_steps=5_000, seeds=(0, 1), resume=resume)
        assert (steps_taken() == before) is resume
    (trial,) = [one for one in trials(tmp_path / "run") if one.kind == "search"]
    assert (trial.gate, trial.index) == ("regression", 0) and not (tmp_path / "run" / "best.hl").exists()


@pytest.mark.parametrize("seeds", [(0, 50), (100,)])
def test_a_search_uses_development_seeds(lean, tmp_path, seeds):
    with pytest.raises(HLError, match="a search may not use seed"):
        synth(lean, tmp_path / "run", budget_steps=1_000, seeds=seeds)
    assert not (tmp_path / "run").exists()


def test_the_episodes_of_cases_end_where_nothing_more_is_to_be_seen(tmp_path):
    program = Program.parse(LEAN)
    found = run_cases(program, (STANDS,), None)
    assert found.env_steps == 20 and found.outcomes[0].value == 15
