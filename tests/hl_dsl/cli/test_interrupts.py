"""Ctrl-C at any moment: exit code 130, no traceback, and the ledger holds exactly the steps taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hl_dsl.synth.runs.ledger import Ledger
from tests.support.paths import POLICIES

BALANCE = POLICIES / "cartpole" / "balance.hl"
COMMAND = "from hl_dsl.cli.main import main; main()"


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "balance.hl"
    path.write_text(BALANCE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("again", [0, 300])
def test_interrupt_at_any_moment_of_a_run_records_all_steps(policy, tmp_path, again):
    folder = tmp_path / "moments"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.interrupted_at", str(policy), str(folder), "16", str(again)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    whole, *runs = map(json.loads, done.stdout.splitlines())
    assert whole["exit_code"] == 0 and whole["steps"] == 240 and len(runs) == 16
    recorded = set()
    for number, interrupted in enumerate(runs):
        assert interrupted["exit_code"] == 130, interrupted
        assert "Traceback" not in interrupted["stderr"] and "interrupted" in interrupted["stderr"], interrupted
        ledger = Ledger(folder / str(number) / "trials.jsonl")
        steps = sum(event["environment_steps"] for event in ledger.read())
        assert ledger.torn == b""
        assert steps == interrupted["steps"], interrupted
        recorded.add(steps)
    # There were interrupts before the first step, in the first wave of two episodes, and in the second.
    assert 0 in recorded and any(0 < steps <= 120 for steps in recorded) and any(steps > 120 for steps in recorded)


def start(arguments, folder, **environment):
    """Starts a real command. Its stderr lists the imported modules."""
    return subprocess.Popen(
        [sys.executable, "-X", "importtime", "-c", COMMAND, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def interrupt_after_import(process, module) -> str:
    """Sends the signal after the import of `module`. Returns stderr without the lines about imports."""
    lines = []
    for line in process.stderr:
        if not line.startswith("import time:"):
            lines.append(line)
        elif line.rpartition("|")[2].strip() == module:
            process.send_signal(signal.SIGINT)
            break
    else:
        raise AssertionError(f"{module} was not imported: {''.join(lines)}")
    out, rest = process.communicate(timeout=120)
    assert out == ""
    return "".join([*lines, *(line for line in rest.splitlines(keepends=True) if not line.startswith("import time:"))])


@pytest.mark.parametrize(
    "module",
    ["typer.colors", "typer", "lark", "numpy", "llvmlite", "numba.core.types", "numba", "envpool.registration"],
)
def test_interrupt_during_imports_leaves_no_ledger(policy, tmp_path, module):
    message = interrupt_after_import(start(["eval", str(policy)], tmp_path), module)
    assert message.strip() == "interrupted"
    assert not (tmp_path / "trials.jsonl").exists()


def test_interrupt_before_main_has_no_traceback(tmp_path):
    """The module that the `hl` script imports handles the signal before `main` is called."""
    code = "import os, signal\nimport hl_dsl.cli.main\nos.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def wait_for(condition, process) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.mark.parametrize("delay", [0.05, 1.5])
def test_interrupt_during_compilation_leaves_no_ledger(policy, tmp_path, delay):
    """With an empty cache, the command compiles its interpreter, which takes many seconds."""
    process = start(["eval", str(policy)], tmp_path, HL_CACHE=str(tmp_path / "cache"))
    reader, lines = _reading(process)
    wait_for(lambda: list((tmp_path / "cache").glob("hl_tape_*.py")), process)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    reader.join()
    assert "".join(lines).strip() == "interrupted"
    assert not (tmp_path / "trials.jsonl").exists()


@pytest.mark.parametrize(
    "number, code, delay", [(signal.SIGINT, 130, 0.0), (signal.SIGINT, 130, 0.3), (signal.SIGTERM, 143, 0.1)]
)
def test_interrupt_during_episodes_records_all_steps(policy, tmp_path, number, code, delay):
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            COMMAND,
            "eval",
            str(policy),
            "--seeds",
            "0..4999",
            "--num-envs",
            "1",
            "--trace",
            "t.jsonl",
            "--json",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    trace = tmp_path / "t.jsonl"
    wait_for(lambda: trace.exists() and trace.stat().st_size > 50_000, process)
    time.sleep(delay)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert process.returncode == code and err == "interrupted: all steps are recorded\n"
    (event,) = Ledger(tmp_path / "trials.jsonl").read()
    assert document["complete"] is event["accepted"] is False and event["reason"] == "interrupted"
    assert (
        document["env_steps"] == event["environment_steps"] >= sum(event["lengths"])
        and document["seeds"] == event["seeds"]
    )


def test_interrupted_search_resumes_from_its_ledger(policy, tmp_path):
    command = [sys.executable, "-c", COMMAND, "synth", "balance.hl", "--run", "run", "--seeds", "0..1"]
    process = subprocess.Popen(
        [*command, "--steps", "2000000"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ledger = Ledger(tmp_path / "run" / "trials.jsonl")
    wait_for(lambda: sum(event["event"] == "trial" for event in ledger.read()) > 2, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (
        process.returncode == 130
        and "Traceback" not in err
        and "resume with: hl synth balance.hl --run run --seeds 0..1 --steps 2000000 --resume\n" in err
    )
    before = ledger.read()
    played = [event for event in before if event["event"] == "trial"]
    steps = sum(event["environment_steps"] for event in played)
    again = subprocess.run(
        [*command, "--steps", str(steps + 3000), "--resume", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["env_steps"] > 0 and ledger.read()[: len(before)] == before


def test_ignored_interrupt_stays_ignored(policy, tmp_path):
    """A shell starts background commands this way."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "eval", str(policy), "--trace", "t.jsonl"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    wait_for((tmp_path / "t.jsonl").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "seed    0" in out and err == ""


def _reading(process):
    """Starts a thread that reads stderr, so that the command does not block. Lines about imports are omitted."""
    lines = []

    def read() -> None:
        lines.extend(line for line in process.stderr if not line.startswith("import time:"))

    reader = threading.Thread(target=read)
    reader.start()
    return reader, lines
