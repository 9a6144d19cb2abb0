"""Commands as people give them: in this process, to be quick, or as a process of their own."""

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
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        """The one document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with a policy, `lean.hl`, in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lean.hl").write_text(START, encoding="utf-8")
    return tmp_path


@pytest.fixture
def hl(folder, capfd):
    """Runs a command in this process, in `folder`."""

    def run(*arguments) -> Ended:
        from hl_dsl.cli.app import run

        capfd.readouterr()
        code = run([str(one) for one in arguments])
        return Ended(code, *capfd.readouterr())

    return run


@pytest.fixture
def hl_process(folder):
    """Runs a command as a process, in `folder`."""

    def run(*arguments, **options) -> Ended:
        command = [sys.executable, "-c", "from hl_dsl.cli.main import main; main()", *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=folder,
            text=True,
            timeout=120,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def tank(folder, session_executor):  # noqa: F811  # the fixture imported above
    """The name of a module in the working folder that no other test has imported."""
    name = f"tank_{folder.name.translate(str.maketrans('-[]', '___'))}"
    (folder / f"{name}.py").write_text(TANK, encoding="utf-8")
    before = list(sys.path)
    session_executor.close()  # a worker of another test looks for modules in the folder of that one
    yield name
    session_executor.close()
    sys.path[:] = before


def refused(ended: Ended, *words: str, code: int = 2) -> None:
    """A clear refusal: the exit code, the words, a way to mend, no traceback, and nothing on stdout."""
    assert ended.code == code, ended
    assert "Traceback" not in ended.err and "internal error" not in ended.err, ended.err
    for word in words:
        assert word in ended.err, ended.err
    assert (
        "\n  = " in ended.err
        or "= expected:" in ended.err
        or "= repair:" in ended.err
        or "= more: hl explain" in ended.err
        or "Try '" in ended.err
    ), ended.err
    assert ended.out == ""
