"""The ledger against other processes, full disks, read-only folders and interrupts."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.ledger import Ledger, LedgerDamaged, LedgerUnreadable, LedgerUnwritable

APPENDER = """
import sys
from hl_dsl.synth.runs.ledger import Ledger
ledger = Ledger(sys.argv[1])
for number in range(int(sys.argv[3])):
    ledger.append({"process": int(sys.argv[2]), "number": number, "text": "x" * (number * 37 % 5000)})
"""


def run_python(code: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.PIPE, text=True)


def test_eight_processes_append_without_losing_or_mixing_an_event(tmp_path):
    path = tmp_path / "trials.jsonl"
    processes = [run_python(APPENDER, path, number, 1_000) for number in range(8)]
    for process in processes:
        assert process.communicate()[1] == "" and process.returncode == 0
    events = Ledger(path).read()
    assert [event["sequence"] for event in events] == list(range(1, 8_001))
    for process in range(8):
        assert [event["number"] for event in events if event["process"] == process] == list(range(1_000))


def test_threads_share_a_ledger(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    threads = [threading.Thread(target=lambda: [ledger.append({"n": n}) for n in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["sequence"] for event in ledger.read()] == list(range(1, 81))


def test_killed_writers_leave_a_ledger_that_can_be_continued(tmp_path):
    path = tmp_path / "trials.jsonl"
    for _ in range(3):
        before = path.stat().st_size if path.exists() else 0
        process = run_python(APPENDER, path, 0, 100_000)
        while not (path.exists() and path.stat().st_size > before + 20_000):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.communicate()
        count = len(Ledger(path).read())
        assert Ledger(path).append({"after": "kill"})["sequence"] == count + 1
    assert len(Ledger(path).read()) == count + 1


def test_a_reader_waits_for_a_partly_written_event(tmp_path, monkeypatch):
    """What a reader sees is never the half of a line that another thread is writing."""
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"first": 1})
    half_written, finish = threading.Event(), threading.Event()
    write = os.write

    def slow_write(descriptor, data):
        if threading.current_thread() is writer and not half_written.is_set():
            count = write(descriptor, bytes(data)[: len(data) // 2])
            half_written.set()
            finish.wait()
            return count
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow_write)
    writer = threading.Thread(target=lambda: ledger.append({"second": 2}))
    seen: list = []
    other = Ledger(ledger.path)
    reader = threading.Thread(target=lambda: seen.append((other.read(), other.torn)))
    writer.start()
    half_written.wait()
    reader.start()
    reader.join(timeout=0.3)  # a reader that does not wait has read by now
    finish.set()
    writer.join()
    reader.join()
    assert len(seen[0][0]) == 2 and seen[0][1] == b""


def fail_on_write(monkeypatch, error: BaseException, after: int) -> None:
    """Let `after` bytes of the next event through, as a disk does that runs full; then fail."""
    write, left = os.write, after

    def failing(descriptor, data):
        nonlocal left
        if left == 0:
            raise error
        count = write(descriptor, bytes(data)[:left])
        left -= count
        return count

    monkeypatch.setattr(os, "write", failing)


@pytest.mark.parametrize("after", [0, 1, 60, 130])
@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "fault"), (errno.EDQUOT, "quota")]
)
def test_a_full_disk_loses_nothing(tmp_path, monkeypatch, number, words, after):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"kept": 1})
    before = ledger.path.read_bytes()
    with monkeypatch.context() as patch:
        fail_on_write(patch, OSError(number, os.strerror(number)), after)
        with pytest.raises(LedgerUnwritable) as caught:
            ledger.append_many([{"lost": 1}, {"lost": 2}])
    assert words in caught.value.message and str(ledger.path) in caught.value.message and caught.value.hint
    assert ledger.path.read_bytes() == before
    assert ledger.append({"later": 2})["sequence"] == 2


def test_the_next_append_repairs_a_failed_rollback(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"kept": 1})
    with monkeypatch.context() as patch:
        fail_on_write(patch, OSError(errno.EIO, "fault"), 40)
        patch.setattr(os, "ftruncate", lambda descriptor, size: fail(OSError(errno.EIO, "fault")))
        with pytest.raises(LedgerUnwritable):
            ledger.append({"lost": 1})
    assert len(ledger.read()) == 1 and len(ledger.torn) == 40
    assert ledger.append({"later": 2})["sequence"] == 2
    assert len(ledger.read()) == 2 and ledger.torn == b""


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("after", [0, 25])
def test_an_interrupt_while_writing_leaves_no_event(tmp_path, monkeypatch, after):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"kept": 1})
    before = ledger.path.read_bytes()
    with monkeypatch.context() as patch:
        fail_on_write(patch, KeyboardInterrupt(), after)
        with pytest.raises(KeyboardInterrupt):
            ledger.append({"lost": 1})
    assert ledger.path.read_bytes() == before


def test_an_event_whose_sync_fails_is_not_reported_as_written(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"kept": 1})
    before = ledger.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: fail(OSError(errno.EIO, "fault")))
        with pytest.raises(LedgerUnwritable):
            ledger.append({"lost": 1})
    assert ledger.path.read_bytes() == before


def test_a_real_limit_on_the_file_size_rolls_back(tmp_path):
    """The kernel itself takes half the line and then refuses: no monkeypatch."""
    path = tmp_path / "trials.jsonl"
    code = """
