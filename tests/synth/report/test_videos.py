"""Videos cost recorded steps, and a recorded video costs no steps again."""

from __future__ import annotations

import base64
import io

import imageio.v3
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.synth.report.report import write_report
from hl_dsl.synth.rollouts import video
from hl_dsl.synth.runs.ledger import Ledger, LedgerUnreadable
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.trial import trials_of
from tests.support.parsed_report import Page
from tests.support.step_counter import steps_taken


def reported(run, **more):
    said = []
    document = write_report(run, run / "report.html", report_progress=said.append, **more)
    return document, Page((run / "report.html").read_text(encoding="utf-8")), said


def filmed(run):
    return trials_of(Ledger(run / "videos" / "trials.jsonl").read())


def test_first_worst_and_best_program_are_recorded_and_charged_once(run):
    before, ledger = steps_taken(), (run / "trials.jsonl").read_bytes()
    document, page, said = reported(run, video_steps=60)
    taken = steps_taken() - before
    assert [film["roles"] for film in document["videos"]] == [["first", "worst"], ["best"]] and len(said) == 2
    assert (
        60 < taken <= 120
        and sum(trial.environment_steps for trial in filmed(run)) == document["spent"]["video_steps"] == taken
    )
    assert all(trial.kind == "video" and trial.seeds == (0,) and trial.lengths[0] <= 60 for trial in filmed(run))
    assert (run / "trials.jsonl").read_bytes() == ledger, "the run's own account stays as it was"
    pictures = [base64.b64decode(one["src"].partition(",")[2]) for one in page.of("img")]
    assert len(pictures) == 2
    for film, picture, trial in zip(document["videos"], pictures, filmed(run)):
        frames = imageio.v3.imread(io.BytesIO(picture), extension=".gif")
        assert film["bytes"] == len(picture) and frames.shape[1:] == (200, 300, 3)
        assert len(frames) <= trial.lengths[0] // 2 + 2 and (frames[0] != frames[-1]).any()
    page.check_self_contained()

    again, _, said = reported(run, video_steps=60)
    assert steps_taken() - before == taken and said == [] and again["videos"] == document["videos"]
    none, page, _ = reported(run, videos=False)
    assert none["videos"] == [] and page.of("img") == [] and steps_taken() - before == taken


def test_videos_of_a_running_run_do_not_change_its_ledger(run):
    ledger = (run / "trials.jsonl").read_bytes()
    with RunFolder(run):
        document, _, _ = reported(run, video_steps=20)
    assert all(film["bytes"] for film in document["videos"]) and (run / "trials.jsonl").read_bytes() == ledger


def test_a_damaged_video_is_recorded_again(run):
    reported(run, video_steps=20)
    for path in (run / "videos").glob("*.gif"):
        path.write_bytes(b"")
    document, _, said = reported(run, video_steps=20)
    assert len(said) == 2 and all(film["bytes"] for film in document["videos"]) and len(filmed(run)) == 4


def test_an_unproved_program_is_not_recorded(run):
    events = [
        {name: value for name, value in event.items() if name not in ("sequence", "time", "schema", "checksum")}
        for event in Ledger(run / "trials.jsonl").read()
    ]
    (run / "trials.jsonl").unlink()
    Ledger(run / "trials.jsonl").append_many(
        [
            event | {"program": event["program"].replace("0.1 * pole.velocity", "0.1 / pole.velocity")}
            if event.get("program")
            else event
            for event in events
        ]
    )
    before = steps_taken()
    document, page, _ = reported(run, video_steps=20)
    best = document["videos"][-1]
    assert (
        best["roles"] == ["best"]
        and best["bytes"] is None
        and "not proved" in best["note"]
        and best["note"] in page.text
    )
    assert document["proof"]["passed"] is False and "violated" in page.text or "ill-defined" in page.text
    assert steps_taken() - before == document["spent"]["video_steps"] <= 20


def test_an_environment_that_cannot_render_takes_no_steps(run, monkeypatch):
    def no_driver(card):
        raise HLError("no graphics driver")

    monkeypatch.setattr(video, "check_render", no_driver)
    before = steps_taken()
    document, page, _ = reported(run)
    assert {film["note"] for film in document["videos"]} == {"not recorded: no graphics driver"} and page.of(
        "img"
    ) == []
    assert steps_taken() == before and "no graphics driver" in page.text


def test_videos_without_a_writable_ledger_take_no_steps(run):
    (run / "videos").write_text("in the way")
    before = steps_taken()
    with pytest.raises(LedgerUnreadable, match="videos"):
        reported(run, video_steps=20)
    assert steps_taken() == before


def test_an_interrupt_ends_the_report_and_its_steps_are_recorded(run, monkeypatch):
    from hl_dsl.synth.report.camera import Camera

    real, count = Camera.__call__, []

    def call(self, *arguments):
        count.append(1)
        if len(count) == 9:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(Camera, "__call__", call)
    before = steps_taken()
    with pytest.raises(KeyboardInterrupt):
        reported(run, video_steps=20)
    assert sum(trial.environment_steps for trial in filmed(run)) == steps_taken() - before > 0
    assert not (run / "report.html").exists() and not list((run / "videos").glob("*.gif"))
