"""`hl report` and `hl trials --follow` on the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.trial import Trial
from tests.hl_dsl.cli.conftest import assert_refused
from tests.support.step_counter import steps_taken

COMMAND = [sys.executable, "-c", "from hl_dsl.cli.main import main; main()"]


def test_report_of_a_search_is_written_and_counts_video_steps(hl, folder):
    hl("synth", "lean.hl", "--run", "run", "--steps", "2000", "--seeds", "0..1", "--json")
    before = steps_taken()
    result = hl("report", "run", "--no-videos", "--json")
    document = result.document
    assert (result.code, result.err, document["schema"], document["report"]) == (
        0,
        "",
        "hl.report/2",
        "run/report.html",
    )
    assert steps_taken() == before and document["status"] == "stopped" and document["videos"] == []
    assert (folder / "run" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    text = hl("report", "run", "--out", "mine.html", "--video-steps", "15")
    assert (
        text.code == 0
        and "wrote mine.html" in text.out
        and "recording the first" in text.err
        and (folder / "mine.html").exists()
    )
    assert (
        "not scored on held-out seeds under standard yet: hl eval run/best.hl --protocol standard --seeds 50..99"
        in text.out
    )
    assert (
        0
        < steps_taken() - before
        == hl("report", "run", "--json", "--video-steps", "15").document["spent"]["video_steps"]
    )


def test_mistyped_argument_is_refused_without_steps_or_files(hl, folder):
    ledger = Ledger(folder / "run.jsonl")
    ledger.append(Trial(kind="search", environment="CartPole-v1").to_event())
    before, files = steps_taken(), sorted(folder.iterdir())
    for arguments, words in (
        (["none"], ["there are no trials at none"]),
        (["lean.hl"], ["there are no trials at lean.hl"]),
        (["run.jsonl", "--out", "run.jsonl"], ["does not end with .html", "FILE.html"]),
        (["run.jsonl", "-o", "none/r.html"], ["no folder `none`"]),
        (["run.jsonl", "-o", "lean.hl/r.html"], ["no folder `lean.hl`"]),
        (["run.jsonl", "-o", "/proc/r.html"], ["cannot write to /proc"]),
        (["run.jsonl", "--video-steps", "0"], ["--video-steps"]),
        ([], ["Missing argument 'RUN'"]),
        (["run.jsonl", "--follow"], ["No such option"]),
    ):
        assert_refused(hl("report", *arguments), *words)
    (folder / "r.html").mkdir()
    assert_refused(hl("report", "run.jsonl", "-o", "r.html"), "is a folder")
    (folder / "r.html").rmdir()
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"CartPole", b"CartPolo"))
    assert_refused(hl("report", "run.jsonl"), "run.jsonl, line 1: the checksum does not match", "restore the file")
    assert_refused(hl("trials", "run.jsonl", "--follow"), "run.jsonl, line 1")
    assert_refused(hl("trials", "none", "--follow"), "no trials at none")
    assert steps_taken() == before and sorted(folder.iterdir()) == files
    assert hl("report", "none", "--json").document["schema"] == "hl.error/1"


def test_follow_prints_trials_until_it_is_interrupted(folder):
    with RunFolder(folder / "run") as run:
        process = subprocess.Popen(
            [*COMMAND, "trials", "run", "--follow"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3):
            run.ledger.append(Trial(kind="search", gate="parse", index=number).to_event())
            assert process.stdout.readline().split()[0] == str(number)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_follow_with_json_prints_one_document_at_the_end(hl, folder):
    Ledger(folder / "trials.jsonl").append(Trial(kind="search", gate="parse", index=7).to_event())
    result = hl("trials", ".", "--follow", "--json")
    assert result.code == 0 and result.document["schema"] == "hl.trials/2" and result.err.split()[0] == "7"
    assert result.err.endswith("the run is not active\n") and json.loads(result.out)["trials"][0]["index"] == 7
