"""Races, short episodes, fitness and golden cases: what they change in a tuning, and that it repeats and goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.report.contents.run import RunStatus, read_run
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trials_table import show_trials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import add_case, cases_folder
from hl_dsl.cases.records import EpisodeCase
from hl_dsl.program import Program
from tests.support.step_counter import steps_taken
from tests.support.study_runs import Interrupt, trials, tune

SWING = """\
policy swing for "Pendulum-v1" {
  observe pole.sin, pole.velocity

  param push: vec[2] = [0, 0.1] in [-20, 20]

  act clamp(push[0] * pole.sin + push[1] * pole.velocity, -2, 2)
}
"""
FEW = {"budget_steps": 60_000, "seeds": range(6), "seed": 3, "evaluator": InProcessExecutor()}


@pytest.fixture
def swing(tmp_path):
    path = tmp_path / "swing" / "swing.hl"
    path.parent.mkdir()
    path.write_text(SWING)
    return path


def samples(folder):
    return {
        trial.index: (trial.program_hash, trial.seeds, trial.returns, trial.gate, trial.reason)
        for trial in trials(folder)
        if trial.kind == "tune" and trial.returns
    }


def test_a_race_plays_all_seeds_of_the_better_half_alone(swing, tmp_path):
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


def test_the_center_alone_is_accepted_and_counts_beside_the_samples(swing, tmp_path):
    result = tune(swing, tmp_path / "run", center=True, population=6, step_size=0.1, **{**FEW, "budget_steps": 100_000})
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune" and trial.gate != "none"]
    accepted = [trial for trial in found if trial.accepted]
    assert result.score == accepted[-1].score > result.start_score and len(accepted) > 2
    with pytest.raises(HLError, match="started with --center$"):
        tune(swing, tmp_path / "run", resume=True, population=6, step_size=0.1, **{**FEW, "budget_steps": 100_000})
    before = [trial for trial in found if trial.index < accepted[1].index]
    assert max(trial.score for trial in before) > result.start_score, "a lucky sample is not taken"
    # The first generation is drawn around the program itself, which has been played; the second one's center stands among its better half.
    drawn = sorted(found[1:7], key=lambda trial: -trial.score)[:3]
    for name, value in found[13].parameters.items():
        assert min(one.parameters[name] for one in drawn) <= value <= max(one.parameters[name] for one in drawn)


def test_a_center_is_a_value_that_its_param_may_take_and_must_pass_the_cases(swing, tmp_path):
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


def test_the_best_so_far_stands_in_the_folder_while_the_tuning_goes_on(swing, tmp_path):
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


def test_a_tuning_that_went_on_and_was_cut_is_no_ended_one(swing, tmp_path):
    tune(swing, tmp_path / "run", population=6, **FEW)
    written, best = [], tmp_path / "run" / "best.hl"
    before = best.read_text()

    def cut(event):
        if event["event"] == "best":
            written.append(best.read_text())
        if event["event"] == "generation" and event["env_steps"] > FEW["budget_steps"]:
            raise RuntimeError("as a kill would")

    with pytest.raises(RuntimeError):
        tune(swing, tmp_path / "run", population=6, resume=True, on_event=cut, **{**FEW, "budget_steps": 90_000})
    assert (
        read_run(tmp_path / "run").status == RunStatus.ABORTED
        and show_trials(tmp_path / "run", as_json=True)["stop_reason"] is None
    )
    assert len(written) > 2 and set(written) == {before}, "what was accepted before is not written over the best"


def test_what_is_interrupted_says_so(swing, tmp_path):
    stop = Interrupt(lambda event, count: event["event"] == "steps" and event["env_steps"] >= 20_000)
    assert tune(swing, tmp_path / "run", on_event=stop, **FEW).interrupted
    assert read_run(tmp_path / "run").status == RunStatus.INTERRUPTED


def test_a_center_may_win_its_race_alone(swing, tmp_path):
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


def test_short_episodes_come_first_and_decide_nothing(swing, tmp_path):
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


def test_the_best_of_short_episodes_is_played_in_whole_when_the_budget_ends(swing, tmp_path):
    result = tune(swing, tmp_path / "run", short="40:1000", population=6, **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    short = [trial for trial in found if trial.options["short"] == 40 and trial.gate == "quick_seeds"]
    assert (
        max(short, key=lambda trial: trial.score).parameters
        in [trial.parameters for trial in found if trial.options["short"] is None][1:]
    )
    assert result.env_steps <= FEW["budget_steps"] and result.stop_reason.startswith("the budget")


def test_the_least_return_is_what_counts_where_it_is_asked_for(swing, tmp_path):
    result = tune(swing, tmp_path / "run", fitness="0.5*min+0.5*mean", **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.gate != "none" and len(trial.seeds) == 6]
    assert all(trial.fitness == pytest.approx(0.5 * trial.min + 0.5 * trial.mean) == trial.score for trial in found)
    assert result.score == max(trial.score for trial in found) == [trial for trial in found if trial.accepted][-1].score
    assert json.loads((tmp_path / "run" / "run.json").read_text())["fitness"] == "0.5*min+0.5*mean"
    with pytest.raises(HLError, match="--fitness 0.5"):
        tune(swing, tmp_path / "run", resume=True, fitness="min", **FEW)
    with pytest.raises(HLError, match="started without --center$"):
        tune(swing, tmp_path / "run", resume=True, fitness="0.5*min+0.5*mean", center=True, **FEW)


def test_the_ledger_holds_texts_of_what_was_accepted_alone(swing, tmp_path):
    tune(swing, tmp_path / "run", **FEW)
    found = [trial for trial in trials(tmp_path / "run") if trial.kind == "tune"]
    assert [bool(trial.program) for trial in found] == [trial.accepted for trial in found]
    assert (tmp_path / "run" / "progress.png").read_bytes().startswith(b"\x89PNG")
    generations = [
        event for event in Ledger(tmp_path / "run" / "trials.jsonl").read() if event["event"] == "generation"
    ]
    assert [event["generation"] for event in generations] == list(range(len(generations))) and len(generations) > 2


def case(swing, least):
    add_case(
        cases_folder(swing),
        EpisodeCase("hangs", "Pendulum-v1", Program.load(swing).card.protocols[0], 9, least_return=least),
    )


def test_a_new_best_passes_the_cases(swing, tmp_path):
    free = tune(swing, tmp_path / "free", **FEW)
    first = next(trial for trial in trials(tmp_path / "free") if trial.index == 0)
    case(swing, min(first.returns) - 400)
    kept = tune(swing, tmp_path / "kept", **FEW)
    found = trials(tmp_path / "kept")
    assert all(trial.cases["hangs"]["passed"] for trial in found if trial.accepted)
    assert sum(trial.environment_steps for trial in found) == kept.env_steps <= FEW["budget_steps"]
    assert free.score != float("-inf") and kept.score > kept.start_score


def test_a_sample_that_fails_a_case_is_not_accepted(swing, tmp_path, monkeypatch):
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


def test_a_program_that_breaks_a_case_is_not_tuned(swing, tmp_path):
    case(swing, 0.0)
    before = steps_taken()
    with pytest.raises(HLError, match="rejected: case hangs: a return of"):
        tune(swing, tmp_path / "run", **FEW)
    assert sum(trial.environment_steps for trial in trials(tmp_path / "run")) == steps_taken() - before == 7 * 200


@pytest.mark.parametrize(
    "more",
    [
        {"race": True, "population": 6},
        {"center": True, "population": 6},
        {"center": True, "race": True, "short": "40:2", "population": 6},
        {"short": "40:2", "population": 6},
        {"short": "40:1000", "population": 6},
        {"fitness": "min"},
    ],
    ids=["race", "center", "all", "short", "long", "min"],
)
@pytest.mark.parametrize("cut_after", [1_000, 9_000, 22_000])
def test_a_tuning_goes_on_to_the_same_end(swing, tmp_path, more, cut_after):
    case(swing, -1e9)
    few = {**FEW, "budget_steps": 30_000}
    expected = tune(swing, tmp_path / "whole", **few, **more)
    stop = Interrupt(lambda event, count: event["event"] == "steps" and event["env_steps"] >= cut_after)
    try:
        tune(swing, tmp_path / "cut", on_event=stop, **few, **more)
    except HLError as error:
        assert "before its first episode ended" in error.message
    assert stop.done
    result = tune(swing, tmp_path / "cut", resume=True, **few, **more)
    assert (result.values, result.score, result.env_steps) == (expected.values, expected.score, expected.env_steps)
    assert samples(tmp_path / "cut") == samples(tmp_path / "whole")


@pytest.mark.parametrize(
    "more, said",
    [
        ({"race": True, "seeds": [0]}, "nothing to race with 1 seed"),
        ({"race": True, "seeds": [0, 1]}, "nothing to race with 2 seeds: every sample is evaluated on 2"),
        ({"short": "9999:3"}, "every episode ends after 200"),
        ({"short": "30", "max_steps": 30}, "every episode ends after 30"),
    ],
)
def test_what_would_change_nothing_is_refused(swing, tmp_path, more, said):
    before = steps_taken()
    with pytest.raises(HLError, match=said):
        tune(swing, tmp_path / "run", **{**FEW, **more})
    assert steps_taken() == before and not (tmp_path / "run").exists()


@settings(max_examples=10, deadline=None)
@given(
    budget=st.integers(41, 6_000),
    race=st.booleans(),
    short=st.sampled_from([None, "12:1", "10:2,15:1000"]),
    seeds=st.sampled_from([1, 2, 6, 9]),
    population=st.integers(2, 9),
    with_case=st.booleans(),
)
@example(budget=2_700, race=True, short="10:2,15:1000", seeds=9, population=9, with_case=False)
def test_a_tuning_that_is_over_comes_to_the_same_again(budget, race, short, seeds, population, with_case):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "swing" / "swing.hl"
        path.parent.mkdir()
        path.write_text(SWING)
        if with_case:
            case(path, -1e9)
        options = {
            "budget_steps": budget,
            "seeds": range(seeds),
            "seed": 3,
            "evaluator": InProcessExecutor(),
            "race": race and seeds > 2,
            "short": short,
            "population": population,
            "max_steps": 20,
        }
        try:
            expected = tune(path, Path(folder) / "run", **options)
        except HLError as error:
            assert "before its first episode ended" in error.message
            return
        before, recorded = steps_taken(), samples(Path(folder) / "run")
        assert tune(path, Path(folder) / "run", resume=True, **options) == expected
        assert steps_taken() == before and samples(Path(folder) / "run") == recorded


@pytest.mark.parametrize("where", ["InProcessExecutor", "WorkerExecutor"])
def test_a_kill_loses_no_step(swing, tmp_path, where):
    """What a killed process had played and not written down is listed when the run goes on."""
    code = (
        "from tests.support.study_runs import tune\n"
        "from hl_dsl.synth.rollouts.executor import InProcessExecutor\nfrom hl_dsl.synth.workers.worker_executor import WorkerExecutor\n"
        "def say(event):\n    print(event['event'], event.get('env_steps', 0), flush=True)\n"
        f"tune({str(swing)!r}, {str(tmp_path / 'run')!r}, budget_steps=600_000, seeds=range(6), seed=3, evaluator={where}(), on_event=say, population=16)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    seen = 0
    for line in process.stdout:
        kind, steps = line.split()
        if kind == "steps" and int(steps) > 30_000:
            seen = int(steps)
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(20)
    recorded = sum(trial.environment_steps for trial in trials(tmp_path / "run"))
    assert recorded < seen
    result = tune(swing, tmp_path / "run", resume=True, **{**FEW, "budget_steps": recorded + 1, "population": 16})
    listed = sum(
        trial.environment_steps
        for trial in trials(tmp_path / "run")
        if trial.reason.startswith("steps of episodes that the end")
    )
    assert recorded + listed >= seen and result.env_steps <= recorded + 1


def test_a_better_program_is_written_into_the_file(swing, tmp_path):
    result = tune(swing, tmp_path / "run", write=True, **FEW)
    assert result.written == str(swing) and swing.read_text() == result.best_text != SWING
    assert Program.load(swing).hash == result.program_hash
