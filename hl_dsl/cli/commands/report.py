"""`hl report`: an HTML report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hl_dsl.cli.options.output_paths import check_folder, check_output_file
from hl_dsl.cli.output.documents import Json, note, show

_SUFFIXES = (".html", ".htm")


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or a trials.jsonl.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file to write. [default: report.html in the run folder]"),
    ] = None,
    videos: Annotated[
        bool,
        typer.Option(
            "--videos/--no-videos",
            help="Record videos of the first, worst and best program; their environment steps are recorded.",
        ),
    ] = True,
    video_steps: Annotated[
        int, typer.Option("--video-steps", min=1, max=100_000, help="The most environment steps of each video.")
    ] = 1_000,
    json: Json = False,
) -> None:
    """Write a report on a run as one HTML file: scores, lineage, accepted steps, rejections, videos, cost."""
    from hl_dsl.synth.report.report import write_report
    from hl_dsl.synth.runs.trials_table import ledger_path

    place = out or ledger_path(run).parent / "report.html"
    check_output_file(place, _SUFFIXES, "a report")
    check_folder(place.parent)
    document = write_report(run, place, videos, video_steps, note)
    show(document, _text(document), json)


def _text(document: dict[str, Any]) -> str:
    best = document["best"]
    lines = [
        f"{document['run']}: {document['status']}"
        + (f": {document['stop_reason']}" if document["stop_reason"] not in (None, document["status"]) else "")
    ]
    if best is not None:
        lines.append(f"best: {best['name']}, {best['mean']:g}; proof: {document['proof']['summary']}")
    lines += [f"note: {text}" for text in document["notes"]]
    lines += [
        f"not scored on held-out seeds under {row['protocol']} yet: {row['command']}"
        for row in document["held_out"]
        if not row["scored"]
    ]
    return "\n".join([*lines, f"wrote {document['report']}"])
