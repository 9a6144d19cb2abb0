"""`hl env`: observations and actions of an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, error_text, note, show
from hl_dsl.synth.runs.statuses import TrialKind


def env(
    environment: Annotated[
        str,
        typer.Argument(
            metavar="ENV-ID",
            help="An EnvPool environment, such as Breakout-v5, or your own: gymnasium:ID, module:callable.",
            show_default=False,
        ),
    ],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Limit of environment steps of the probe.")] = 1000,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, max=2**31 - 1, help="Seed of the probe's environment and its random actions."),
    ] = 0,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="Write a card if the environment has none, to the folder in HL_CARDS, else to cards/.",
        ),
    ] = False,
    trials: Annotated[Path, typer.Option("--trials", help="The ledger that records the probe and its steps.")] = Path(
        "trials.jsonl"
    ),
    json: Json = False,
) -> None:
    """Show what a policy can observe and do, measured by a short probe."""
    from hl_dsl.cards import CardResolver
    from hl_dsl.cards.writer import card_text, write_card
    from hl_dsl.cli.output.environment_text import probe_text
    from hl_dsl.synth.environments.backends.backend import EnvironmentFailed
    from hl_dsl.synth.environments.probe import probe
    from hl_dsl.synth.environments.simulator_pool import SimulatorPool
    from hl_dsl.synth.runs.ledger import Ledger
    from hl_dsl.synth.runs.trial import Trial

    ledger = Ledger(trials)
    ledger.prepare()
    simulators = SimulatorPool()
    try:
        measured = probe(environment, steps=steps, seed=seed, simulators=simulators)
    except EnvironmentFailed as problem:
        ledger.append(
            Trial(
                kind=TrialKind.PROBE,
                environment=environment,
                proposer="random actions",
                environment_steps=simulators.steps_taken,
                reason=problem.message,
                run_seed=seed,
            ).to_event()
        )
        raise
    unrecorded = None
    try:
        ledger.append(
            Trial(
                kind=TrialKind.PROBE,
                environment=environment,
                protocol=measured.protocol,
                proposer="random actions",
                environment_steps=measured.env_steps,
                run_seed=seed,
            ).to_event()
        )
    except HLError as error:
        unrecorded = error
    saved = write_card(measured.card, CardResolver.of_user().folders[0]) if save and not measured.carded else None
    document = {
        "schema": "hl.env/1",
        **measured.to_json(),
        "recorded": unrecorded is None,
        "card_text": None if measured.carded else card_text(measured.card),
        "card_file": saved,
    }
    show(document, probe_text(measured, None if unrecorded else trials, saved), json)
    if save and measured.carded:
        note(f"note: {environment} already has a card, from {measured.card.origin}; nothing was written")
    if unrecorded is not None:
        note(error_text(HLError(f"the probe is not recorded: {unrecorded.message}", unrecorded.hint)))
        raise typer.Exit(unrecorded.exit_code)
