"""Playing cases: those that are alike, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.case import EpisodeCase
from hl_dsl.synth.rollouts.candidate_batch import Episode


@dataclass(frozen=True)
class CaseSettings:
    """What episodes that are played in one batch have in common."""

    protocol: str
    max_steps: int | None
    no_reward_steps: int | None

    def episodes(self, seeds: Sequence[int]) -> EpisodeSettings:
        """The settings of a batch on these seeds."""
        return EpisodeSettings(self.protocol, tuple(seeds), self.max_steps, self.no_reward_steps)


def batches(cases: Sequence[EpisodeCase]) -> Iterator[tuple[CaseSettings, list[EpisodeCase], list[int]]]:
    """Cases by setting, in the order in which they come first, with the seeds that their episodes need."""
    found: dict[CaseSettings, list[EpisodeCase]] = {}
    for case in cases:
        found.setdefault(CaseSettings(case.protocol, case.limit, case.no_reward_steps), []).append(case)
    for setting, every in found.items():
        yield setting, every, sorted({case.seed for case in every})


def episode_of(case: EpisodeCase, episodes: Sequence[Episode]) -> Episode:
    """The episode, of those of its batch, that a case speaks of."""
    return next(one for one in episodes if one.seed == case.seed)
