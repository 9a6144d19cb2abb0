"""`hl trials`: what a run did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show


def trials(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a trials.jsonl.", show_default=False)],
    json: Json = False,
) -> None:
    """Show a run's trials, the totals, and the lineage of its best program."""
    from hl_dsl.synth.trials_table import show_trials

    if json:
        show(show_trials(run, as_json=True), "", True)
        return
    from rich.console import Console

    Console().print(show_trials(run))
