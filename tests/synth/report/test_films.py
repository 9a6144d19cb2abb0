"""Films cost steps, and the steps are on record; what was filmed once costs nothing again."""

from __future__ import annotations

import base64
import io

import imageio.v3
import pytest
from hl_dsl.synth.report.report import write_report
from hl_dsl.synth.rollouts import video
from hl_dsl.synth.runs.ledger import Ledger, LedgerUnreadable
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.trial import trials_of

from hl_dsl.base.errors import HLError
from tests.support.parsed_report import Page
from tests.support.step_counter import steps_taken


def reported(run, **more):
    said = []
    document = write_report(run, run / "report.html", tell=said.append, **more)
    return document, Page((run / "report.html").read_text(encoding="utf-8")), said


def filmed(run):
    return trials_of(Ledger(run / "films" / "trials.jsonl").read())


def test_first_worst_and_best_are_filmed_and_charged_once(run):
    before, ledger = steps_taken(), (run / "trials.jsonl").read_bytes()
    document, page, said = reported(run, video_steps=60)
    taken = steps_taken() - before
    assert [film["roles"] for film in document["films"]] == [["first", "worst"], ["best"]] and len(said) == 2
    assert (
        60 < taken <= 120
        and sum(trial.environment_steps for trial in filmed(run)) == document["spent"]["film_steps"] == taken
    )
    assert all(trial.kind == "video" and trial.seeds == (0,) and trial.lengths[0] <= 60 for trial in filmed(run))
    assert (run / "trials.jsonl").read_bytes() == ledger, "the run's own account stays as it was"
    pictures = [base64.b64decode(one["src"].partition(",")[2]) for one in page.of("img")]
    assert len(pictures) == 2
    for film, picture, trial in zip(document["films"], pictures, filmed(run)):
        frames = imageio.v3.imread(io.BytesIO(picture), extension=".gif")
        assert film["bytes"] == len(picture) and frames.shape[1:] == (200, 300, 3)
        assert len(frames) <= trial.lengths[0] // 2 + 2 and (frames[0] != frames[-1]).any()
    page.check_self_contained()

    again, _, said = reported(run, video_steps=60)
    assert steps_taken() - before == taken and said == [] and again["films"] == document["films"]
    none, page, _ = reported(run, videos=False)
    assert none["films"] == [] and page.of("img") == [] and steps_taken() - before == taken


def test_a_run_that_goes_on_can_be_filmed_for_its_ledger_is_left_alone(run):
    ledger = (run / "trials.jsonl").read_bytes()
    with RunFolder(run):
        document, _, _ = reported(run, video_steps=20)
    assert all(film["bytes"] for film in document["films"]) and (run / "trials.jsonl").read_bytes() == ledger


def test_a_film_that_is_damaged_is_made_anew(run):
    reported(run, video_steps=20)
    for path in (run / "films").glob("*.gif"):
        path.write_bytes(b"")
    document, _, said = reported(run, video_steps=20)
    assert len(said) == 2 and all(film["bytes"] for film in document["films"]) and len(filmed(run)) == 4


def test_what_is_not_proved_is_not_filmed(run):
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
    best = document["films"][-1]
    assert (
        best["roles"] == ["best"]
        and best["bytes"] is None
        and "not proved" in best["note"]
        and best["note"] in page.text
    )
    assert document["proof"]["passed"] is False and "violated" in page.text or "ill-defined" in page.text
    assert steps_taken() - before == document["spent"]["film_steps"] <= 20


def test_what_cannot_be_drawn_is_not_played(run, monkeypatch):
    def no_driver(card):
        raise HLError("no graphics driver")

    monkeypatch.setattr(video, "check_render", no_driver)
    before = steps_taken()
    document, page, _ = reported(run)
    assert {film["note"] for film in document["films"]} == {"not filmed: no graphics driver"} and page.of("img") == []
    assert steps_taken() == before and "no graphics driver" in page.text


def test_films_that_cannot_be_recorded_are_not_played(run):
    (run / "films").write_text("in the way")
    before = steps_taken()
    with pytest.raises(LedgerUnreadable, match="films"):
        reported(run, video_steps=20)
    assert steps_taken() == before


def test_an_interrupt_ends_the_report_and_what_was_played_is_recorded(run, monkeypatch):
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
    assert not (run / "report.html").exists() and not list((run / "films").glob("*.gif"))
