"""An interactive study takes one program at a time: no step before its proof, and no episode is lost or repeated."""

import os
import signal
from dataclasses import replace

import pytest
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.search import generation_run, study_kind
from hl_dsl.synth.search.interactive_documents import inspect, status
from hl_dsl.synth.search.interactive_run import InteractiveStudy
from hl_dsl.synth.search.study_settings import StudySettings

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import add_case, cases_folder, remove_case
from hl_dsl.cases.records import EpisodeCase
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, trials


def few(steps=3_000, *, seeds=(0, 1), max_steps=100, programs=None):
    """Settings and budget of a small study."""
    return StudySettings(seeds=seeds, max_steps=max_steps), Budget(steps=steps, programs=programs)


BETTER = LEAN.replace("observe pole.angle", "observe pole.angle, pole.velocity").replace(
    "pole.angle > 0", "pole.angle + 0.3 * pole.velocity > 0"
)
WRONG = {
    "parse": "policy lean for",
    "check": LEAN.replace("pole.angle > 0", "pole.angel > 0"),
    "prove": LEAN.replace("pole.angle > 0", "1 / pole.angle > 0"),
    "duplicate": "# another name\n"
    + LEAN.replace("policy lean", "policy other").replace("pole.angle > 0", "0 < pole.angle"),
}


def test_submitted_program_is_evaluated_only_after_its_proof(lean, tmp_path):
    with InteractiveStudy.create(lean, tmp_path / "run", *few()) as session:
        before = steps_taken()
        for number, (gate, text) in enumerate(WRONG.items(), 1):
            document = session.submit(text)
            assert (document["gate"], document["trial"], document["accepted"], document["exit_code"]) == (
                gate,
                number,
                False,
                1,
            )
            assert document["env_steps"] == 0 == steps_taken() - before and document["reason"]
        good = session.submit(BETTER, "looks\nahead")
        assert (good["gate"], good["change"], good["exit_code"]) == ("accepted", "looks ahead", 0)
        assert good["env_steps"] == steps_taken() - before == 200 == sum(good["returns"])
        assert session.status()["left"]["env_steps"] == 3_000 - status(tmp_path / "run")["spent"]["env_steps"]
        again = session.submit(BETTER.replace("0.3 *", "0.30 *"))
        assert (again["gate"], again["env_steps"]) == ("duplicate", 0)
        finished = session.finish()
    assert (
        finished["score"] == 100
        and finished["proved"]
        and finished["stopped_at"] == {"accepted": 2, "parse": 1, "check": 1, "prove": 1, "duplicate": 2}
    )
    recorded = trials(tmp_path / "run")
    assert sum(trial.environment_steps for trial in recorded) == finished["env_steps"]
    assert {trial.proposer for trial in recorded if trial.index} <= {"mcp", "simplify"}
    assert (tmp_path / "run" / "best.hl").read_text() == finished["program"] and (
        tmp_path / "run" / "summary.csv"
    ).exists()


def test_unproved_program_opens_no_study(lean, tmp_path):
    lean.write_text(WRONG["prove"])
    before = steps_taken()
    with pytest.raises(NotProved):
        InteractiveStudy.create(lean, tmp_path / "run", *few())
    assert steps_taken() == before and not (tmp_path / "run").exists()


def test_study_can_be_opened_again(lean, tmp_path):
    run = tmp_path / "run"
    with InteractiveStudy.create(lean, run, *few()) as session:
        session.submit(WRONG["check"])
        with pytest.raises(HLError, match="another run writes"):
            InteractiveStudy.reopen(run)
    lean.unlink()
    before = steps_taken()
    with InteractiveStudy.reopen(run) as session:
        assert steps_taken() == before, "what is on record is not played again"
        assert session.submit(BETTER)["trial"] == 2
    with InteractiveStudy.reopen(run) as session:
        assert session.submit(BETTER)["gate"] == "duplicate"
        session.finish()
    for start in (
        lambda: InteractiveStudy.reopen(run),
        lambda: InteractiveStudy.create(tmp_path / "again.hl", run, *few()),
    ):
        (tmp_path / "again.hl").write_text(LEAN)
        with pytest.raises(HLError, match="is finished"):
            start()
    assert status(run)["open"] is False and inspect(run)["program_hash"] == status(run)["best"]["program_hash"]


