"""Ctrl-C at any moment: exit code 130, no traceback, and the ledger holds exactly the steps that were taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hl_dsl.synth.ledger import Ledger

HERE = Path(__file__).parent
BALANCE = HERE.parent.parent / "policies" / "cartpole" / "balance.hl"
COMMAND = "from hl_dsl.cli.main import main; main()"


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "balance.hl"
    path.write_text(BALANCE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("again", [0, 300])
def test_at_moments_spread_over_the_whole_run(policy, tmp_path, again):
    folder = tmp_path / "moments"
    folder.mkdir()
    done = subprocess.run([sys.executable, str(HERE / "interrupted_at.py"), str(policy), str(folder), "24", str(again)],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    whole, *runs = map(json.loads, done.stdout.splitlines())
    assert whole["exit_code"] == 0 and whole["steps"] == 240 and len(runs) == 24
    recorded = set()
    for number, one in enumerate(runs):
        assert one["exit_code"] == 130, one
        assert "Traceback" not in one["stderr"] and "interrupted" in one["stderr"], one
        ledger = Ledger(folder / str(number) / "trials.jsonl")
        steps = sum(event["environment_steps"] for event in ledger.read())
        assert ledger.torn == b""
        assert steps == one["steps"], one
        recorded.add(steps)
    # Moments were met before the first step, in the first wave, and in the second.
    assert 0 in recorded and any(0 < steps <= 120 for steps in recorded) and any(120 < steps for steps in recorded)


def start(arguments, folder, **environment):
    """A real command whose stderr says which modules have been imported."""
    return subprocess.Popen(
        [sys.executable, "-X", "importtime", "-c", COMMAND, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment})


def interrupt_after_import(process, module) -> str:
    """Sends the signal once `module` has been imported; what else came on stderr than times of imports."""
    said = []
    for line in process.stderr:
        if not line.startswith("import time:"):
            said.append(line)
        elif line.rpartition("|")[2].strip() == module:
            process.send_signal(signal.SIGINT)
            break
    else:
        raise AssertionError(f"{module} was not imported: {''.join(said)}")
    out, rest = process.communicate(timeout=120)
    assert out == ""
    return "".join([*said, *(line for line in rest.splitlines(keepends=True) if not line.startswith("import time:"))])


@pytest.mark.parametrize("module", ["typer.colors", "typer", "lark", "numpy", "llvmlite", "numba.core.types", "numba", "envpool.registration"])
def test_while_modules_are_imported(policy, tmp_path, module):
    said = interrupt_after_import(start(["eval", str(policy)], tmp_path), module)
    assert said.strip() == "interrupted"
    assert not (tmp_path / "trials.jsonl").exists()
