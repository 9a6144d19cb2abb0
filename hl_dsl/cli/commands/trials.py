"""`hl trials`: the trials of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from hl_dsl.cli.output.documents import Json, note, show, write

_PLAIN_WIDTH = 160  # columns of the table where stdout is not a terminal


def _follow(run: Path, report: Callable[[str], None]) -> None:
    from hl_dsl.synth.runs.follow import follow

    for line in follow(run):
        report(line)


def trials(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or a trials.jsonl.", show_default=False)],
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Show each new trial until the run ends; with --json on stderr."),
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
        show(cast("dict[str, Any]", show_trials(run, as_json=True)), "", True)
        return
    from rich.console import Console

    table = show_trials(run)
    # On a terminal, its width and colours; elsewhere plain text that is wide enough for whole lines.
    console = Console() if sys.stdout is not None and sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
    with console.capture() as text:
        console.print(table)
    write("\n".join(line.rstrip() for line in text.get().splitlines()) + "\n")
