"""Full disks, read-only folders, damaged ledgers and concurrent writers lose no recorded trial."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

from hl_dsl.synth.environments import environments
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from tests.hl_dsl.cli.conftest import START, assert_refused
from tests.support.step_counter import steps_taken


@pytest.fixture
def mount(folder):
    """Mounts a small disk in memory. Skips the test if mounting is not allowed."""
    mounted = []

    def make(name, options):
        place = folder / name
        place.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True)
        if done.returncode:
            pytest.skip("mounting is not allowed here")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_result_is_shown_if_the_ledger_cannot_be_written(hl, folder):
    """Every write to /dev/full fails. The episodes are shown, and reported as not recorded."""
    before = steps_taken()
    result = hl("eval", "lean.hl", "--trials", "/dev/full", "--json")
    document = result.document
    assert (result.code, document["schema"], document["complete"]) == (2, "hl.eval/1", True)
    assert document["env_steps"] == steps_taken() - before > 0
    (problem,) = document["problems"]
    assert (
        "not recorded" in problem["error"]
        and "the disk is full" in problem["error"]
        and "free some space" in result.err
    )
    probed = hl("env", "CartPole-v1", "--steps", "50", "--trials", "/dev/full")
    assert (
        probed.code == 2
        and "pole.angle" in probed.out
        and "not recorded" in probed.err
        and "Recorded in" not in probed.out
    )


def test_full_disk_is_reported_and_keeps_the_ledger(hl, folder, mount):
    disk = mount("disk", "size=16k")
    (disk / "lean.hl").write_text(START, encoding="utf-8")
    assert hl("eval", "disk/lean.hl").code == 0
    recorded = Ledger(disk / "trials.jsonl").read()
    (disk / "filler").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
    for _ in range(9):  # until the last block of the ledger is full, too
        result = hl("eval", "disk/lean.hl")
        if result.code:
            break
        recorded = Ledger(disk / "trials.jsonl").read()
    assert result.code == 2 and "return" in result.out and "the disk is full" in result.err
    assert Ledger(disk / "trials.jsonl").read() == recorded
    (disk / "lean.hl").write_text(START.replace("  observe", "observe"), encoding="utf-8")
    assert_refused(hl("fmt", "disk/lean.hl"), "the disk is full")
    assert (disk / "lean.hl").read_text(encoding="utf-8") == START.replace("  observe", "observe")
    (disk / "filler").unlink()
    assert hl("eval", "disk/lean.hl").code == 0
    assert len(Ledger(disk / "trials.jsonl").read()) == len(recorded) + 1


@pytest.mark.parametrize("command", ["tune", "synth"])
def test_run_that_fills_the_disk_can_be_resumed(hl, folder, mount, command):
    """The error names the command that resumes the run, and that command succeeds."""
    disk = mount("disk", "size=48k")
    (folder / "p.hl").write_text(
        START.replace("  act {", "  param tilt: real = 0 in [-1, 1]\n\n  act {").replace("> 0", "> tilt"),
        encoding="utf-8",
    )
    started = [command, "p.hl", "--run", "disk/run", "--steps", "4000"]
    result = hl(*started)
    assert (
        result.code == 2
        and "the disk is full; the trials before that are recorded" in result.err
        and "Traceback" not in result.err
    )
    assert f"Then resume the run: hl {' '.join(started)} --resume" in result.err
    recorded = Ledger(disk / "run" / "trials.jsonl").read()
    assert subprocess.run(["mount", "-o", "remount,size=4m", str(disk)]).returncode == 0
    again = hl(*started, "--resume", "--json")
    assert (
        again.code == 0
        and "problems" not in again.document
        and Ledger(disk / "run" / "trials.jsonl").read()[: len(recorded)] == recorded
    )
    assert hl("check", "disk/run/best.hl").code == 0


def test_read_only_disk_is_reported_before_any_step(hl, folder, mount):
    disk = mount("disk", "size=64k")
    (disk / "lean.hl").write_text(START.replace("  observe", "observe"), encoding="utf-8")
    assert subprocess.run(["mount", "-o", "remount,ro", str(disk)]).returncode == 0
    before = steps_taken()
    for arguments in (
        ["eval", "disk/lean.hl"],
        ["fmt", "disk/lean.hl"],
        ["export", "disk/lean.hl", "-o", "disk/lean.py"],
        ["synth", "lean.hl", "--run", "disk/run"],
        ["new", "disk/mine", "--env", "CartPole-v1"],
        ["env", "CartPole-v1", "--trials", "disk/trials.jsonl"],
    ):
        assert_refused(hl(*arguments), "read-only")
    assert steps_taken() == before
    result = hl("eval", "disk/lean.hl", "--trials", "trials.jsonl", "--trace", "disk/trace.jsonl")
    assert_refused(result, "cannot write the trace", "read-only")
    assert steps_taken() == before and hl("eval", "disk/lean.hl", "--trials", "trials.jsonl").code == 0


def test_file_size_limit_keeps_the_ledger(hl_process, folder):
    """A command that exceeds the file size limit leaves the ledger unchanged."""
    assert hl_process("eval", "lean.hl", "--max-steps", "5").code == 0
    recorded = (folder / "trials.jsonl").read_bytes()

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(recorded) + 100, len(recorded) + 100))

    result = hl_process("eval", "lean.hl", "--max-steps", "5", preexec_fn=limited)
    assert result.code == 2 and "5 environment steps" in result.out and "larger than the system allows" in result.err
    assert "Traceback" not in result.err and (folder / "trials.jsonl").read_bytes() == recorded


@pytest.mark.parametrize("option, name", [("--trace", "trace"), ("--video", "video")])
def test_trace_or_video_on_a_full_disk_is_reported(hl, folder, option, name):
    """The evaluation is recorded and shown. The file that could not be written is reported."""
    place = folder / "full.mp4"
    place.symlink_to("/dev/full")
    result = hl("eval", "lean.hl", "--max-steps", "30", option, place, "--json")
    assert result.code == 2 and f"cannot write the {name}" in result.err and "Traceback" not in result.err
    assert result.document["lengths"] == [30] and len(result.document["problems"]) == 1
    assert len(Ledger(folder / "trials.jsonl").read()) == 1


def test_full_or_closed_stdout_is_reported(hl_process, folder):
    for arguments in (
        ["check", "lean.hl"],
        ["check", "lean.hl", "--json"],
        ["verify", "none.hl", "--json"],
        ["--help"],
        ["explain", "clamp"],
    ):
        with open("/dev/full", "w") as full:
            result = hl_process(*arguments, stdout=full)
        assert result.code == 2 and "Traceback" not in result.err and "Exception" not in result.err, (arguments, result)
        assert "stdout" in result.err or "no file" in result.err or "space" in result.err
    closed = subprocess.run(
        f"{sys.executable} -c 'from hl_dsl.cli.main import main; main()' check lean.hl >&-",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert closed.returncode == 2 and "cannot write to stdout" in closed.stderr


def test_closed_pipe_ends_the_command_without_a_message(folder, hl):
    ledger = Ledger("trials.jsonl")
    hl("eval", "lean.hl", "--max-steps", "3")
    (event,) = ledger.read()
    trial = {key: value for key, value in event.items() if key not in ("sequence", "time", "schema", "checksum")}
    ledger.append_many([trial] * 400)
    command = f"{sys.executable} -c 'from hl_dsl.cli.main import main; main()' trials . --json"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, "{\n", "")


def test_incomplete_last_line_of_a_ledger_is_repaired(hl, folder):
    hl("eval", "lean.hl")
    hl("eval", "lean.hl")
    whole = (folder / "trials.jsonl").read_bytes()
    for cut in (1, 2, 30, len(whole) // 3):  # without its newline the last event is still complete
        (folder / "trials.jsonl").write_bytes(whole[:-cut])
        shown = hl("trials", ".")
        assert shown.code == 0 and ("incomplete after a crash" in shown.out) == (cut > 1)
        assert (folder / "trials.jsonl").read_bytes() == whole[:-cut], "reading does not change the ledger"
        assert hl("eval", "lean.hl").code == 0
        assert [event["sequence"] for event in Ledger("trials.jsonl").read()] == ([1, 2, 3] if cut == 1 else [1, 2])


AT_THE_START = [
    lambda data: data.replace(b'"return', b'"retorn', 1),
    lambda data: b"{}\n" + data,
    lambda data: data[400:],
    lambda data: b"\0" * 50 + data,
]
AT_THE_END = [lambda data: data + b"# a note\n", lambda data: data[:-9] + b"\n", lambda data: START.encode()]


@pytest.mark.parametrize("damage", AT_THE_START + AT_THE_END)
def test_damaged_ledger_is_refused_and_not_changed(hl, folder, damage):
    hl("eval", "lean.hl")
    hl("eval", "lean.hl")
    data = damage((folder / "trials.jsonl").read_bytes())
    (folder / "trials.jsonl").write_bytes(data)
    assert_refused(hl("trials", "."), "trials.jsonl, line ", "restore the file from a copy")
    before = steps_taken()
    if damage in AT_THE_END:  # the place of the next event
        assert_refused(hl("eval", "lean.hl"), "trials.jsonl, line ", "restore the file from a copy")
    assert steps_taken() == before
    assert (folder / "trials.jsonl").read_bytes() == data


def test_second_run_in_a_folder_is_refused(hl, folder):
    with RunFolder(folder / "run"):
        for command in ("tune", "synth"):
            (folder / "p.hl").write_text(
                START.replace("  act {", "  param tilt: real = 0 in [-1, 1]\n\n  act {").replace("> 0", "> tilt")
            )
            assert_refused(
                hl(command, "p.hl", "--run", "run"),
                "another run writes into run",
                f"process {os.getpid()}",
                "choose another folder",
            )


def test_concurrent_evaluations_share_a_ledger(folder):
    command = [sys.executable, "-c", "from hl_dsl.cli.main import main; main()", "eval", "lean.hl", "--json"]
    both = [
        subprocess.Popen([*command, "--seeds", seeds], stdout=subprocess.PIPE, text=True) for seeds in ("0..3", "4..7")
    ]
    documents = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    events = Ledger("trials.jsonl").read()
    assert sorted(event["seeds"][0] for event in events) == [0, 4]
    assert sum(event["environment_steps"] for event in events) == sum(document["env_steps"] for document in documents)


def test_error_of_the_simulator_is_reported_in_one_line(hl, folder, monkeypatch):
    """The error of a library is reported in one line, without a traceback."""

    def fail(*arguments, **options):
        raise RuntimeError("the pool is broken")

    monkeypatch.setattr(environments.Environments, "reset", fail)
    result = hl("eval", "lean.hl", "--json")
    assert (
        result.code == 2
        and "Traceback" not in result.err
        and "RuntimeError: the pool is broken" in result.err
        and "HL_TRACEBACK=1" in result.err
    )
    assert result.document["schema"] == "hl.error/1"
    monkeypatch.setenv("HL_TRACEBACK", "1")
    assert "Traceback" in hl("eval", "lean.hl").err
