"""Killed studies resume without loss; `make kills` tests many more kills."""

import subprocess
import sys
from pathlib import Path

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.proposers.text.call_account import LedgerCallAccount
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.step_counter import StepCounter
from tests.support.model_server import ModelServer, good
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BEST, BETTER, Run

ROOT = Path(__file__).parents[3]


def test_killed_studies_resume_to_the_same_result():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.kill_studies", "2", "--seed", "1"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kills" in done.stdout


def study(folder, url, **limits):
    options = ProposerOptions(
        model="m", base_url=url, api_key="key", grammar=lambda card: "start: /a/", max_output_tokens=500
    )
    return search_study(
        Program.parse(LEAN), "standard", folder, Budget(**limits), proposer="openai", seeds=(0, 1), options=options
    )


class Killed(BaseException):
    """Ends a study at once, as a kill does: nothing more is written."""


@pytest.mark.parametrize(
    "place", ["before the call is settled", "after the call is settled", "after the generation is recorded"]
)
def test_paid_texts_are_evaluated_and_not_requested_again(tmp_path, place, monkeypatch):
    with ModelServer([good(BETTER), good(BEST), good(BEST)]) as server:
        whole = study(tmp_path / "whole", server.url, steps=5_000, programs=3).run()
    real = Ledger.append_many
    sequence = {
        "before the call is settled": ("settled", 2, False),
        "after the call is settled": ("settled", 2, True),
        "after the generation is recorded": ("generation", 3, True),
    }
    what, number, written = sequence[place]
    seen = 0

    def killing(self, events):
        nonlocal seen
        events = list(events)
        seen += any(what in (one.get("state"), one["event"]) for one in events)
        if seen == number and not written or seen > number:
            seen = number + 1
            raise Killed
        found = real(self, events)
        if seen == number:
            seen += 1
            raise Killed
        return found

    with ModelServer([good(BETTER), good(BEST), good(BEST)]) as server:
        monkeypatch.setattr(Ledger, "append_many", killing)
        with pytest.raises(Killed):
            study(tmp_path / "cut", server.url, steps=5_000, programs=3).run()
        monkeypatch.setattr(Ledger, "append_many", real)
        requests = len(server.requests)
        again = study(tmp_path / "cut", server.url, steps=5_000, programs=3).resume()
        repeated = len(server.requests) - requests
    uninterrupted, resumed = Run(tmp_path / "whole"), Run(tmp_path / "cut")
    assert resumed.verdicts == uninterrupted.verdicts and again.best_text == whole.best_text
    cut_off = [one for one in resumed.settled if one["outcome"] == "cut off"]
    assert repeated == len(cut_off) == (1 if place == "before the call is settled" else 0)
    assert all(one["tokens"] == resumed.reserved[1]["reserved_tokens"] and one["estimated"] for one in cut_off)
    assert again.calls["tokens"] == whole.calls["tokens"] + sum(one["tokens"] for one in cut_off)


def test_paid_texts_are_evaluated_after_the_budget_is_spent(tmp_path):
    """The text is in the ledger, its result is not, and the budget covers no further call."""
    with ModelServer([good(BEST)]) as server:
        study(tmp_path / "run", server.url, steps=5_000, programs=2).run()
        ledger = tmp_path / "run" / "trials.jsonl"
        lines = ledger.read_text().splitlines(keepends=True)
        settled = next(place for place, line in enumerate(lines) if '"state":"settled"' in line)
        ledger.write_text("".join(lines[: settled + 1]))
        (tmp_path / "run" / ".steps").unlink()
        result = study(tmp_path / "run", server.url, steps=5_000, tokens=821).resume()
    assert result.score == 500 and len(server.requests) == 1 and "821 tokens is spent" in result.stop_reason


def test_a_crashed_call_is_charged_its_reservation(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append(
        {
            "event": "call",
            "state": "reserved",
            "call": 0,
            "trial": 1,
            "attempt": 1,
            "proposer": "openai",
            "model": "m",
            "reserved_tokens": 900,
            "reserved_cost": 0.25,
            "response_format": "chat-text",
        }
    )
    budget = Budget(tokens=1_000, cost=1.0)
    calls = LedgerCallAccount(ledger, budget, ledger.read())
    assert (budget.tokens_left, budget.cost_left) == (100, 0.75)
    assert (calls.settled[0]["outcome"], calls.settled[0]["response_format"]) == ("cut off", "chat-text")
    again = Budget(tokens=1_000, cost=1.0)
    LedgerCallAccount(ledger, again, ledger.read())
    assert (again.tokens_left, again.cost_left) == (100, 0.75), "it is charged once"


def test_steps_of_a_killed_process_are_counted(tmp_path):
    meter = StepCounter(tmp_path)
    meter.restart(7)
    meter.reserve(120)
    trial = {"event": "trial", "sequence": 8, "environment_steps": 50}
    assert StepCounter(tmp_path).unrecorded([]) == 120
    assert StepCounter(tmp_path).unrecorded([{**trial, "sequence": 7}, trial]) == 70
    assert StepCounter(tmp_path).unrecorded([trial, {**trial, "sequence": 9, "environment_steps": 70}]) == 0
