"""Report on a run: reads the run folder and writes the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hl_dsl.base.files import write_whole
from hl_dsl.synth.report.contents.run import read_run
from hl_dsl.synth.report.document import document_of
from hl_dsl.synth.report.page import page
from hl_dsl.synth.report.videos import record_videos

VIDEO_STEPS = 1_000  # of each video, by default


def write_report(
    run: Path | str,
    out: Path | str,
    videos: bool = True,
    video_steps: int = VIDEO_STEPS,
    report_progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Writes the page on a run atomically, and returns its contents as plain data.

    Args:
        run: The run folder, or a ledger.
        out: File of the page.
        videos: Whether to record videos of the first, worst and best program that are missing. Otherwise nothing is
            played.
        video_steps: Most environment steps of each video.
        report_progress: Called with a text before each play.

    Raises:
        HLError: The run cannot be read (see `read_run`).
        FileUnwritable: The page cannot be written.
        KeyboardInterrupt: The user interrupted a play.
    """
    reported = read_run(run)
    recorded = record_videos(reported, video_steps, videos, report_progress) if videos else []
    document = document_of(reported, recorded) | {"report": str(out)}
    write_whole(out, page(document, recorded))
    return document
