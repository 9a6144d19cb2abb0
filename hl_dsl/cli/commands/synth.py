"""`hl synth`: search for better programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.groups import with_option_groups
from hl_dsl.cli.options.proposer import ProposerBudget, ProposerGroup
from hl_dsl.cli.options.study import StepsOption, StudyOptions
from hl_dsl.cli.output.documents import Json, PolicyFile
from hl_dsl.cli.output.progress import run_progress
from hl_dsl.cli.output.study_runs import show_run


@with_option_groups
def synth(
    file: PolicyFile,
    *,
    run: Annotated[Path | None, typer.Option("--run", help="The run folder.", show_default=False)] = None,
    proposer: Annotated[
        str,
        typer.Option(
            "--proposer",
            help="Proposer of programs: local, openai, command, replay; several, with commas, take turns.",
        ),
    ] = "local",
    steps: StepsOption = 300_000,
    study: StudyOptions,
    limits: ProposerBudget,
    group: ProposerGroup,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Only print the first prompt for a language model.")
    ] = False,
    json: Json = False,
) -> None:
    """Search for better programs, each proved before it is evaluated."""
    if show_prompt:
        from hl_dsl.cli.output.prompt_text import show_first_prompt

        left = {"environment_steps": steps, "seconds": study.seconds, "programs": limits.programs}
        left |= {"tokens": limits.tokens, "money": limits.cost}
        return show_first_prompt(file, study.protocol, left, group.images, json)
    if run is None:
        raise HLError("Missing option '--run'", "add the folder that records the search: --run FOLDER")
    settings = study.settings(proposer)
    options = group.options(proposer)

    def start(on_event: Any) -> Any:
        from hl_dsl.synth.runs.budget import Budget
        from hl_dsl.synth.search.start import run_line, run_synth

        budget = Budget(
            steps=steps, programs=limits.programs, wall_seconds=study.seconds, tokens=limits.tokens, cost=limits.cost
        )
        with run_line(study.ledger, run):
            return run_synth(file, run, settings, budget, study.resources(), options, on_event, study.resume)

    show_run("synth", run, run_progress("synth"), start, json)
