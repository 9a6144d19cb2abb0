"""`hl synth`: a search for better programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hl_dsl.cli.output import Json, PolicyFile
from hl_dsl.cli.progress import run_progress
from hl_dsl.cli.runs import show_run
from hl_dsl.cli.seeds import parse_seeds


def synth(
    file: PolicyFile,
    run: Annotated[Path, typer.Option("--run", help="The run's folder.", show_default=False)],
    protocol: Annotated[Optional[str], typer.Option("--protocol", "-p", help="[default: the environment's first]")] = None,
    proposer: Annotated[str, typer.Option("--proposer", help="Who proposes programs: local.")] = "local",
    seeds: Annotated[str, typer.Option("--seeds", "-s", help="Development seeds; one is played where the protocol leaves nothing to chance.")] = "0..7",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")] = 300_000,
    seconds: Annotated[Optional[float], typer.Option("--seconds", min=1, help="Budget of wall time.")] = None,
    max_steps: Annotated[Optional[int], typer.Option("--max-steps", min=1, help="End each episode after so many steps.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the search.")] = 0,
    num_threads: Annotated[int, typer.Option("--threads", min=0, max=256, help="Simulator threads; 0: one for each core.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    json: Json = False,
) -> None:
    """Search for better programs, each proved before it is played."""
    development = parse_seeds(seeds)

    def start(on_event):
        from hl_dsl.synth.runs import run_synth

        return run_synth(
            file, run, protocol=protocol, proposer=proposer, seeds=development, budget_steps=steps, wall_seconds=seconds,
            max_steps=max_steps, seed=seed, num_threads=num_threads, resume=resume, on_event=on_event)

    show_run("synth", run, run_progress("synth"), start, json)
