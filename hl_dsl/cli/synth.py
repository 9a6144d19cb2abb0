"""`hl synth`: a search for better programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hl_dsl.cli.output import Json, PolicyFile, finish, note, show


def synth(
    file: PolicyFile,
    run: Annotated[Path, typer.Option("--run", help="The run's folder.", show_default=False)],
    protocol: Annotated[Optional[str], typer.Option("--protocol", "-p", help="[default: the environment's first]")] = None,
    proposer: Annotated[str, typer.Option("--proposer", help="Who proposes programs: local.")] = "local",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")] = 300_000,
    seconds: Annotated[Optional[float], typer.Option("--seconds", min=1, help="Budget of wall time.")] = None,
    max_steps: Annotated[Optional[int], typer.Option("--max-steps", min=1, help="End each episode after so many steps.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the search.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    json: Json = False,
) -> None:
    """Search for better programs. Each is checked and proved before it costs an environment step."""
    from hl_dsl.synth.progress import progress
    from hl_dsl.synth.runs import run_synth

    with progress("synth") as watch:
        result = run_synth(
            file, run, protocol=protocol, proposer=proposer, budget_steps=steps, wall_seconds=seconds, max_steps=max_steps, seed=seed,
            resume=resume, on_event=watch)
    show({"schema": "hl.synth/1", **result.to_json()}, result.render(), json)
    if result.interrupted:
        note(f"interrupted; go on with: hl synth {file} --run {run} --resume")
        finish(130)
