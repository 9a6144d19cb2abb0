"""Resuming a tuning after an interrupt, a kill, or its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hl_dsl.synth.report.contents.run import RunStatus, read_run
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.runs.trials_table import show_trials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from tests.support.step_counter import steps_taken
from tests.support.study_runs import Interrupt, trials, tune
from tests.synth.tuning.conftest import FEW, SWING, case, samples


def test_resumed_tuning_that_is_cut_counts_as_cut(swing, tmp_path):
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


def test_interrupted_tuning_has_status_interrupted(swing, tmp_path):
    stop = Interrupt(lambda event, count: event["event"] == "steps" and event["env_steps"] >= 20_000)
    assert tune(swing, tmp_path / "run", on_event=stop, **FEW).interrupted
    assert read_run(tmp_path / "run").status == RunStatus.INTERRUPTED


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
def test_interrupted_tuning_resumes_to_the_same_result(swing, tmp_path, more, cut_after):
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
def test_finished_tuning_resumes_to_the_same_result_without_a_step(budget, race, short, seeds, population, with_case):
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
def test_steps_of_a_killed_tuning_are_recorded(swing, tmp_path, where):
    """Steps that a killed process took and did not record are recorded by the resume."""
    code = (
        "from tests.support.study_runs import tune\n"
        "from hl_dsl.synth.rollouts.executor import InProcessExecutor\nfrom "
        "hl_dsl.synth.workers.worker_executor import WorkerExecutor\n"
        "def say(event):\n    print(event['event'], event.get('env_steps', 0), flush=True)\n"
        f"tune({str(swing)!r}, {str(tmp_path / 'run')!r}, budget_steps=600_000, seeds=range(6), seed=3, "
        f"evaluator={where}(), on_event=say, population=16)"
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
