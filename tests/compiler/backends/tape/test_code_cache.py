"""Machine code of the tape's interpreter between processes: reused, never damaged, and not required."""

from __future__ import annotations

import os
import subprocess
import sys

from hl_dsl.compiler.backends.tape import source as tape_source
from hl_dsl.compiler.policy import Policy

from hl_dsl.program import Program

BALL = """policy ball for "Breakout-v5" {
  observe ram, reward, lives
  param lead: real = 2 in [0, 8]
  let ball_x = 0.999 * ram[99] - 48.4
  memory last_x: real in [-60, 260] = 0 { next = ball_x }
  memory dry: int in [0, 1000] = 5 { next = if reward > 0 then 0 else min(dry + 1, 1000) }
  let aim = clamp(reflect(ball_x + lead * (ball_x - last_x), 15, 150), 15.5, 152.5)
  act { when aim > ram[72] => RIGHT  when mod(dry, 7) == 3 => FIRE  otherwise => LEFT }
  monitor not_too_dry: dry < 8
  assume alive: lives > 0
}"""


TRY_CACHE = """
import sys, warnings
from hl_dsl.program import Program
from hl_dsl.compiler.policy import Policy
policy = Policy(Program.parse(sys.argv[1]).flow)
tick = policy._lanes._interpret
hits, misses = (sum(counts.values()) for counts in (tick.stats.cache_hits, tick.stats.cache_misses))
print(policy.backend, hits, misses, sys.modules[tick.py_func.__module__].__file__)
"""


def run_in_another_process(**environment) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", TRY_CACHE, BALL], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_another_process_compiles_nothing():
    Policy(Program.parse(BALL).flow)  # compiles, if nothing did before
    backend, hits, misses, file = run_in_another_process()
    assert (backend, hits, misses) == ("tape", "1", "0")
    assert os.path.dirname(file) == str(tape_source.cache_folder())


def test_where_the_cache_cannot_be_written_a_passing_folder_serves(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    backend, hits, misses, file = run_in_another_process(HL_CACHE=str(blocked / "cache"), NUMBA_OPT="0")
    assert (backend, hits, misses) == ("tape", "0", "1")
    assert not os.path.exists(file), "the folder is gone with the process"
    assert blocked.read_text() == "not a folder"


def test_damaged_machine_code_in_the_cache_is_not_used(tmp_path):
    place = {"HL_CACHE": str(tmp_path), "NUMBA_OPT": "0"}
    assert run_in_another_process(**place)[:3] == ["tape", "0", "1"]
    for file in (tmp_path / "__pycache__").glob("*.nbc"):
        file.write_bytes(file.read_bytes()[:100])
    assert run_in_another_process(**place)[0] == "tape"
    assert not list(tmp_path.glob("__pycache__/*.nb*")), "and is gone"


def test_a_damaged_file_in_the_cache_is_written_anew(tmp_path):
    path = tape_source._write(tmp_path, "hl_tape_x", "value = 1\n")
    written = path.stat().st_mtime_ns
    assert tape_source._write(tmp_path, "hl_tape_x", "value = 1\n").stat().st_mtime_ns == written
    path.write_bytes(b"\xff torn")
    assert tape_source._write(tmp_path, "hl_tape_x", "value = 1\n").read_text() == "value = 1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["hl_tape_x.py"]


def test_the_cache_folder_follows_the_platform(monkeypatch):
    for name in ("HL_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tape_source.Path, "home", lambda: tape_source.Path("/home/someone"))
    places = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(tape_source.sys, "platform", platform)
        places[platform] = tape_source.cache_folder().as_posix()
    assert places == {
        "linux": "/home/someone/.cache/hl",
        "darwin": "/home/someone/Library/Caches/hl",
        "win32": "/home/someone/AppData/Local/hl",
    }
    monkeypatch.setenv("HL_CACHE", "/elsewhere")
    assert tape_source.cache_folder().as_posix() == "/elsewhere"
