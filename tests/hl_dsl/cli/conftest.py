"""Fixtures that run commands: in this process, which is fast, or in a new process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hl_dsl.cli.tank_environments import TANK
from tests.support.session_executor import session_executor, studies_share_a_worker  # noqa: F401

POLICIES = Path(__file__).parents[3] / "policies"
START = """policy lean for "CartPole-v1" {
  observe pole.angle

  act {
    when pole.angle > 0 => RIGHT
    otherwise           => LEFT
  }
}
"""


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """The only JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with one policy, `lean.hl`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lean.hl").write_text(START, encoding="utf-8")
    return tmp_path


@pytest.fixture
def hl(folder, capfd):
    """Runs a command in this process, in `folder`."""

    def run(*arguments) -> CommandResult:
        from hl_dsl.cli.app import run

        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return CommandResult(code, *capfd.readouterr())

    return run


@pytest.fixture
def hl_process(folder):
    """Runs a command as a process, in `folder`."""

    def run(*arguments, **options) -> CommandResult:
        command = [sys.executable, "-c", "from hl_dsl.cli.main import main; main()", *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=folder,
            text=True,
            timeout=120,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def tank(folder, session_executor):  # noqa: F811  # the fixture imported above
    """The name of a module in the working folder that no other test has imported."""
    name = f"tank_{folder.name.translate(str.maketrans('-[]', '___'))}"
    (folder / f"{name}.py").write_text(TANK, encoding="utf-8")
    before = list(sys.path)
    session_executor.close()  # a worker of another test imports modules from the folder of that test
    yield name
    session_executor.close()
    sys.path[:] = before


def assert_refused(result: CommandResult, *words: str, code: int = 2) -> None:
    """Asserts a clear error: exit code, words, a hint how to fix it, no traceback, and nothing on stdout."""
    assert result.code == code, result
    assert "Traceback" not in result.err and "internal error" not in result.err, result.err
    for word in words:
        assert word in result.err, result.err
    assert (
        "\n  = " in result.err
        or "= expected:" in result.err
        or "= repair:" in result.err
        or "= more: hl explain" in result.err
        or "Try '" in result.err
    ), result.err
    assert result.out == ""
