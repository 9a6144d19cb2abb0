"""`hl env`: what a policy can observe and do."""

from __future__ import annotations

from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show


def env(
    environment: Annotated[str, typer.Argument(metavar="ENV-ID", help="An EnvPool environment, such as Breakout-v5.", show_default=False)],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Environment steps the probe may take.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the probe's environment and its random actions.")] = 0,
    save: Annotated[bool, typer.Option("--save", help="For an environment without a card: write one to cards/.")] = False,
    json: Json = False,
) -> None:
    """Print what a policy can observe and do in an environment, measured by a short probe with random actions."""
    from hl_dsl.synth import probe

    result = probe.probe(environment, steps=steps, seed=seed)
    if save:
        probe.save_card(result)
    show({"schema": "hl.env/1", **result.to_json()}, result.render(), json)
