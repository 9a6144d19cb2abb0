"""Options of hl tune: races, centers, short episodes, fitness and golden cases."""

import json

import pytest
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.report.contents.run import RunStatus, read_run
from hl_dsl.synth.runs.ledger import Ledger

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.step_counter import steps_taken
from tests.support.study_runs import trials, tune
from tests.synth.tuning.conftest import FEW, SWING, case


def test_race_evaluates_only_the_better_half_on_all_seeds(swing, tmp_path):
    result = tune(swing, tmp_path / "run", race=True, population=8, **FEW)
    found = trials(tmp_path / "run")
    generation = [trial for trial in found if trial.kind == "tune" and 1 <= trial.index <= 8]
    assert sorted(len(trial.seeds) for trial in generation) == [2] * 4 + [6] * 4
    first = {trial.index: sum(trial.returns[:2]) for trial in generation}
    kept = {trial.index for trial in generation if len(trial.seeds) == 6}
    assert min(first[index] for index in kept) >= max(first[index] for index in set(first) - kept)
    assert all(len(trial.seeds) == 6 for trial in found if trial.accepted)
    assert (
        result.score > result.start_score
        and sum(trial.environment_steps for trial in found) == result.env_steps <= FEW["budget_steps"]
    )


def test_only_centers_are_accepted_with_center(swing, tmp_path):
    result = tune(swing, tmp_path / "run", center=True, population=6, step_size=0.1, **{**FEW, "budget_steps": 100_000})
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune" and trial.gate != "none"]
    accepted = [trial for trial in found if trial.accepted]
    assert result.score == accepted[-1].score > result.start_score and len(accepted) > 2
    with pytest.raises(HLError, match="started with --center$"):
        tune(swing, tmp_path / "run", resume=True, population=6, step_size=0.1, **{**FEW, "budget_steps": 100_000})
    before = [trial for trial in found if trial.index < accepted[1].index]
    assert max(trial.score for trial in before) > result.start_score, "a lucky sample is not taken"
    # The first generation is drawn around the program itself, which has been evaluated. The center of the second one is
    # within the range of its better half.
    drawn = sorted(found[1:7], key=lambda trial: -trial.score)[:3]
    for name, value in found[13].parameters.items():
        assert min(one.parameters[name] for one in drawn) <= value <= max(one.parameters[name] for one in drawn)


def test_center_has_values_of_the_parameters_types_and_passes_the_cases(swing, tmp_path):
    swing.write_text(
        SWING.replace("  act", "  param strong: int = 1 in [1, 3]\n  param all_in: bool = false\n\n  act").replace(
            "clamp(push[0]", "clamp((if all_in then 2 else strong) * push[0]"
        )
    )
    case(swing, -1e9)
    result = tune(swing, tmp_path / "run", center=True, population=6, step_size=0.1, **{**FEW, "budget_steps": 100_000})
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    assert {type(trial.parameters["strong"]) for trial in found} == {int} and {
        type(trial.parameters["all_in"]) for trial in found
    } == {bool}
    accepted = [trial for trial in found if trial.accepted]
    assert len(accepted) > 1 and result.score == accepted[-1].score > result.start_score
    assert all(trial.cases for trial in accepted) and not any(
        trial.cases for trial in found if "only a center" in trial.reason
    )


def test_best_file_holds_the_best_sample_so_far(swing, tmp_path):
    seen, best = [], tmp_path / "run" / "best.hl"

    def look(event):
        if event["event"] == "generation":
            seen.append(
                (event["best"], Program.load(best).hash if best.exists() else None, read_run(tmp_path / "run").status)
            )

    result = tune(swing, tmp_path / "run", population=6, on_event=look, **FEW)
    hashes = {trial.score: trial.program_hash for trial in trials(tmp_path / "run") if trial.accepted}
    assert [found for _, found, _ in seen] == [hashes[score] for score, _, _ in seen]
    assert (
        len(set(seen)) > 2
        and {status for _, _, status in seen} == {RunStatus.RUNNING}
        and best.read_text() == result.best_text
    )
    assert (
        read_run(tmp_path / "run").status == RunStatus.STOPPED
        and read_run(tmp_path / "run").stop_reason == result.stop_reason
    )


def test_center_can_win_a_race_alone(swing, tmp_path):
    result = tune(
        swing,
        tmp_path / "run",
        center=True,
        race=True,
        population=2,
        max_steps=20,
        **{**FEW, "budget_steps": 40_000, "seeds": range(33)},
    )
    assert result.stop_reason.startswith("the budget") and result.samples > 10


