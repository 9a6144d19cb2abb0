"""Statistics of a ledger's trials: main setting, cumulative cost, best trial, totals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hl_dsl.synth.runs.statuses import GATES, STUDY_KINDS, Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial


@dataclass(frozen=True)
class Cumulative:
    """A trial with the totals up to it: environment steps, finished episodes and best accepted score."""

    trial: Trial
    total_steps: int
    total_episodes: int
    best: float | None


def main_setting(trials: Iterable[Trial]) -> tuple[str, str] | None:
    """Returns the environment and protocol under which most trials were scored; None without a score.

    Of equals it returns the earliest. A return under one protocol is not comparable with a return under another, so
    "best" means best under this one.
    """
    counts = Counter(
        (trial.environment, trial.protocol) for trial in trials if trial.gate is not Gate.NONE and trial.returns
    )
    return max(counts, key=counts.__getitem__, default=None)


def counts_for_best(trial: Trial, setting: tuple[str, str] | None) -> bool:
    """Returns whether a trial was accepted with a finite score under `setting`."""
    is_comparable = trial.accepted and (trial.environment, trial.protocol) == setting
    return is_comparable and trial.score is not None and math.isfinite(trial.score)


def cumulative(trials: Sequence[Trial]) -> Iterator[Cumulative]:
    """Yields each trial with the totals up to it. Probes and evaluations count in the totals, not for the best."""
    setting = main_setting(trials)
    steps = episodes = 0
    best: float | None = None
    for trial in trials:
        steps += trial.environment_steps
        episodes += trial.episodes
        if counts_for_best(trial, setting) and (best is None or _score(trial) > best):
            best = trial.score
        yield Cumulative(trial, steps, episodes, best)


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Returns the accepted trial with the highest score, the earliest of equals; None if nothing was accepted.

    If the best program has a simplified form, its trial is returned.
    """
    setting = main_setting(trials)
    candidates = [trial for trial in trials if counts_for_best(trial, setting)]
    if not candidates:
        return None
    best = max(candidates, key=_score)
    for trial in candidates:  # a simplified form follows the program it is made from
        is_simplified = trial.kind is TrialKind.SIMPLIFY and trial.parent_hashes[:1] == (best.program_hash,)
        if is_simplified and trial.score == best.score:
            best = trial
    return best


def _score(trial: Trial) -> float:
    return -math.inf if trial.score is None else trial.score


def stop_event(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Returns the stop event of a run; empty if the run is active, was resumed and killed, or has no stop event."""
    own = (event for event in reversed(events) if event.get("event") != "trial" or event.get("kind") in STUDY_KINDS)
    last: Mapping[str, Any] = next(own, {})
    return last if last.get("event") == "stop" else {}


def run_best(events: Sequence[Mapping[str, Any]], trials: Sequence[Trial]) -> Trial | None:
    """Returns the best program of a run: the one that its last stop event names, else the best of `trials`."""
    program_hash = stop_event(events).get("best")
    named = [
        trial for trial in trials if trial.kind in STUDY_KINDS and trial.accepted and trial.program_hash == program_hash
    ]
    return named[-1] if named else best_trial(trials)


def totals(trials: Sequence[Trial], calls: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the total cost of the trials, and how many candidates stopped at each gate.

    Args:
        trials: The trials.
        calls: Totals of the calls (see `call_totals`). If given, tokens and cost include calls that produced no trial.
    """
    # A simplified program was not proposed, so it passed no gate; a study does not count it as accepted either.
    simplified = sum(trial.kind is TrialKind.SIMPLIFY for trial in trials)
    gates = Counter(trial.gate for trial in trials if trial.kind is not TrialKind.SIMPLIFY)
    candidates = len(trials) - simplified - gates[Gate.NONE]
    tokens = [trial.tokens for trial in trials if trial.tokens is not None]
    cost = [trial.cost for trial in trials if trial.cost is not None]
    return {
        "trials": len(trials),
        "environment_steps": sum(trial.environment_steps for trial in trials),
        "planning_steps": sum(trial.planning.get("steps", 0) for trial in trials),
        "episodes": sum(trial.episodes for trial in trials),
        "accepted": gates[Gate.ACCEPTED],
        "rejected": candidates - gates[Gate.ACCEPTED],
        "simplified": simplified,
        "not_candidates": gates[Gate.NONE],
        "by_gate": {gate.value: gates[gate] for gate in GATES},
        "cpu_seconds": sum(trial.cpu_seconds for trial in trials),
        "wall_seconds": sum(trial.wall_seconds for trial in trials),
        "tokens": calls["tokens"] if calls else sum(tokens) if tokens else None,
        "cost": calls["cost"] if calls else sum(cost) if cost else None,
        "calls": calls,
    }
