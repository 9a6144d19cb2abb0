"""Rules for every proposer: no step before the proof or for a duplicate, and interrupts lose nothing."""

import shlex
import sys

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.candidates import gates
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget
from tests.support.model_server import ModelServer, good, status
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.agents.test_agent import AGENT
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, MISTYPED, SAME, UNPROVED, Run

REFUSED = [
    BROKEN,
    MISTYPED,
    UNPROVED,
    UNPROVED.replace("0.1", "0.2"),
    LEAN.replace("lean", "other").replace("  act {", "  act  {"),
]


def study(folder, proposer, options, programs, **more):
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(steps=20_000, programs=programs),
        proposer=proposer,
        seeds=(0, 1),
        options=options,
        **more,
    )


def by_model(folder, url, programs, **more):
    options = ProposerOptions(
        model="m", base_url=url, api_key="k", repairs=0, retry_policy=RetryPolicy(first_wait=0.01)
    )
    return study(folder, "openai", options, programs, **more)


def play(proposer, folder, texts):
    """A study in which the proposer gives the texts in turn."""
    programs = len(texts) + 1
    if proposer == "command":
        place = folder.parent / "texts"
        place.mkdir()
        for number, text in enumerate(texts):
            (place / str(number)).write_text(text)
        command = shlex.join([sys.executable, str(AGENT), "gives", str(place)])
        return study(folder, "command", ProposerOptions(command=command, repairs=0, sandbox=False), programs).run()
    with ModelServer([good(one) for one in texts]) as server:
        if proposer == "openai":
            return by_model(folder, server.url, programs).run()
        by_model(folder.parent / "paid", server.url, programs).run()
    return study(folder, "replay", ProposerOptions(replayed=folder.parent / "paid"), programs).run()


@pytest.mark.parametrize("proposer", ["openai", "command", "replay"])
def test_a_program_that_is_not_proved_takes_no_step(tmp_path, proposer, monkeypatch):
    real, counts = gates.Gates.prove, []
    monkeypatch.setattr(
        gates.Gates, "prove", lambda self, candidate: counts.append(steps_taken()) or real(self, candidate)
    )
    result = play(proposer, tmp_path / "run", REFUSED)
    run = Run(tmp_path / "run")
    assert run.gates == ["accepted", "parse", "check", "prove", "prove", "duplicate"]
    steps = {trial.index: trial.environment_steps for trial in run.trials}
    assert steps == {0: result.env_steps, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0}
    # Two texts reached the proof. All steps, before and after it, are those of the initial program.
    assert len(counts) == (4 if proposer == "replay" else 2) and set(counts[-2:]) == {steps_taken()}


@pytest.mark.parametrize("proposer", ["openai", "command", "replay"])
def test_a_renamed_and_reformatted_duplicate_takes_no_step(tmp_path, proposer):
    assert Program.parse(SAME).text != Program.parse(BEST).text
    before = steps_taken()
    result = play(proposer, tmp_path / "run", [BEST, SAME])
    run = Run(tmp_path / "run")
    assert run.gates == ["accepted", "accepted", "duplicate"]
    runs = 2 if proposer == "replay" else 1
    assert (
        steps_taken() - before
        == runs * result.env_steps
        == runs * sum(trial.environment_steps for trial in run.trials if trial.index < 2)
    )


@pytest.mark.parametrize("when", ["at the start", "during the answer", "during the wait"])
def test_an_interrupted_call_is_charged_and_repeated(tmp_path, when):
    script = [good(BETTER), status(500), good(BEST, drips=0.03)]
    with ModelServer(script) as server:
        whole = by_model(tmp_path / "whole", server.url, 3).run()
    started = 0

    def interrupt(event):
        nonlocal started
        starts = event["event"] == "call" and not event["tokens"] and event["seconds"] == 0.0
        started += starts
        now = {
            "at the start": starts and started == 2,
            "during the answer": event["event"] == "call" and started == 3 and event["tokens"] > 0,
            "during the wait": event["event"] == "waiting",
        }
        if now[when]:
            raise KeyboardInterrupt

    with ModelServer(script + [good(BEST)]) as server:
        cut = by_model(tmp_path / "cut", server.url, 3, on_event=interrupt).run()
        assert cut.interrupted and cut.score < 100
        again = by_model(tmp_path / "cut", server.url, 3).resume()
    run = Run(tmp_path / "cut")
    assert run.verdicts == Run(tmp_path / "whole").verdicts and again.best_text == whole.best_text
    outcomes = [call["outcome"] for call in run.settled]
    assert outcomes.count("answered") == 2 and outcomes.count("cut off") == (when != "during the wait")
    assert len(run.reserved) == len(run.settled) and again.calls["tokens"] >= server.billed
