"""Lineage of the best program: the chain of accepted edits that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trial_statistics import best_trial


@dataclass(frozen=True)
class Ancestor:
    """One program of a lineage.

    Attributes:
        trial: The program's trial.
        crossed_with: Hashes of its further parents.
        missing_parent: Hash of its first parent if no earlier trial of the ledger has it; the chain starts here.
    """

    trial: Trial
    crossed_with: tuple[str, ...] = ()
    missing_parent: str | None = None


def lineage(trials: Sequence[Trial], end: Trial | None = None) -> list[Ancestor]:
    """Returns the chain from the first known ancestor to `end` (default: the best trial), oldest first.

    The chain follows the first parent. A parent is searched only among earlier trials, so a program that returns to an
    earlier text makes no cycle. The chain is empty if there is no best trial.

    Args:
        trials: The trials in the order of the ledger.
        end: The last trial of the chain.
    """
    end = end if end is not None else best_trial(trials)
    if end is None:
        return []
    position = next((place for place, trial in enumerate(trials) if trial is end), len(trials))
    entries = _entries(trials)
    chain: list[Ancestor] = []
    trial: Trial | None = end
    while trial is not None:
        parents = trial.parent_hashes or _first_parents(trial, position, trials, entries)
        before = entries.get(parents[0], position) if parents else position
        is_known = before < position
        chain.append(Ancestor(trial, tuple(parents[1:]), parents[0] if parents and not is_known else None))
        trial, position = (trials[before], before) if is_known else (None, 0)
    return chain[::-1]


def _entries(trials: Sequence[Trial]) -> dict[str, int]:
    """Returns each program's position: its first accepted trial, else its first with a score, else its first."""
    positions: dict[str, int] = {}
    for position, trial in enumerate(trials):
        known = positions.get(trial.program_hash)
        if known is None or _rank(trial) > _rank(trials[known]):
            positions[trial.program_hash] = position
    return positions


def _rank(trial: Trial) -> int:
    return 2 if trial.accepted else 1 if trial.returns else 0


def _first_parents(trial: Trial, position: int, trials: Sequence[Trial], entries: dict[str, int]) -> tuple[str, ...]:
    """Returns the parents of the program's first trial: a program that is evaluated again names none."""
    place = entries.get(trial.program_hash, position)
    return trials[place].parent_hashes if place < position else ()
