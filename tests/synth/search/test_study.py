"""A study proves before it evaluates, repeats, resumes to the same result, and keeps its budget."""

import json

import pytest
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.synth.candidates import gates
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.run_folder import RunFolder

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, Interrupt, search_study, synth, trials, tune


def verdicts(folder):
    """What must repeat: everything about a trial but the time it took, by number."""
    search = [trial for trial in trials(folder) if trial.kind == "search"]
    assert len({trial.index for trial in search}) == len(search), "a trial is recorded once"
    return {
        trial.index: (
            trial.program,
            trial.program_hash,
            trial.parent_hashes,
            trial.change,
            trial.gate,
            trial.reason,
            trial.returns,
            trial.lengths,
            trial.environment_steps,
            tuple(trial.parameters.items()),
        )
        for trial in search
    }


def test_search_balances_the_pole_and_records_every_trial(lean, tmp_path):
    before = steps_taken()
    events = []
    result = synth(lean, tmp_path / "run", budget_steps=25_000, on_event=events.append)
    assert steps_taken() - before == result.env_steps <= 25_000
    assert (result.score, result.proved) == (500.0, True) and result.start_score < 100
    best = Program.parse((tmp_path / "run" / "best.hl").read_text())
    assert (
        best.text.startswith("# Found by hl synth from lean")
        and best.hash == result.program_hash
        and best.prove().passed
    )
    recorded = [trial for trial in trials(tmp_path / "run") if trial.kind == "search"]
    assert [trial.index for trial in recorded] == sorted(trial.index for trial in recorded) or len(
        {trial.index for trial in recorded}
    ) == len(recorded)
    assert sum(trial.environment_steps for trial in recorded) == result.env_steps
    assert all(trial.environment_steps == 0 for trial in recorded if trial.gate in ("check", "duplicate", "prove"))
    assert all(trial.proof for trial in recorded if trial.environment_steps)
    assert max(trial.mean for trial in recorded if trial.accepted) == 500
    assert {event["event"] for event in events} >= {"steps", "generation", "best", "stop"}
    assert (tmp_path / "run" / "summary.csv").exists() and (tmp_path / "run" / "sample_efficiency.png").exists()


def test_programs_are_proved_before_they_are_evaluated(lean, tmp_path, monkeypatch):
    taken = []
    real = gates.Gates.prove

    def watched(self, candidate):
        taken.append(steps_taken())
        verdict = real(self, candidate)
        return verdict if len(taken) % 2 else gates.Rejection("prove", "refused by the test", candidate.hash)

    monkeypatch.setattr(gates.Gates, "prove", watched)
    played = []
    from hl_dsl.synth.search import generation_run

    real_play = generation_run.play
    monkeypatch.setattr(
        generation_run,
        "play",
        lambda candidates, *rest, **more: (
            played.append((steps_taken(), candidates)) or real_play(candidates, *rest, **more)
        ),
    )
    synth(lean, tmp_path / "run", budget_steps=6_000, evaluator=InProcessExecutor())
    refused = {trial.program_hash for trial in trials(tmp_path / "run") if trial.gate == "prove"}
    assert refused and not refused & {canonical_hash(one) for _, every in played for one in every}
    # All proofs of a generation come before its first step: no proof is made at a count of steps inside a generation.
    starts = [steps for steps, _ in played]
    assert all(steps in starts or steps >= starts[-1] for steps in taken)


def test_unproved_initial_program_starts_no_run(tmp_path):
    path = tmp_path / "wild.hl"
    path.write_text(LEAN.replace("pole.angle > 0 =>", "1 / pole.angle > 0 =>"))
    before = steps_taken()
    with pytest.raises(NotProved):
        synth(path, tmp_path / "run", budget_steps=1_000)
    assert steps_taken() == before and not (tmp_path / "run").exists()


def test_same_seed_gives_the_same_run(lean, tmp_path):
    first = synth(lean, tmp_path / "first", budget_steps=8_000, seed=4, num_threads=1)
    second = synth(lean, tmp_path / "second", budget_steps=8_000, seed=4, num_threads=2)
    assert first.best_text == second.best_text
    assert verdicts(tmp_path / "first") == verdicts(tmp_path / "second")
    synth(lean, tmp_path / "third", budget_steps=8_000, seed=5)
    assert verdicts(tmp_path / "third") != verdicts(tmp_path / "first")


