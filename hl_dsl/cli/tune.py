"""`hl tune`: better constants for the same structure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hl_dsl.cli.output import Json, PolicyFile, finish, note, show
from hl_dsl.cli.seeds import parse_seeds


def tune(
    file: PolicyFile,
    run: Annotated[Path, typer.Option("--run", help="The run's folder.", show_default=False)],
    params: Annotated[Optional[str], typer.Option("--params", help="Names of the params to move, with commas. [default: all]")] = None,
    protocol: Annotated[Optional[str], typer.Option("--protocol", "-p", help="[default: the environment's first]")] = None,
    seeds: Annotated[Optional[str], typer.Option("--seeds", "-s", help="Development seeds, such as 0..3. [default: as many as chance needs]")] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")] = 200_000,
    max_steps: Annotated[Optional[int], typer.Option("--max-steps", min=1, help="End each episode after so many steps.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the search.")] = 0,
    json: Json = False,
) -> None:
    """Tune a policy's params inside their proved ranges with CMA-ES; the whole population plays in one batch."""
    from hl_dsl.synth.progress import progress
    from hl_dsl.synth.runs import run_tune

    with progress("tune") as watch:
        result = run_tune(
            file, run, params=params.split(",") if params else None, protocol=protocol, seeds=parse_seeds(seeds) if seeds else None,
            budget_steps=steps, max_steps=max_steps, seed=seed, on_event=watch)
    show({"schema": "hl.tune/1", **result.to_json()}, result.render(), json)
    if result.interrupted:
        note("interrupted: what had been played is recorded")
        finish(130)
