"""`hl trials`: what a run did."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output.documents import Json, note, show, write

_WIDTH_OF_FILES = 160


def _follow(run: Path, tell: Callable[[str], None]) -> None:
    from hl_dsl.synth.runs.follow import follow

    for line in follow(run):
        tell(line)


def trials(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a trials.jsonl.", show_default=False)],
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Show each new trial as it comes, until the run ends; with --json on stderr."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Show a run's trials, totals, and the lineage of its best program."""
    if follow:
        _follow(run, note if json else lambda line: write(line + "\n"))
        if not json:
            return
    from hl_dsl.synth.runs.trials_table import show_trials

    if json:
        show(show_trials(run, as_json=True), "", True)
        return
    from rich.console import Console

    found = show_trials(run)
    # On a terminal as wide as that is and in its colours; elsewhere plain, and wide enough for whole lines.
    console = Console() if sys.stdout is not None and sys.stdout.isatty() else Console(width=_WIDTH_OF_FILES)
    with console.capture() as text:
        console.print(found)
    write("\n".join(line.rstrip() for line in text.get().splitlines()) + "\n")
