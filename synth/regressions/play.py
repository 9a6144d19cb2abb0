"""Playing cases: those that are alike, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hl_dsl.synth.regressions.case import EpisodeCase
from hl_dsl.synth.rollouts.candidate_batch import Episode


@dataclass(frozen=True)
class CaseSettings:
    """What episodes that are played in one batch have in common."""

    protocol: str
    max_steps: int | None
    dry_steps: int | None


def batches(cases: Sequence[EpisodeCase]) -> Iterator[tuple[CaseSettings, list[EpisodeCase], list[int]]]:
    """Cases by setting, in the order in which they come first, with the seeds that their episodes need."""
    found: dict[CaseSettings, list[EpisodeCase]] = {}
    for case in cases:
        found.setdefault(CaseSettings(case.protocol, case.limit, case.dry_steps), []).append(case)
    for setting, every in found.items():
        yield setting, every, sorted({case.seed for case in every})


def episode_of(case: EpisodeCase, episodes: Sequence[Episode]) -> Episode:
    """The episode, of those of its batch, that a case speaks of."""
    return next(one for one in episodes if one.seed == case.seed)