import resource, sys
from hl_dsl.synth.runs.ledger import Ledger, LedgerUnwritable
ledger = Ledger(sys.argv[1])
ledger.append({"kept": 1})
size = ledger.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
try:
    ledger.append({"text": "x" * 1000})
except LedgerUnwritable as error:
    assert "larger than the system allows" in error.message, error.message
    assert ledger.path.stat().st_size == size
    sys.exit(7)
"""
    process = run_python(code, path)
    assert process.communicate()[1] == "" and process.returncode == 7
    assert Ledger(path).append({"later": 2})["sequence"] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_that_is_always_full():
    with pytest.raises(LedgerUnwritable, match="disk is full"):
        Ledger("/dev/full").append({"a": 1})


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, "read-only"), (errno.EACCES, "permission denied"), (errno.EMFILE, "open")]
)
def test_a_ledger_that_may_not_be_opened(tmp_path, monkeypatch, number, words):
    ledger = Ledger(tmp_path / "trials.jsonl")
    monkeypatch.setattr(os, "open", lambda *_, **__: fail(OSError(number, os.strerror(number))))
    with pytest.raises(LedgerUnwritable, match=words) as caught:
        ledger.append({"a": 1})
    assert caught.value.hint
    with pytest.raises(LedgerUnreadable, match=words):
        ledger.read()


def test_missing_folder_parent_that_is_a_file_and_folder_in_place_of_the_file(tmp_path):
    with pytest.raises(LedgerUnwritable, match="folder does not exist"):
        Ledger(tmp_path / "missing" / "trials.jsonl").append({"a": 1})
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnwritable, match="a file, not a folder"):
        Ledger(tmp_path / "file" / "trials.jsonl").append({"a": 1})
    for use in (Ledger(tmp_path).read, lambda: Ledger(tmp_path).append({"a": 1})):
        with pytest.raises(HLError, match="a folder, not a file"):
            use()


def test_a_ledger_replaced_while_waiting_for_the_lock_is_opened_again(tmp_path):
    """The holder of the lock replaces the file by a repaired copy; the waiting process appends to the copy."""
    import fcntl

    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"first": 1})
    with open(ledger.path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = run_python(
            "import sys; from hl_dsl.synth.runs.ledger import Ledger; Ledger(sys.argv[1]).append({'late': 1})",
            ledger.path,
        )
        while not any(os.path.realpath(link) == str(ledger.path) for link in Path(f"/proc/{process.pid}/fd").iterdir()):
            assert process.poll() is None
            time.sleep(0.01)
        copy = tmp_path / "copy"
        copy.write_bytes(ledger.path.read_bytes())
        os.replace(copy, ledger.path)
    assert process.communicate()[1] == "" and process.returncode == 0
    assert [event["sequence"] for event in ledger.read()] == [1, 2]


def test_ctrl_c_loses_no_reported_event(tmp_path):
    code = """
import sys
from hl_dsl.synth.runs.ledger import Ledger
ledger, done = Ledger(sys.argv[1]), 0
try:
    while True:
        done = ledger.append({"text": "x" * 3000})["sequence"]
except KeyboardInterrupt:
    sys.stderr.write(str(done))
"""
    path = tmp_path / "trials.jsonl"
    process = run_python(code, path)
    while not (path.exists() and path.stat().st_size > 50_000):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    reported = int(process.communicate()[1])
    ledger = Ledger(path)
    assert reported > 10 and reported <= len(ledger.read()) <= reported + 1 and ledger.torn == b""


def test_the_error_of_damage_can_be_pickled(tmp_path):
    error = pickle.loads(pickle.dumps(LedgerDamaged.at(tmp_path / "trials.jsonl", 3, "the line is empty")))
    assert (error.line, error.problem) == (3, "the line is empty") and "line 3" in str(error) and error.hint