def test_short_episodes_come_first_and_accept_nothing(swing, tmp_path):
    result = tune(swing, tmp_path / "run", short="40:3,80:2", population=6, **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    caps = [trial.options["short"] for trial in found]
    assert caps[0] is None and caps[1:].index(None) > 5 * 6, "the start in whole, then five short generations"
    assert {length for trial in found if trial.options["short"] == 40 for length in trial.lengths} == {40}
    assert not any(trial.accepted for trial in found if trial.options["short"]) and {
        trial.gate for trial in found if trial.options["short"]
    } == {"quick_seeds"}
    whole = [
        trial for trial in found if trial.options["short"] is None and trial.score is not None and trial.gate != "none"
    ]
    assert result.score == max(trial.score for trial in whole) and {
        length for trial in whole for length in trial.lengths
    } == {200}


def test_best_sample_of_short_episodes_is_evaluated_in_whole_episodes(swing, tmp_path):
    result = tune(swing, tmp_path / "run", short="40:1000", population=6, **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    short = [trial for trial in found if trial.options["short"] == 40 and trial.gate == "quick_seeds"]
    assert (
        max(short, key=lambda trial: trial.score).parameters
        in [trial.parameters for trial in found if trial.options["short"] is None][1:]
    )
    assert result.env_steps <= FEW["budget_steps"] and result.stop_reason.startswith("the budget")


def test_fitness_option_decides_what_is_accepted(swing, tmp_path):
    result = tune(swing, tmp_path / "run", fitness="0.5*min+0.5*mean", **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.gate != "none" and len(trial.seeds) == 6]
    assert all(trial.fitness == pytest.approx(0.5 * trial.min + 0.5 * trial.mean) == trial.score for trial in found)
    assert result.score == max(trial.score for trial in found) == [trial for trial in found if trial.accepted][-1].score
    assert json.loads((tmp_path / "run" / "run.json").read_text())["fitness"] == "0.5*min+0.5*mean"
    with pytest.raises(HLError, match="--fitness 0.5"):
        tune(swing, tmp_path / "run", resume=True, fitness="min", **FEW)
    with pytest.raises(HLError, match="started without --center$"):
        tune(swing, tmp_path / "run", resume=True, fitness="0.5*min+0.5*mean", center=True, **FEW)


def test_ledger_holds_texts_of_accepted_samples_only(swing, tmp_path):
    tune(swing, tmp_path / "run", **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    assert [bool(trial.program) for trial in found] == [trial.accepted for trial in found]
    assert (tmp_path / "run" / "progress.png").read_bytes().startswith(b"\x89PNG")
    generations = [
        event for event in Ledger(tmp_path / "run" / "trials.jsonl").read() if event["event"] == "generation"
    ]
    assert [event["generation"] for event in generations] == list(range(len(generations))) and len(generations) > 2


def test_accepted_samples_pass_the_cases(swing, tmp_path):
    free = tune(swing, tmp_path / "free", **FEW)
    first = next(trial for trial in trials(tmp_path / "free") if trial.index == 0)
    case(swing, min(first.returns) - 400)
    kept = tune(swing, tmp_path / "kept", **FEW)
    found = trials(tmp_path / "kept")
    assert all(trial.cases["hangs"]["passed"] for trial in found if trial.accepted)
    assert sum(trial.environment_steps for trial in found) == kept.env_steps <= FEW["budget_steps"]
    assert free.score != float("-inf") and kept.score > kept.start_score


def test_sample_that_fails_a_case_is_not_accepted(swing, tmp_path, monkeypatch):
    """Every program but the initial one is held to a return that none can have."""
    case(swing, -1e9)
    real = CaseGate.rejection_reason
    monkeypatch.setattr(
        CaseGate,
        "rejection_reason",
        lambda self, index: real(self, index) if index == 0 else "case hangs: return too low",
    )
    result = tune(swing, tmp_path / "run", **FEW)
    recorded = trials(tmp_path / "run")
    assert result.score == result.start_score and result.best_text == SWING
    rejected = [trial for trial in recorded if trial.gate == "regression"]
    assert rejected and not any(trial.accepted for trial in recorded if trial.index)
    assert {trial.reason for trial in rejected} == {"case hangs: return too low"}


def test_initial_program_that_fails_a_case_is_not_tuned(swing, tmp_path):
    case(swing, 0.0)
    before = steps_taken()
    with pytest.raises(HLError, match="rejected: case hangs: a return of"):
        tune(swing, tmp_path / "run", **FEW)
    assert sum(trial.environment_steps for trial in trials(tmp_path / "run")) == steps_taken() - before == 7 * 200


@pytest.mark.parametrize(
    "more, said",
    [
        ({"race": True, "seeds": [0]}, "nothing to race with 1 seed"),
        ({"race": True, "seeds": [0, 1]}, "nothing to race with 2 seeds: every sample is evaluated on 2"),
        ({"short": "9999:3"}, "every episode ends after 200"),
        ({"short": "30", "max_steps": 30}, "every episode ends after 30"),
    ],
)
def test_options_without_effect_are_errors(swing, tmp_path, more, said):
    before = steps_taken()
    with pytest.raises(HLError, match=said):
        tune(swing, tmp_path / "run", **{**FEW, **more})
    assert steps_taken() == before and not (tmp_path / "run").exists()


def test_better_program_is_written_into_the_file(swing, tmp_path):
    result = tune(swing, tmp_path / "run", write=True, **FEW)
    assert result.written == str(swing) and swing.read_text() == result.best_text != SWING
    assert Program.load(swing).hash == result.program_hash
