"""Resuming a run after an interrupt while it is recorded, under another version, and after a full disk."""

import json
import os
import re
import signal

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import FileUnwritable
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.run_result import NotWritten
from hl_dsl.synth.runs.version import version
from tests.support.step_counter import steps_taken
from tests.support.study_runs import Interrupt, synth, trials, tune


@pytest.mark.parametrize(
    "start",
    [
        lambda *more, **options: synth(*more, budget_steps=6_000, seed=2, **options),
        lambda *more, **options: tune(*more, budget_steps=6_000, seed=2, **options),
    ],
    ids=["synth", "tune"],
)
def test_interrupt_while_a_generation_is_recorded_loses_no_step(leaning, tmp_path, monkeypatch, start):
    """A real signal, at the moment between the last step and its record."""
    real, came = Ledger.append_many, []

    def interrupted(self, events):
        events = list(events)
        if len(came) < 2 and any(event.get("environment_steps") for event in events):
            came.append(len(events))
            if len(came) == 2:
                os.kill(os.getpid(), signal.SIGINT)
        return real(self, events)

    whole = start(leaning, tmp_path / "whole")
    monkeypatch.setattr(Ledger, "append_many", interrupted)
    before = steps_taken()
    result = start(leaning, tmp_path / "cut")
    assert result.interrupted and len(came) == 2
    assert (
        sum(trial.environment_steps for trial in trials(tmp_path / "cut")) == steps_taken() - before < whole.env_steps
    )
    assert start(leaning, tmp_path / "cut", resume=True).score == whole.score


def test_error_names_the_version_of_a_run_that_cannot_be_repeated(lean, tmp_path):
    folder = tmp_path / "run"
    synth(lean, folder, budget_steps=2_000)
    settings = json.loads((folder / "run.json").read_text())
    assert settings["version"] == version() and re.fullmatch(r"\d+\.\d+\.\d+ \(code [0-9a-f]{8}\)", version())
    (folder / "run.json").write_text(json.dumps(settings | {"version": "0.0.9 (code 01234567)"}))
    assert synth(lean, folder, budget_steps=2_000, resume=True).env_steps <= 2_000, "a run that repeats can be resumed"
    ledger = Ledger(folder / "trials.jsonl")
    events = [
        {key: value for key, value in event.items() if key not in ("sequence", "time", "schema", "checksum")}
        for event in ledger.read()
    ]
    next(event for event in events if event["event"] == "generation" and event["generation"] == 1)["proposals"][0][
        "hash"
    ] = "another"
    ledger.path.unlink()
    ledger.append_many(events)
    with pytest.raises(
        HLError, match=r"generation 1 .* HL 0\.0\.9 \(code 01234567\) made this run, and this is HL"
    ) as caught:
        synth(lean, folder, budget_steps=4_000, resume=True)
    assert "best.hl" in caught.value.hint
    (folder / "run.json").write_text(json.dumps(settings))
    with pytest.raises(HLError, match="generation 1 .* files in .* were changed"):
        synth(lean, folder, budget_steps=4_000, resume=True)
    (folder / "run.json").write_text(json.dumps({**settings, "lanes": 3, "version": None}))
    with pytest.raises(HLError, match="its lanes is 3, not 8") as caught:
        synth(lean, folder, budget_steps=4_000, resume=True)
    assert "of an unknown version" in caught.value.hint


@pytest.mark.parametrize("cut_after", [1, 5, 12, 30])
def test_interrupted_tuning_resumes_to_the_same_result(leaning, tmp_path, cut_after):
    def samples(folder):
        return {
            trial.index: (trial.program_hash, trial.returns, trial.gate) for trial in trials(folder) if trial.returns
        }

    expected = tune(leaning, tmp_path / "whole", budget_steps=9_000, seed=2)
    stop = Interrupt(lambda event, count: event["event"] == "steps" and count >= cut_after)
    try:
        result = tune(leaning, tmp_path / "cut", budget_steps=9_000, seed=2, on_event=stop)
        assert result.interrupted
    except HLError as error:
        assert "before its first episode ended" in error.message
    assert stop.done
    result = tune(leaning, tmp_path / "cut", budget_steps=9_000, seed=2, resume=True)
    assert (result.values, result.score, result.best_text) == (expected.values, expected.score, expected.best_text)
    assert samples(tmp_path / "cut") == samples(tmp_path / "whole")
    before = steps_taken()
    tune(leaning, tmp_path / "cut", budget_steps=result.env_steps, seed=2, resume=True)
    assert steps_taken() == before, "what is recorded is not played again"
    with pytest.raises(HLError, match="already holds a run"):
        tune(leaning, tmp_path / "cut", budget_steps=9_000, seed=2)
    with pytest.raises(HLError, match="`hl tune` made it"):
        synth(leaning, tmp_path / "cut", budget_steps=9_000, seed=2, resume=True)
    with pytest.raises(HLError, match="started without --params"):
        tune(leaning, tmp_path / "cut", budget_steps=9_000, seed=2, params=["lean"], resume=True)


@pytest.mark.parametrize("run", [synth, tune])
def test_result_is_kept_if_the_plot_cannot_be_written(leaning, tmp_path, monkeypatch, run):
    def full(*arguments, **options):
        raise FileUnwritable("the disk is full", "Free some space.")

    monkeypatch.setattr(RunFolder, "rebuild", full)
    with pytest.raises(NotWritten, match="the disk is full") as caught:
        run(leaning, tmp_path / "run", budget_steps=2_000)
    assert caught.value.result.score > 0 and (tmp_path / "run" / "best.hl").exists()
    monkeypatch.undo()
    again = run(leaning, tmp_path / "run", budget_steps=2_000, resume=True)
    assert again.score == caught.value.result.score and (tmp_path / "run" / "sample_efficiency.png").exists()