@pytest.mark.parametrize(
    "when",
    [
        lambda event, count: event["event"] == "steps" and event["env_steps"] > 3_000,
        lambda event, count: event["event"] == "steps" and event["env_steps"] > 0,
        lambda event, count: event["event"] == "generation" and event["generation"] == 2,
        lambda event, count: event["event"] == "best" and event["score"] > 100,
        lambda event, count: event["event"] == "steps" and event["env_steps"] > 7_500,
    ],
    ids=["while playing", "in the first episode", "between generations", "at a new best", "near the end of the budget"],
)
def test_interrupted_run_resumes_to_the_same_result(lean, tmp_path, when):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = synth(lean, whole, budget_steps=9_000, seed=2)
    stop = Interrupt(when)
    try:
        result = synth(lean, cut, budget_steps=9_000, seed=2, on_event=stop)
        assert result.interrupted and (cut / "best.hl").exists()
    except HLError as error:
        assert "before its first episode ended" in error.message
    assert stop.done
    before, settled = steps_taken(), any(trial.kind == "search" for trial in trials(cut))
    result = synth(lean, cut, budget_steps=9_000, seed=2, resume=True)
    assert verdicts(cut) == verdicts(whole)
    assert (result.best_text, result.score, result.env_steps) == (
        expected.best_text,
        expected.score,
        expected.env_steps,
    )
    assert steps_taken() - before < 9_000 + (not settled)  # nothing that was settled is played again
    lost = sum(trial.environment_steps for trial in trials(cut) if trial.kind == "interrupted")
    assert result.lost_steps == lost
    assert sum(trial.environment_steps for trial in trials(cut)) == expected.env_steps + lost


def test_header_of_the_best_program_states_the_episode_limits(lean, tmp_path):
    synth(lean, tmp_path / "run", budget_steps=2_000, max_steps=70)
    assert "without reward or 70 in all.\n" in (tmp_path / "run" / "best.hl").read_text()
    synth(lean, tmp_path / "whole", budget_steps=2_000)
    assert "without reward.\n" in (tmp_path / "whole" / "best.hl").read_text()


def test_resume_with_other_settings_is_an_error(lean, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(HLError, match="not hold a run to resume"):
        synth(lean, folder, budget_steps=1_000, resume=True)
    assert not folder.exists()
    synth(lean, folder, budget_steps=2_000)
    with pytest.raises(HLError, match="already holds a run"):
        synth(lean, folder, budget_steps=2_000)
    with pytest.raises(HLError, match="--seed 0, not 1"):
        synth(lean, folder, budget_steps=2_000, seed=1, resume=True)
    lean.write_text(LEAN.replace("> 0", "> 0.01"))
    with pytest.raises(HLError, match="started from program"):
        synth(lean, folder, budget_steps=2_000, resume=True)


def test_run_resumes_with_a_larger_budget(lean, tmp_path):
    whole, longer = tmp_path / "whole", tmp_path / "longer"
    synth(lean, longer, budget_steps=3_000, seed=3)
    result = synth(lean, longer, budget_steps=6_000, seed=3, resume=True)
    assert 3_000 < result.env_steps <= 6_000
    again = synth(lean, longer, budget_steps=6_000, seed=3, resume=True)
    assert again.env_steps == result.env_steps and again.best_text == result.best_text
    assert len(verdicts(longer)) == result.trials
    assert not whole.exists()


def test_two_runs_cannot_use_one_folder(lean, tmp_path):
    with RunFolder(tmp_path / "run"), pytest.raises(HLError, match="another run writes"):
        synth(lean, tmp_path / "run", budget_steps=1_000)


@pytest.mark.parametrize(
    "more, message",
    [
        ({"proposer": "oracle"}, "unknown proposer `oracle`"),
        ({"budget_steps": 0}, "is too small"),
        ({"protocol": "sticky"}, "no protocol `sticky`"),
        ({"budget_steps": None}, "never end"),
    ],
)
def test_invalid_options_are_errors_before_the_folder_is_created(lean, tmp_path, more, message):
    with pytest.raises(HLError, match=message):
        synth(lean, tmp_path / "run", **more)
    assert not (tmp_path / "run").exists()


def test_missing_episode_files_are_an_error(lean, tmp_path):
    folder = tmp_path / "run"
    synth(lean, folder, budget_steps=3_000)
    for file in (folder / "episodes").iterdir():
        file.unlink()
    with pytest.raises(HLError, match="episodes of trial 0 are missing"):
        synth(lean, folder, budget_steps=9_000, resume=True)


def test_budget_of_programs_or_time_stops_a_run(lean, tmp_path):
    result = synth(lean, tmp_path / "programs", budget_steps=None, budget_programs=12)
    assert "12 programs" in result.stop_reason and result.trials == 12
    result = synth(lean, tmp_path / "time", budget_steps=None, wall_seconds=0.5)
    assert "0.5 seconds" in result.stop_reason


def test_tuning_of_a_file_writes_a_run_folder(leaning, tmp_path):
    result = tune(leaning, tmp_path / "run", budget_steps=3_000)
    assert (tmp_path / "run" / "best.hl").read_text() == result.best_text
    assert json.loads(json.dumps(result.to_json()))["score"] >= result.start_score


def test_study_runs_from_python(tmp_path):
    study = search_study(
        Program.parse(LEAN), "standard", tmp_path / "run", Budget(steps=1_500), seed=1, seeds=(7, 8, 9)
    )
    result = study.run()
    assert result.seeds == (7, 8, 9) and result.env_steps <= 1_500
    assert study.resume().best_text == result.best_text
