"""Scores on held-out seeds. A report shows what is recorded; it never plays such a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import HELD_OUT
from hl_dsl.synth.runs.statuses import EVALUATION_KINDS, TrialKind
from hl_dsl.synth.runs.trial import Trial, violations

from hl_dsl.cards import Card


def is_held_out(trial: Trial) -> bool:
    """Whether a trial is an evaluation on nothing but held-out seeds."""
    return (
        trial.kind is TrialKind.HELD_OUT
        or trial.kind in EVALUATION_KINDS
        and bool(trial.seeds)
        and min(trial.seeds) >= HELD_OUT.start
    )


def held_out_scores(
    trials: Sequence[Trial], program_hash: str, card: Card, policy: Path, development: Sequence[int]
) -> list[dict[str, Any]]:
    """For each protocol of the environment what the program with that hash scored, as last recorded; else the command that
    plays it. Seeds that the run used for development are held out of nothing."""
    used = set(development)
    rows = []
    for protocol in card.protocols:
        found = [
            trial
            for trial in trials
            if is_held_out(trial)
            and trial.program_hash == program_hash
            and trial.protocol == protocol
            and trial.returns
            and not used & set(trial.seeds)
        ]
        rows.append(_row(found[-1], protocol) if found else _missing(card, policy, protocol))
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
