"""`hl open`, `submit`, `status`, `inspect`, `finish`: an interactive study, driven by submitted programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.options.groups import with_option_groups
from hl_dsl.cli.options.study import InteractiveOptions, RunOption
from hl_dsl.cli.output import interactive_text
from hl_dsl.cli.output.documents import Interrupted, Json, PolicyFile, show
from hl_dsl.cli.output.documents import finish as finish_command

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.", show_default=False)]


@with_option_groups
def open_run(file: PolicyFile, run: RunOption, options: InteractiveOptions, json: Json = False) -> None:
    """Open an interactive study; the initial policy is proved, then evaluated."""
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    try:
        with InteractiveStudy.create(file, run, options.settings(), options.budget()) as study:
            document = study.status()
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    show(document, interactive_text.status_text(document), json)


def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The program.", show_default=False)],
    run: RunOption,
    change: Annotated[
        str, typer.Option("--change", help="The change and its reason, for the record.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Submit a program to an interactive study. 1: it is rejected."""
    from hl_dsl.program_files import read_source
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    text = read_source(file).text
    try:
        with InteractiveStudy.reopen(run) as study:
            document = study.submit(text, change)
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    show(document, interactive_text.submission_text(document), json)
    finish_command(document["exit_code"])


def status(run: RunArgument, json: Json = False) -> None:
    """Show the budget and the best program of an interactive study."""
    from hl_dsl.synth.search import interactive_documents

    document = interactive_documents.status(run)
    show(document, interactive_text.status_text(document), json)


def inspect(
    run: RunArgument,
    trial: Annotated[
        int | None, typer.Argument(metavar="[TRIAL]", help="Its number. [default: the best]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the episode. [default: the worst]", show_default=False)
    ] = None,
    ticks: Annotated[int, typer.Option("--ticks", help="Number of last ticks to show.")] = 24,
    json: Json = False,
) -> None:
    """Show a trial of an interactive study: program, proof, end of an episode."""
    from hl_dsl.synth.search import interactive_documents

    document = interactive_documents.inspect(run, trial, seed, ticks)
    show(document, interactive_text.trial_text(document), json)


def finish(run: RunArgument, json: Json = False) -> None:
    """Close an interactive study; its best program is proved in full and written."""
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    try:
        with InteractiveStudy.reopen(run) as study:
            document = study.finish()
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    show(document, interactive_text.result_text(document, run), json)


def _interrupted(run: Path) -> Interrupted:
    return Interrupted(f"interrupted: all steps are recorded, and the run in {run} is unchanged otherwise")
