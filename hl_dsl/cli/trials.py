"""`hl trials`: what a run did."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show, write

_WIDTH_OF_FILES = 160


def trials(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a trials.jsonl.", show_default=False)],
    json: Json = False,
) -> None:
    """Show a run's trials, totals, and the lineage of its best program."""
    from hl_dsl.synth.trials_table import show_trials

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
