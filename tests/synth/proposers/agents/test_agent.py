"""External agents: only the program file counts, all processes are killed, and writes are sandboxed."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.proposers.agents import sandbox
from hl_dsl.synth.proposers.agents.agent_process import MARK
from hl_dsl.synth.proposers.agents.profiles import PROFILES, command_of
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget
from tests.support.paths import ROOT, SUPPORT
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import Run

AGENT = SUPPORT / "scripted_agent.py"
sandboxed = pytest.mark.skipif(not sandbox.available(), reason="this kernel has no Landlock")


def run(folder, behaviour, argument="", *, timeout=20.0, programs=2, attempts=1, resume=False, **more):
    command = shlex.join([sys.executable, str(AGENT), behaviour, str(argument)])
    options = ProposerOptions(
        **{"command": command, "timeout": timeout, "retry_policy": RetryPolicy(attempts, 0.001), "repairs": 0} | more
    )
    study = search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(steps=10_000, programs=programs),
        proposer="command",
        seeds=(0, 1),
        options=options,
    )
    result = study.resume() if resume else study.run()
    return result, Run(folder)


def running(word: str) -> list[str]:
    """Process ids of other processes whose command line or environment holds the word."""
    processes = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if word.encode() in text:
                processes.append(folder.name)
    return processes


def test_an_agent_improves_the_program(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    result, record = run(tmp_path / "run", "improves")
    assert result.score == 500 and result.proved and result.calls["calls"] == 1
    assert record.trials[1].change == "look ahead, says the agent" and record.trials[1].proposer == "command"
    settled = record.settled[0]
    assert (settled["outcome"], settled["exit_code"], settled["timed_out"], settled["tokens"]) == (
        "answered",
        0,
        False,
        None,
    )
    assert not list(scratch.iterdir()), "the scratch folder is deleted"


@pytest.mark.parametrize("behaviour, result", [("hangs", False), ("hangs_with_a_result", True), ("is_stubborn", False)])
def test_an_agent_that_hangs_is_killed(tmp_path, behaviour, result):
    start = time.monotonic()
    found, record = run(tmp_path / "run", behaviour, "31415.9", timeout=2.0)
    settled = record.settled[0]
    assert settled["timed_out"] and time.monotonic() - start < 60
    assert (found.score == 500) is result and (settled["outcome"] == "answered") is result
    assert result or "did not exit within the timeout" in found.stop_reason
    assert not running("31415.9") and not running(f"{MARK}={settled['agent']}")


def test_all_processes_of_an_agent_are_killed(tmp_path):
    result, record = run(tmp_path / "run", "forks", "27182.8")
    assert result.score == 500 and record.settled[0]["survivors"] >= 1
    assert not running("27182.8") and not running(f"{MARK}={record.settled[0]['agent']}")


@pytest.mark.parametrize(
    "behaviour, argument, said",
    [
        ("writes_garbage", "", "U+0000"),
        ("writes_too_much", "", "characters"),
        ("deletes", "", "empty"),
        ("links", "/etc/passwd", "empty"),
        ("makes_a_pipe", "", "empty"),
        ("makes_a_folder", "", "empty"),
    ],
)
def test_an_invalid_program_file_is_rejected_by_the_parse(tmp_path, behaviour, argument, said, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    result, record = run(tmp_path / "run", behaviour, argument)
    assert record.gates == ["accepted", "parse"] and said in record.trials[1].reason
    assert not list(scratch.iterdir()), "the scratch folder is deleted"
    assert result.score == result.start_score and "root:" not in (tmp_path / "run" / "trials.jsonl").read_text()


def test_files_written_outside_are_ignored(tmp_path):
    result, record = run(tmp_path / "run", "writes_outside", tmp_path / "run" / "best.hl", sandbox=False)
    assert result.score == 500 and Program.load(tmp_path / "run" / "best.hl").hash == result.program_hash
    assert record.settled[0]["sandbox"] == "none"


@sandboxed
def test_a_sandboxed_agent_cannot_write_outside(tmp_path):
    target = tmp_path / "elsewhere"
    result, record = run(tmp_path / "run", "writes_outside", target)
    assert result.score == 500 and record.settled[0]["sandbox"] == "landlock"
    assert not target.exists() and record.settled[0]["output"].count("refused") == 2


@pytest.mark.skipif(sandbox.available() < 6, reason="this kernel does not scope signals")
def test_a_sandboxed_agent_cannot_signal_the_study(tmp_path):
    result, record = run(tmp_path / "run", "kills_the_study", os.getpid())
    assert result.score == 500 and "refused to signal" in record.settled[0]["output"]


def test_the_end_of_the_output_is_recorded(tmp_path):
    result, record = run(tmp_path / "run", "talks")
    assert (
        result.score == 500
        and len(record.settled[0]["output"]) <= 2_000
        and "the last word" in record.settled[0]["output"]
    )


def test_an_agent_that_fails_is_run_again(tmp_path):
    result, record = run(tmp_path / "one", "gives_up_once", tmp_path / "was here", attempts=3, sandbox=False)
    assert result.score == 500 and [call["outcome"] for call in record.settled] == ["failed", "answered"]
    result, record = run(tmp_path / "two", "gives_up", attempts=3)
    assert "in 3 attempts" in result.stop_reason and "no credit left" in result.stop_reason
    assert [call["exit_code"] for call in record.settled] == [3, 3, 3]


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "needs exactly one agent"),
        ({"command": "true", "profile": "codex"}, "needs exactly one agent"),
        ({"command": "/no/such/agent"}, "does not exist"),
        ({"command": "a 'b"}, "is not a command line"),
        ({"profile": "somebody"}, "unknown profile"),
    ],
)
def test_invalid_agent_options_are_reported(options, message):
    with pytest.raises(HLError, match=message):
        proposer_named("command", ProposerOptions(**options))


def test_a_budget_that_cannot_be_kept_is_rejected(tmp_path):
    with pytest.raises(HLError, match="cannot be known before"):
        search_study(
            Program.parse(LEAN),
            "standard",
            tmp_path / "run",
            Budget(tokens=100),
            proposer="local,command",
            options=ProposerOptions(command="true"),
        )
    with pytest.raises(HLError, match="the cost of a call of `openai`"):
        search_study(
            Program.parse(LEAN),
            "standard",
            tmp_path / "run",
            Budget(cost=1.0),
            proposer="openai",
            options=ProposerOptions(model="m", base_url="http://127.0.0.1:9"),
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", PROFILES)
def test_the_model_option_precedes_stdin(name):
    command = command_of(PROFILES[name], "some-model")
    place = command.index("--model")
    assert command[0] == name and command[place + 1] == "some-model" and "-" not in command[:place]


def test_an_agent_is_killed_with_its_study(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.synth.proposers.agents.test_agent import run;"
        "run(Path(sys.argv[1]), 'is_stubborn', '16180.3', timeout=300.0)"
    )
    study = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run")], cwd=ROOT)
    try:
        until = time.monotonic() + 120
        while not running("sleep\x0016180.3") and time.monotonic() < until:
            time.sleep(0.1)
        assert running("sleep\x0016180.3")
    finally:
        study.kill()
        study.wait()
    until = time.monotonic() + 30
    while running("is_stubborn") and time.monotonic() < until:
        time.sleep(0.1)
    assert not running("is_stubborn"), "the agent is killed with the study"
    mark = Run(tmp_path / "run").reserved[0]["agent"]
    run(tmp_path / "run", "is_stubborn", "16180.3", timeout=1.0, resume=True)
    assert Run(tmp_path / "run").settled[0]["outcome"] == "cut off" and not running(f"{MARK}={mark}"), (
        "a resumed study kills remaining processes"
    )
