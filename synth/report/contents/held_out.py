"""Recorded scores on held-out seeds. A report never plays such a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from hl_dsl.cards import Card
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import HELD_OUT
from hl_dsl.synth.runs.statuses import EVALUATION_KINDS, TrialKind
from hl_dsl.synth.runs.trial import Trial, violations


def is_held_out(trial: Trial) -> bool:
    """Returns whether a trial is an evaluation on held-out seeds only."""
    return (
        trial.kind is TrialKind.HELD_OUT
        or trial.kind in EVALUATION_KINDS
        and bool(trial.seeds)
        and min(trial.seeds) >= HELD_OUT.start
    )


def held_out_scores(
    trials: Sequence[Trial], program_hash: str, card: Card, policy: Path, development: Sequence[int]
) -> list[dict[str, Any]]:
    """Returns, for each protocol, the last recorded held-out score of a program, or the command that plays it.

    Args:
        trials: Trials of the ledger.
        program_hash: The program.
        card: Card of its environment.
        policy: File of the program, for the command.
        development: Seeds that the run used. A trial with any of them is not a held-out score.
    """
    used = set(development)
    rows = []
    for protocol in card.protocols:
        scored = [
            trial
            for trial in trials
            if is_held_out(trial)
            and trial.program_hash == program_hash
            and trial.protocol == protocol
            and trial.returns
            and not used & set(trial.seeds)
        ]
        rows.append(_row(scored[-1], protocol) if scored else _missing(card, policy, protocol))
    return rows


def _row(trial: Trial, protocol: str) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "scored": True,
        "mean": trial.mean,
        "min": trial.min,
        "max": trial.max,
        "episodes": trial.episodes,
        "seeds": list(trial.seeds),
        "distinct_trajectories": trial.distinct_trajectories,
        "sequence": trial.sequence,
        "environment_steps": trial.environment_steps,
        "max_steps": trial.options.get("max_steps"),
        "assumption_violations": violations(trial.assumption_violations),
        "monitor_violations": violations(trial.monitor_violations),
        "out_of_range": violations(trial.out_of_range),
    }


def _missing(card: Card, policy: Path, protocol: str) -> dict[str, Any]:
    by_chance = draws_at_random(card, protocol)
    seeds = f"{HELD_OUT.start}..{HELD_OUT.stop - 1}" if by_chance else f"{HELD_OUT.start}"
    return {
        "protocol": protocol,
        "scored": False,
        "command": f"hl eval {quote(str(policy))} --protocol {protocol} --seeds {seeds}",
    }