def test_interrupt_keeps_the_program_and_records_all_steps(lean, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    with InteractiveStudy.create(lean, whole, *few()) as session:
        expected = session.submit(BETTER)
    real = generation_run.play

    def interrupted(*arguments, hooks, **options):
        def at(steps):
            hooks.before_step(steps)
            if steps == 60:
                os.kill(os.getpid(), signal.SIGINT)

        return real(*arguments, hooks=replace(hooks, before_step=at), **options)

    before = steps_taken()
    monkeypatch.setattr(study_kind, "WorkerExecutor", InProcessExecutor)  # so that the signal comes at that very step
    with InteractiveStudy.create(lean, cut, *few()) as session:
        monkeypatch.setattr(generation_run, "play", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.submit(BETTER)
    monkeypatch.undo()
    with InteractiveStudy.reopen(cut):
        pass
    found = trials(cut)
    assert sum(trial.environment_steps for trial in found) == steps_taken() - before
    trial = next(trial for trial in found if trial.index == 1)
    assert (trial.gate, list(trial.returns), trial.program_hash) == (
        expected["gate"],
        expected["returns"],
        expected["program_hash"],
    )
    assert len([event for event in Ledger(cut / "trials.jsonl").read() if event["event"] == "submission"]) == 1
    assert status(cut)["lost_steps"] > 0 and status(cut)["spent"] == status(whole)["spent"]


def test_budget_is_recorded_once(lean, tmp_path):
    with InteractiveStudy.create(lean, tmp_path / "run", *few(900, programs=5)) as session:
        session.submit(WRONG["parse"])
    with InteractiveStudy.reopen(tmp_path / "run"):
        pass
    limits = [event for event in Ledger(tmp_path / "run" / "trials.jsonl").read() if event["event"] == "budget"]
    assert [(event["steps"], event["programs"]) for event in limits] == [(900, 5)]


def test_budget_binds_and_can_be_increased(lean, tmp_path):
    run = tmp_path / "run"
    with InteractiveStudy.create(lean, run, *few(250)) as session:
        cut = session.submit(BETTER)
        assert not cut["accepted"] and "budget" in cut["reason"] and cut["spent"]["env_steps"] <= 250
        with pytest.raises(HLError, match="the study accepts no more programs: the budget of 250"):
            session.submit(BETTER.replace("0.3", "0.4"))
    with InteractiveStudy.create(lean, run, *few(900)) as session:
        assert session.submit(BETTER.replace("0.3", "0.4"))["accepted"]
    with InteractiveStudy.reopen(run) as session:
        assert session.status()["budget"] == {"env_steps": 900, "programs": None}
    with InteractiveStudy.create(
        lean, tmp_path / "few", *few(300_000, seeds=(0,), max_steps=20, programs=2)
    ) as session:
        session.submit("no program")
        with pytest.raises(HLError, match="budget of 2 programs"):
            session.submit(BETTER)


def test_submitted_program_must_pass_the_cases(lean, tmp_path):
    add_case(cases_folder(lean), EpisodeCase("stays", "CartPole-v1", "standard", 30, holds="step < 400"))
    with InteractiveStudy.create(lean, tmp_path / "run", *few(9_000, max_steps=None)) as session:
        stray = session.submit(BETTER)
        again = session.submit(BETTER.replace("0.3", "0.31").replace("policy lean", "policy other"))
    assert (stray["gate"], stray["mean"] > 400) == ("regression", True)
    assert again["gate"] in ("regression", "duplicate"), "a program that a case rejects is rejected again"
    assert (
        stray["reason"] == "case stays: `step < 400` is false at tick 400"
        and stray["cases"]["stays"]["passed"] is False
    )
    assert stray["env_steps"] == sum(stray["returns"]) + stray["cases"]["stays"]["steps"]
    remove_case(cases_folder(lean), "stays")
    with pytest.raises(HLError, match="`stays` was removed"):
        InteractiveStudy.reopen(tmp_path / "run")


def test_requests_about_a_missing_study_are_errors(lean, tmp_path):
    with RunFolder(tmp_path / "other") as folder:
        folder.write_settings({"kind": "synth", "proposer": "local"})
    for run, said in ((tmp_path / "none", "holds no run"), (tmp_path / "other", "not interactive")):
        for ask in (status, inspect, InteractiveStudy.reopen):
            with pytest.raises(HLError, match=said):
                ask(run)
    with InteractiveStudy.create(lean, tmp_path / "run", *few()):
        shown = inspect(tmp_path / "run", 0, ticks=3)
        assert len(shown["trace"]["rows"]) == 3 and shown["trace"]["columns"][0] == "tick" and shown["program"] == LEAN
        for arguments, said in (
            ((7,), "no trial 7"),
            ((0, 9), "no finished episode on seed 9"),
            ((0, 0, 0), "0 steps"),
        ):
            with pytest.raises(HLError, match=said):
                inspect(tmp_path / "run", *arguments)
