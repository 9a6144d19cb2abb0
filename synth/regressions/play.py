"""Playing cases: those that are alike, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Sequence

from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.regressions.case import Played


@dataclass(frozen=True)
class Setting:
    """What episodes that are played in one batch have in common."""

    protocol: str
    max_steps: int | None
    dry_steps: int | None


def batches(cases: Sequence[Played]) -> Iterator[tuple[Setting, list[Played], list[int]]]:
    """Cases by setting, in the order in which they come first, with the seeds that their episodes need."""
    found: dict[Setting, list[Played]] = {}
    for case in cases:
        found.setdefault(Setting(case.protocol, case.limit, case.dry_steps), []).append(case)
    for setting, every in found.items():
        yield setting, every, sorted({case.seed for case in every})


def episode_of(case: Played, episodes: Sequence[Episode]) -> Episode:
    """The episode, of those of its batch, that a case speaks of."""
    return next(one for one in episodes if one.seed == case.seed)
