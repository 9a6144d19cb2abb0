"""`hl report` and `hl trials --follow` as people give them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.trial import Trial

from tests.hl_dsl.cli.conftest import refused
from tests.support.step_counter import steps_taken

COMMAND = [sys.executable, "-c", "from hl_dsl.cli.main import main; main()"]


def test_a_search_and_its_report(hl, folder):
    hl("synth", "lean.hl", "--run", "run", "--steps", "2000", "--seeds", "0..1", "--json")
    before = steps_taken()
    ended = hl("report", "run", "--no-videos", "--json")
    document = ended.document
    assert (ended.code, ended.err, document["schema"], document["report"]) == (0, "", "hl.report/2", "run/report.html")
    assert steps_taken() == before and document["status"] == "stopped" and document["videos"] == []
    assert (folder / "run" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    said = hl("report", "run", "--out", "mine.html", "--video-steps", "15")
    assert (
        said.code == 0
        and "wrote mine.html" in said.out
        and "recording the first" in said.err
        and (folder / "mine.html").exists()
    )
    assert (
        "not scored on held-out seeds under standard yet: hl eval run/best.hl --protocol standard --seeds 50..99"
        in said.out
    )
    assert (
        0
        < steps_taken() - before
        == hl("report", "run", "--json", "--video-steps", "15").document["spent"]["video_steps"]
    )


def test_what_is_mistyped_is_refused_and_plays_nothing(hl, folder):
    ledger = Ledger(folder / "run.jsonl")
    ledger.append(Trial(kind="search", environment="CartPole-v1").to_event())
    before, kept = steps_taken(), sorted(folder.iterdir())
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
        refused(hl("report", *arguments), *words)
    (folder / "r.html").mkdir()
    refused(hl("report", "run.jsonl", "-o", "r.html"), "is a folder")
    (folder / "r.html").rmdir()
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"CartPole", b"CartPolo"))
    refused(hl("report", "run.jsonl"), "run.jsonl, line 1: the checksum does not match", "Restore the file")
    refused(hl("trials", "run.jsonl", "--follow"), "run.jsonl, line 1")
    refused(hl("trials", "none", "--follow"), "no trials at none")
    assert steps_taken() == before and sorted(folder.iterdir()) == kept
    assert hl("report", "none", "--json").document["schema"] == "hl.error/1"


def test_following_in_a_process_of_its_own_until_it_is_interrupted(folder):
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


def test_following_with_json_ends_in_one_document(hl, folder):
    Ledger(folder / "trials.jsonl").append(Trial(kind="search", gate="parse", index=7).to_event())
    ended = hl("trials", ".", "--follow", "--json")
    assert ended.code == 0 and ended.document["schema"] == "hl.trials/2" and ended.err.split()[0] == "7"
    assert ended.err.endswith("the run is not active\n") and json.loads(ended.out)["trials"][0]["index"] == 7
