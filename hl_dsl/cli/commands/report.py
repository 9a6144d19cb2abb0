"""`hl report`: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.output_paths import check_folder
from hl_dsl.cli.output.documents import Json, note, show

_NAMES = (".html", ".htm")


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a trials.jsonl.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file to write. [default: report.html in the run's folder]"),
    ] = None,
    videos: Annotated[
        bool,
        typer.Option(
            "--videos/--no-videos",
            help="Film the first, worst and best program; this takes environment steps, which are recorded.",
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
    if place.suffix.lower() not in _NAMES:
        raise HLError(f"a report is written as HTML, and `{place}` is not named so", "name it FILE.html")
    if place.is_dir():
        raise HLError(f"`{place}` is a folder, not a file for the report", "add a file name")
    if not place.parent.is_dir():
        raise HLError(
            f"there is no folder `{place.parent}` to write {place.name} into", "create it first, or choose another path"
        )
    check_folder(place.parent)
    document = write_report(run, place, videos, video_steps, note)
    show(document, _text(document), json)


def _text(document) -> str:
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
