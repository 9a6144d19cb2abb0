"""Batches of episode cases: cases with equal settings are evaluated together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hl_dsl.cases.records import EpisodeCase
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.candidate_batch import Episode


def settings_of(case: EpisodeCase) -> EpisodeSettings:
    """Returns the settings of a case's episode."""
    return EpisodeSettings(case.protocol, (case.seed,), case.last_step, case.no_reward_steps)


def batches(cases: Sequence[EpisodeCase]) -> Iterator[tuple[EpisodeSettings, list[EpisodeCase]]]:
    """Groups cases by their settings, in the order of first occurrence.

    Yields:
        Settings with the seeds of all cases of the group, and the cases.
    """
    groups: dict[EpisodeSettings, list[EpisodeCase]] = {}
    for case in cases:
        groups.setdefault(settings_of(case).with_seeds(()), []).append(case)
    for settings, group in groups.items():
        yield settings.with_seeds(sorted({case.seed for case in group})), group


def episode_of(case: EpisodeCase, episodes: Sequence[Episode]) -> Episode:
    """Returns the episode of a case from the episodes of its batch."""
    return next(episode for episode in episodes if episode.seed == case.seed)
