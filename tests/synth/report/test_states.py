"""Reports on runs in every state: running, aborted, interrupted, without a step, damaged, of another version."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import FileUnwritable
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program
from hl_dsl.synth.report.report import write_report
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger, LedgerDamaged
from hl_dsl.synth.runs.run_folder import RunFolder, lock_holder
from hl_dsl.synth.runs.trial import Trial
from tests.support.parsed_report import Page
from tests.support.paths import POLICIES
from tests.support.study_runs import LEAN, Interrupt, search_study, tune
from tests.synth.proposers.conftest import BEST


def reported(run):
    document = write_report(run, run / "report.html", videos=False)
    page = Page((run / "report.html").read_text(encoding="utf-8"))
    page.check_self_contained()
    return document, page


def keep_lines(run, count, more=b""):
    path = run / "trials.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:count]) + more)


def test_report_on_a_running_run_names_its_process(run):
    assert lock_holder(run) is None
    with RunFolder(run):
        document, page = reported(run)
        assert (
            document["status"] == "running"
            and document["stop_reason"] is None
            and document["held_by"] == lock_holder(run)
        )
        assert "running (process" in page.text and {"class": "status live"} in page.of("span")
        assert len(document["steps"]) == 3 and document["best"]["mean"] == 500
    assert lock_holder(run) is None and reported(run)[0]["status"] == "stopped"


def test_report_on_an_aborted_run_shows_what_is_recorded(run):
    kept = (run / "trials.jsonl").read_bytes().count(b"\n") - 3
    keep_lines(run, kept, b'{"sequence":%d,"ti' % (kept + 1))
    document, page = reported(run)
    assert document["status"] == "aborted" and "aborted: its process ended without recording a stop" in page.text
    assert "incomplete after a crash" in document["notes"][0] and document["notes"][0] in page.text


def test_report_on_an_interrupted_run_says_so_once(tmp_path):
    study = search_study(
        Program.parse(LEAN),
        "standard",
        tmp_path,
        Budget(steps=9_000),
        seeds=(0, 1),
        on_event=Interrupt(lambda event, count: event.get("generation") == 2),
    )
    assert study.run().interrupted
    document, page = reported(tmp_path)
    assert (
        document["status"] == document["stop_reason"] == "interrupted" and "interrupted: interrupted" not in page.text
    )
    assert (
        document["spent"]["calls"] is None
        and document["end"]["tokens"] is None
        and "there is no curve over tokens" in page.text
    )


def test_report_on_a_run_without_trials(run):
    keep_lines(run, 1)
    document, page = reported(run)
    assert (
        document["points"] == document["steps"] == document["videos"] == []
        and document["best"] is document["proof"] is None
    )
    assert (
        "No program was proposed yet." in page.text
        and "no trial has a score yet" in page.text
        and "No step was accepted yet." in page.text
    )


def test_report_on_a_ledger_without_an_accepted_program(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append(
        Trial(
            kind="verify-reject",
            gate="prove",
            program=LEAN,
            program_hash="a",
            reason="1 violated",
            environment="CartPole-v1",
        ).to_event()
    )
    document, page = reported(tmp_path)
    assert (
        document["best"] is None
        and document["notes"] == ["No program was accepted yet."]
        and "1 × 1 violated" in page.text
    )
    ledger.path.write_bytes(b"")
    assert reported(tmp_path)[0]["notes"] == ["No program was proposed yet."]


def test_damage_is_an_error_that_names_the_line_and_keeps_the_old_report(run):
    reported(run)
    before = (run / "report.html").read_bytes()
    path = run / "trials.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"reserved_steps":20000', b'"reserved_steps":30000', 1))
    with pytest.raises(LedgerDamaged, match="line 2: the checksum does not match"):
        reported(run)
    path.write_bytes(whole)
    (run / "run.json").write_text("{")
    with pytest.raises(HLError, match="cannot read .*run.json") as caught:
        reported(run)
    assert caught.value.hint and (run / "report.html").read_bytes() == before


def test_report_on_a_run_of_another_version(run):
    settings = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(settings | {"version": "9.9.9 (code 00000000)"}))
    document, page = reported(run)
    assert "HL 9.9.9 (code 00000000) made this run" in document["notes"][0] and document["notes"][0] in page.text
    # Programs that this version cannot read are shown as they are, and not proved.
    events = [
        {name: value for name, value in event.items() if name not in ("sequence", "time", "schema", "checksum")}
        for event in Ledger(run / "trials.jsonl").read()
    ]
    (run / "trials.jsonl").unlink()
    Ledger(run / "trials.jsonl").append_many(
        [
            event | {"program": event["program"].replace("act {", "perform {")} if event.get("program") else event
            for event in events
        ]
    )
    document, page = reported(run)
    assert (
        document["proof"]["passed"] is None
        and "cannot read the program" in page.text
        and "perform {" in document["best"]["program"]
    )
    assert any(line.startswith("+    when pole.angle + 0.1") for line in document["steps"][-1]["diff"])
    Ledger(run / "trials.jsonl").append({"event": "trial", "kind": "search", "gate": "wormhole"})
    with pytest.raises(HLError, match="not a trial that this version can read"):
        reported(run)
    (run / "trials.jsonl").unlink()
    for event in ({"event": "call", "state": "settled", "call": 0}, {"event": "call"}):
        Ledger(run / "trials.jsonl").append(event)
        with pytest.raises(HLError, match="not a call that this version can read") as caught:
            reported(run)
        assert caught.value.hint


def test_scores_that_are_not_finite_are_shown_and_not_drawn(tmp_path):
    common = {
        "kind": "search",
        "program": LEAN,
        "environment": "CartPole-v1",
        "protocol": "standard",
        "gate": "accepted",
        "accepted": True,
        "seeds": [0],
        "lengths": [1],
    }
    trials = [
        Trial(index=number, program_hash=str(number), returns=[score], **common)
        for number, score in enumerate((math.nan, 3.0, math.inf))
    ]
    Ledger(tmp_path / "trials.jsonl").append_many([trial.to_event() for trial in trials])
    document, page = reported(tmp_path)
    assert [step["score"] for step in document["steps"]] == ["NaN", 3, "Infinity"] and [
        point["score"] for point in document["points"]
    ] == [3]
    assert document["best"]["mean"] == 3 and "trial 2: Infinity" in page.text


def test_held_out_scores_are_shown_and_change_no_other_part(run):
    before, page = reported(run)
    (row,) = before["held_out"]
    assert row == {
        "protocol": "standard",
        "scored": False,
        "command": f"hl eval {run / 'best.hl'} --protocol standard --seeds 50..99",
    }
    assert "not scored on held-out seeds yet" in page.text and row["command"] in page.texts["code"]
    best = Program.load(run / "best.hl")
    for program, seeds in ((best, range(50, 53)), (Program.parse(LEAN), range(50, 52)), (best, range(0, 2))):
        evaluate_program(
            program, EpisodeSettings("standard", seeds, max_steps=120), ledger=Ledger(run / "trials.jsonl")
        )
    after, page = reported(run)
    (row,) = after["held_out"]
    assert (row["scored"], row["mean"], row["seeds"], row["max_steps"]) == (True, 120, [50, 51, 52], 120)
    assert "50..52" in page.texts["td"] and "episodes ended after 120 steps" in page.text
    assert all(
        after[name] == before[name]
        for name in ("best", "steps", "points", "lineage", "rejections", "status", "stop_reason")
    )
    assert after["spent"]["environment_steps"] > before["spent"]["environment_steps"]


def test_every_protocol_is_shown_and_a_ledger_next_to_policies_is_not_a_run(tmp_path):
    """The program is in a file of its own and scored under two of three protocols."""
    shutil.copy(POLICIES / "breakout" / "start.hl", tmp_path / "mine.hl")
    program = Program.load(tmp_path / "mine.hl")
    common = {
        "program": program.source.text,
        "program_hash": program.hash,
        "environment": "Breakout-v5",
        "gate": "accepted",
        "accepted": True,
        "lengths": [9],
    }
    trials = [Trial(kind="evaluation", protocol="deterministic", seeds=[0], returns=[118], **common)]
    trials += [
        Trial(kind="held-out", protocol=protocol, seeds=[50], returns=[score], **common)
        for protocol, score in (("sticky", 44), ("deterministic", 118), ("sticky", 45))
    ]
    Ledger(tmp_path / "trials.jsonl").append_many([trial.to_event() for trial in trials])
    document, page = reported(tmp_path)
    assert document["status"] == "no run" and "belongs to no run" in page.text and len(document["points"]) == 1
    deterministic, noop, sticky = document["held_out"]
    assert (deterministic["mean"], sticky["mean"]) == (118, 45), "the last one counts"
    assert (
        noop["command"] == f"hl eval {tmp_path / 'mine.hl'} --protocol noop --seeds 50..99"
        and noop["command"] in page.text
    )


def test_report_on_a_tuning(tmp_path):
    path = tmp_path / "lead.hl"
    path.write_text(BEST.replace("  act {", "  param lead: real = 0 in [0, 0.4]\n\n  act {").replace("0.1 *", "lead *"))
    tune(path, tmp_path / "run", budget_steps=9_000, seeds=(0, 1))
    document, page = reported(tmp_path / "run")
    assert document["status"] == "stopped" and document["best"]["mean"] > document["points"][0]["score"]
    assert any(line.startswith("+  param lead") for line in document["steps"][-1]["diff"])


@pytest.mark.parametrize("steps", [0, 9_355])
def test_planning_steps_are_shown_if_there_are_any(tmp_path, steps):
    planning = {"planning": {"steps": steps, "diverged": 0, "blind": 0}} if steps else {}
    trial = Trial(
        kind="evaluation",
        program=BEST,
        program_hash="ab",
        environment="Breakout-v5",
        protocol="sticky",
        gate="accepted",
        accepted=True,
        seeds=[0],
        returns=[1],
        lengths=[9],
        environment_steps=9,
        **planning,
    )
    Ledger(tmp_path / "trials.jsonl").append_many([trial.to_event()])
    document, page = reported(tmp_path)
    assert document["spent"]["planning_steps"] == steps
    assert ("model steps of planning" in page.text and "9,355" in page.text) == bool(steps)


def test_a_failed_write_leaves_no_files(run, tmp_path):
    with pytest.raises(FileUnwritable):
        write_report(run, tmp_path / "none" / "report.html", videos=False)
    assert not (tmp_path / "none").exists()


def test_report_on_a_ledger_without_a_run_folder(run, tmp_path):
    (tmp_path / "alone").mkdir()
    shutil.copy(run / "trials.jsonl", tmp_path / "alone" / "copy.jsonl")
    document = write_report(tmp_path / "alone" / "copy.jsonl", tmp_path / "alone" / "r.html", videos=False)
    assert document["settings"] == {} and len(document["steps"]) == 3 and document["stop_reason"]
