"""`--video` and `--trace`: files that other programs can read."""

from __future__ import annotations

import json

import imageio_ffmpeg
import numpy as np
import pytest

from tests.hl_dsl.cli.conftest import POLICIES, assert_refused


def frames(path) -> tuple[tuple[int, int], np.ndarray]:
    """Returns the size of a video, (width, height), and its pictures."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return (width, height), np.stack([np.frombuffer(picture, np.uint8).reshape(height, width, 3) for picture in reader])


def test_breakout_video_and_trace_hold_every_step(hl, folder):
    result = hl(
        "eval",
        POLICIES / "breakout" / "start.hl",
        "--max-steps",
        "60",
        "--trials",
        "t.jsonl",
        "--video",
        "film.mp4",
        "--trace",
        "t2.jsonl",
        "--json",
    )
    assert (result.code, result.err) == (0, "") and result.document["lengths"] == [60]
    size, pictures = frames(folder / "film.mp4")
    assert size == (3 * 160, 3 * 210) and len(pictures) == 61
    assert pictures[0].max() > 100 and (pictures[0] != pictures[-1]).any(), "the pictures show motion"
    lines = [json.loads(line) for line in (folder / "t2.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 62 and lines[0]["policy"] == result.document["policy"] and lines[-1]["end"] is True


def test_cartpole_video_holds_the_first_episode(hl, folder):
    result = hl("eval", "lean.hl", "--seeds", "2..3", "--video", "film.mp4", "--json")
    assert (result.code, result.err) == (0, "")
    (_, pictures) = frames(folder / "film.mp4")
    assert len(pictures) == result.document["lengths"][0] + 1 and (pictures[0] != pictures[-1]).any()


def test_environment_that_cannot_be_drawn_is_refused(hl, folder, monkeypatch):
    """A machine without a graphics driver reports the error before any step."""
    from hl_dsl.base.errors import HLError
    from hl_dsl.synth.rollouts import video
    from tests.support.step_counter import steps_taken

    def fail(card):
        raise HLError(f"`{card.environment}` cannot be drawn on this machine: no display", "evaluate without --video")

    monkeypatch.setattr(video, "check_render", fail)
    before = steps_taken()
    assert_refused(hl("eval", "lean.hl", "--video", "film.mp4"), "cannot be drawn", "evaluate without --video")
    assert steps_taken() == before and not (folder / "film.mp4").exists() and not (folder / "trials.jsonl").exists()


@pytest.mark.parametrize("seeds", ["4,2", "2..4"])
def test_trace_holds_the_first_seed(hl, folder, seeds):
    result = hl("eval", "lean.hl", "--seeds", seeds, "--num-envs", "1", "--trace", "t.jsonl", "--json")
    lines = [json.loads(line) for line in (folder / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0]["seed"] == result.document["seeds"][0] and len(lines) - 2 == result.document["lengths"][0]
