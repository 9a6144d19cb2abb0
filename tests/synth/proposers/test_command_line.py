"""Proposers on the command line: studies with a model, an agent or several proposers, and their reports."""

import io
import json
import os
import shlex
import sys

import pytest

from hl_dsl.cli.app import run
from hl_dsl.synth.runs.progress import progress
from tests.support.model_server import ModelServer, good, status
from tests.support.study_runs import LEAN
from tests.synth.proposers.agents.test_agent import AGENT
from tests.synth.proposers.conftest import BEST, BETTER, Run


@pytest.fixture
def lean(tmp_path):
    path = tmp_path / "lean.hl"
    path.write_text(LEAN)
    return path


def run_hl(capsys, code, *words):
    """Runs the command line, checks the exit code, and returns what it printed."""
    assert run([str(word) for word in words]) == code
    return capsys.readouterr()


def test_cost_of_a_model_is_reported(lean, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-test")
    prices = tmp_path / "prices.toml"
    prices.write_text('[models."scripted"]\ninput = 2\noutput = 8.5\ncached_input = 0.5\n')
    with ModelServer([good(BETTER), status(401)]) as server:
        output = run_hl(
            capsys,
            0,
            "synth",
            lean,
            "--run",
            tmp_path / "run",
            "--proposer",
            "openai",
            "--model",
            "scripted",
            "--base-url",
            server.url,
            "--prices",
            prices,
            "--cost",
            "1",
            "--tokens",
            "90000",
            "--max-output-tokens",
            "900",
            "--seeds",
            "0..1",
            "--json",
        ).out
    document = json.loads(output)
    cost = (350 * 2 + 350 * 0.5 + 120 * 8.5) / 1e6
    assert document["calls"] == {
        **document["calls"],
        "calls": 2,
        "answered": 1,
        "failed": 1,
        "tokens": 820,
        "cost": pytest.approx(cost),
        "cost_unknown": 0,
    }
    assert "HTTP 401" in document["stop_reason"] and server.requests[0][1]["max_output_tokens"] == 900
    shown = json.loads(run_hl(capsys, 0, "trials", tmp_path / "run", "--json").out)
    assert shown["totals"]["calls"] == document["calls"] and shown["totals"]["tokens"] == 820
    text = run_hl(capsys, 0, "trials", tmp_path / "run").out
    assert "2 calls (1 failed), 820 tokens, cost 0.0019" in text
    assert "key-of-the-test" not in "".join(path.read_text(errors="replace") for path in (tmp_path / "run").glob("*.*"))
    assert Run(tmp_path / "run").reserved[0]["reserved_cost"] < 1


def test_a_recorded_study_of_an_agent_is_replayed(lean, tmp_path, capsys):
    command = shlex.join([sys.executable, str(AGENT), "improves"])
    common = ("--seeds", "0..1", "--programs", "2", "--json")
    first = json.loads(
        run_hl(
            capsys, 0, "synth", lean, "--run", tmp_path / "one", "--proposer", "command", "--command", command, *common
        ).out
    )
    again = json.loads(
        run_hl(
            capsys,
            0,
            "synth",
            lean,
            "--run",
            tmp_path / "two",
            "--proposer",
            "replay",
            "--replay",
            tmp_path / "one",
            *common,
        ).out
    )
    assert first["score"] == again["score"] == 500 and first["program_hash"] == again["program_hash"]
    assert (first["calls"]["calls"], again["calls"]) == (1, None)


@pytest.mark.parametrize(
    "profile, arguments", [("codex", ["exec", "--model", "fast", "-"]), ("claude", ["--print", "--model", "fast"])]
)
def test_a_profile_runs_the_agent_under_its_name(lean, tmp_path, capsys, monkeypatch, profile, arguments):
    """A small program replaces the agent under its name. Its input and output are in the run folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    agent = programs / profile
    # It is sandboxed: it can write in its own folder only. Its output is in the ledger.
    agent.write_text(f'#!/bin/sh\necho "called as: $*"\nls\nexec "{sys.executable}" "{AGENT}" improves\n')
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    document = json.loads(
        run_hl(
            capsys,
            0,
            "synth",
            lean,
            "--run",
            tmp_path / "run",
            "--proposer",
            "command",
            "--profile",
            profile,
            "--model",
            "fast",
            "--seeds",
            "0..1",
            "--programs",
            "2",
            "--json",
        ).out
    )
    assert document["score"] == 500 and document["proved"] and document["calls"]["answered"] == 1
    run = Run(tmp_path / "run")
    output, accepted = run.settled[0]["output"], run.trials[1]
    assert all(f" {word}" in output.splitlines()[0] for word in arguments)
    assert {"policy.hl", "TASK.md", "FEEDBACK.md", "picture-1.png"} <= set(output.split())
    assert (accepted.accepted, accepted.proposer, accepted.model, accepted.change) == (
        True,
        "command",
        "fast",
        "look ahead, says the agent",
    )
    report = json.loads(run_hl(capsys, 0, "report", tmp_path / "run", "--no-videos", "--json").out)
    assert report["best"]["mean"] == 500 and report["spent"]["calls"]["answered"] == 1
    page = (tmp_path / "run" / "report.html").read_text()
    assert "look ahead, says the agent" in page and "command" in page and "fast" in page


def test_the_progress_line_shows_calls():
    stream = io.StringIO()
    with progress("synth", stream) as show:
        show({"event": "waiting", "seconds": 4.2, "reason": "HTTP 429: slow down"})
        show._last -= 60
        show({"event": "call", "proposer": "openai", "model": "m", "tokens": 1234, "seconds": 7.0})
    assert "HTTP 429: slow down; the next attempt is in 4 s" in stream.getvalue()
    assert "waiting for m: 1,234 tokens so far, 7 s" in stream.getvalue()


def test_several_proposers_take_turns(lean, tmp_path, capsys):
    with ModelServer([good(BEST)]) as server:
        run_hl(
            capsys,
            0,
            "synth",
            lean,
            "--run",
            tmp_path / "run",
            "--proposer",
            "local,openai",
            "--model",
            "m",
            "--base-url",
            server.url,
            "--seeds",
            "0",
            "--programs",
            "40",
            "--seed",
            "1",
            "--json",
        )
    of = {trial.proposer for trial in Run(tmp_path / "run").trials}
    assert of == {"local", "openai"}


def test_the_table_of_a_run_ends_with_the_simplified_program(lean, tmp_path, capsys):
    """A model writes an unneeded condition. The run removes it, and all reports name the simplified program."""
    more = BEST.replace("pole.velocity > 0", "pole.velocity > 0 and pole.angle < 9")
    with ModelServer([good(more)]) as server:
        document = json.loads(
            run_hl(
                capsys,
                0,
                "synth",
                lean,
                "--run",
                tmp_path / "run",
                "--proposer",
                "openai",
                "--model",
                "m",
                "--base-url",
                server.url,
                "--seeds",
                "0..1",
                "--programs",
                "2",
                "--json",
            ).out
        )
    assert "< 9" not in document["program"] and document["accepted"] == 2
    shown = json.loads(run_hl(capsys, 0, "trials", tmp_path / "run", "--json").out)
    assert shown["best"]["program_hash"] == shown["lineage"][-1]["program_hash"] == document["program_hash"]
    assert [one["change"] for one in shown["lineage"]][-1].endswith("nodes removed") and len(shown["lineage"]) == 3
    last = shown["trials"][-1]
    assert last["kind"] == "simplify" and last["name"] == f"simplify {last['sequence']}"
    assert (shown["totals"]["accepted"], shown["totals"]["simplified"], shown["totals"]["by_gate"]["accepted"]) == (
        2,
        1,
        2,
    )
    assert (
        "2 accepted, 0 rejected" in (text := run_hl(capsys, 0, "trials", tmp_path / "run").out)
        and "1 simplified" in text
    )
    assert f"simplify {last['sequence']}" in text[text.index("Lineage of the best program") :]
    report = json.loads(run_hl(capsys, 0, "report", tmp_path / "run", "--no-videos", "--json").out)
    assert report["best"]["program_hash"] == document["program_hash"]
    # An interrupted run names no best program, so the reports must find it.
    ledger = tmp_path / "run" / "trials.jsonl"
    ledger.write_text(
        "".join(line for line in ledger.read_text().splitlines(keepends=True) if '"event":"stop"' not in line)
    )
    assert (
        json.loads(run_hl(capsys, 0, "trials", tmp_path / "run", "--json").out)["best"]["program_hash"]
        == document["program_hash"]
    )
