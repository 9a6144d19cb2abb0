"""A report on a run, from its folder to the finished file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hl_dsl.synth.report.contents.run import read_run
from hl_dsl.synth.report.document import document_of
from hl_dsl.synth.report.page import page
from hl_dsl.synth.report.videos import record_videos

from hl_dsl.base.files import write_whole

VIDEO_STEPS = 1_000


def write_report(
    run: Path | str,
    out: Path | str,
    videos: bool = True,
    video_steps: int = VIDEO_STEPS,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Writes the page on `run` to `out`, whole or not at all; what it shows, as plain data.

    With `videos`, the first, worst and best program are filmed for at most `video_steps` steps each, where they were not before
    (see `record_videos`); without, nothing is played. Raises HLError as `read_run` does, FileUnwritable, KeyboardInterrupt.
    """
    found = read_run(run)
    filmed = record_videos(found, video_steps, videos, tell) if videos else []
    document = document_of(found, filmed) | {"report": str(out)}
    write_whole(out, page(document, filmed))
    return document
