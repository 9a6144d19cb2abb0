"""The run folder: one writer, whole files, and clear words when the disk says no."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import FileUnwritable, write_whole
from hl_dsl.synth.runs.run_folder import RunFolder, RunFolderBusy, RunFolderError
from hl_dsl.synth.runs.trial import Trial

HOLDER = """
import sys, time
from hl_dsl.synth.runs.run_folder import RunFolder
folder = RunFolder(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


def fail(error: BaseException) -> None:
    raise error


def test_files_settings_and_best_program(tmp_path):
    with RunFolder(tmp_path / "runs" / "one") as folder:
        assert folder.read_settings() is None
        folder.write_settings({"seed": 3, "budget": float("inf"), "program": Path("start.hl")})
        assert folder.read_settings() == {"seed": 3, "budget": "Infinity", "program": "start.hl"}
        folder.write_best("policy a …\n")
        folder.write_best("policy b …\n")
        assert (folder.path / "best.hl").read_text(encoding="utf-8") == "policy b …\n"
        folder.ledger.append({"a": 1})
    with RunFolder(tmp_path / "runs" / "one") as folder:
        assert folder.read_settings()["seed"] == 3 and len(folder.ledger.read()) == 1


def test_derived_files_are_rebuilt_from_the_ledger(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        folder.rebuild()
        assert len((folder.path / "summary.csv").read_text().splitlines()) == 1
        trial = Trial(
            kind="evaluation",
            gate="accepted",
            accepted=True,
            seeds=(0,),
            returns=(864.0,),
            lengths=(9000,),
            environment_steps=9000,
        )
        folder.ledger.append(trial.to_event())
        before = folder.ledger.path.read_bytes()
        folder.rebuild(title="Breakout")
        assert len((folder.path / "summary.csv").read_text().splitlines()) == 2
        assert (folder.path / "sample_efficiency.png").read_bytes().startswith(b"\x89PNG")
        assert folder.ledger.path.read_bytes() == before
        assert sorted(path.name for path in folder.path.iterdir()) == [
            ".lock",
            "sample_efficiency.png",
            "summary.csv",
            "trials.jsonl",
        ]


def test_the_error_of_a_second_run_names_the_process_that_holds_the_folder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(RunFolderBusy, match=rf"process {process.pid}\b") as caught:
            RunFolder(tmp_path / "run")
        assert caught.value.hint
    finally:
        process.kill()
        process.communicate()
    RunFolder(tmp_path / "run").close()


def test_a_folder_is_locked_within_one_process_and_may_be_closed_twice(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(RunFolderBusy, match=str(os.getpid())):
        RunFolder(tmp_path / "run")
    folder.close()
    folder.close()
    RunFolder(tmp_path / "run").close()


def test_a_forked_worker_that_outlives_the_run_does_not_hold_the_folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    worker.start()
    try:
        with pytest.raises(RunFolderBusy):
            RunFolder(tmp_path / "run")
        folder.close()
        deadline = time.monotonic() + 60
        while True:  # the worker lets go as soon as it runs
            try:
                RunFolder(tmp_path / "run").close()
                break
            except RunFolderBusy:
                assert time.monotonic() < deadline
                time.sleep(0.02)
    finally:
        worker.kill()
        worker.join()


def test_an_empty_new_folder_is_removed(tmp_path):
    with pytest.raises(HLError), RunFolder(tmp_path / "runs" / "one"):
        raise HLError("refused")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    RunFolder(tmp_path / "mine").close()
    with RunFolder(tmp_path / "runs" / "two") as folder:
        folder.write("best.hl", "policy")
    with RunFolder(tmp_path / "runs" / "three") as folder:
        folder.ledger.append({"a": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "runs"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["three", "two"]


def test_a_process_that_waits_for_a_removed_lock_opens_a_new_one(tmp_path, monkeypatch):
    """Between the opening of the lock and the lock itself another run may end and take the folder with it."""
    import fcntl

    first = RunFolder(tmp_path / "run")
    lock, tries = fcntl.flock, []

    def wait_for_the_first(descriptor, how):
        tries.append(descriptor)
        if len(tries) == 1:
            first.close()
        return lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", wait_for_the_first)
    second = RunFolder(tmp_path / "run")
    assert len(tries) == 2
    with pytest.raises(RunFolderBusy):
        RunFolder(tmp_path / "run")
    second.close()


def test_a_path_that_cannot_be_a_folder_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("keep")
    with pytest.raises(RunFolderError, match="it is a file"):
        RunFolder(tmp_path / "file")
    with pytest.raises(RunFolderError, match="a file, not a folder"):
        RunFolder(tmp_path / "file" / "below")
    with pytest.raises(RunFolderError, match="too long"):
        RunFolder(tmp_path / ("x" * 300))
    assert (tmp_path / "file").read_text() == "keep"
    for number, words in (
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.ENOSPC, "disk is full"),
    ):
        with monkeypatch.context() as patch, pytest.raises(RunFolderError, match=words) as caught:
            patch.setattr(os, "open", lambda *_, number=number, **__: fail(OSError(number, os.strerror(number))))
            RunFolder(tmp_path / "run")
        assert caught.value.hint


@pytest.mark.skipif(os.getuid() != 0, reason="needs the right to become another user")
def test_a_folder_without_permission_for_a_user_who_is_not_root(tmp_path):
    code = """
import os, sys
import hl_dsl.synth.runs.run_folder as run_folder
os.setuid(65534)
def append():
    run_folder.Ledger(sys.argv[1] + "/trials.jsonl").append({"a": 1})
for use in (lambda: run_folder.RunFolder(sys.argv[1]), append):
    try:
        use()
        print("opened")
    except run_folder.HLError as error:
        print(error.message)
"""
    folder = tmp_path / "run"
    folder.mkdir()
    result = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert result.stdout.count("permission denied") == 2 and list(folder.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_unreadable_settings_are_an_error(tmp_path, content):
    with RunFolder(tmp_path) as folder:
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(RunFolderError, match="cannot read .*run.json"):
            folder.read_settings()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EROFS, "read-only"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_file_is_replaced_atomically(tmp_path, monkeypatch, call, error):
    path = tmp_path / "best.hl"
    write_whole(path, "old")
    with monkeypatch.context() as patch, pytest.raises((HLError, KeyboardInterrupt)) as caught:
        patch.setattr(os, call, lambda *_: fail(error))
        write_whole(path, "new " * 1000)
    assert isinstance(caught.value, KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else FileUnwritable)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_keeps_the_old_file_and_the_next_run_removes_its_temporary_files(tmp_path):
    code = """
import os, sys
from hl_dsl.base import files as storage
os.replace = lambda *_: os._exit(9)
storage.write_whole(sys.argv[1] + "/best.hl", "new")
"""
    write_whole(tmp_path / "best.hl", "old")
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 9
    assert len(list(tmp_path.glob(".*.tmp"))) == 1 and (tmp_path / "best.hl").read_text() == "old"
    RunFolder(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "best.hl"]
