"""Where the best program came from: the chain of accepted edits that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hl_dsl.synth.runs.trial import Trial, best_trial


@dataclass(frozen=True)
class Ancestor:
    """One step of a lineage. `crossed_with` holds the hashes of further parents; `missing_parent` the first parent's
    hash where no earlier trial of this ledger tells of it, so that the chain begins here though the program did not."""

    trial: Trial
    crossed_with: tuple[str, ...] = ()
    missing_parent: str | None = None


def lineage(trials: Sequence[Trial], end: Trial | None = None) -> list[Ancestor]:
    """The chain from the first known ancestor to `end` (without it, to the best trial), oldest first.

    `trials` stand in the order of the ledger. The chain follows the first parent; a parent is always looked for
    before its child, so a program that returns to an earlier text makes no circle. Empty where there is no best.
    """
    end = end if end is not None else best_trial(trials)
    if end is None:
        return []
    position = next((place for place, trial in enumerate(trials) if trial is end), len(trials))
    first_seen = _first_seen(trials)
    chain: list[Ancestor] = []
    trial: Trial | None = end
    while trial is not None:
        parents = trial.parent_hashes or _origin_of(trial, position, trials, first_seen)
        before = first_seen.get(parents[0]) if parents else None
        found = before is not None and before < position
        chain.append(Ancestor(trial, tuple(parents[1:]), parents[0] if parents and not found else None))
        trial, position = (trials[before], before) if found else (None, 0)
    return chain[::-1]


def _first_seen(trials: Sequence[Trial]) -> dict[str, int]:
    """Where each program entered: its first accepted trial, else its first with a score, else its first."""
    places: dict[str, int] = {}
    for place, trial in enumerate(trials):
        known = places.get(trial.program_hash)
        if known is None or _weight(trial) > _weight(trials[known]):
            places[trial.program_hash] = place
    return places


def _weight(trial: Trial) -> int:
    return 2 if trial.accepted else 1 if trial.returns else 0


def _origin_of(trial: Trial, position: int, trials: Sequence[Trial], first_seen: dict[str, int]) -> tuple[str, ...]:
    """A program evaluated again names no parents; those of its first trial are meant."""
    place = first_seen.get(trial.program_hash, position)
    return trials[place].parent_hashes if place < position else ()
