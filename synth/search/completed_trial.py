"""Completed trials: a trial with its program and its episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.runs.trial import Trial

BUDGET_SPENT = "the budget was spent before its episode ended"
"""Reason of a trial that the budget cut."""


def mean_return(returns: Sequence[float]) -> float:
    """The mean of returns."""
    return sum(returns) / len(returns)


@dataclass(frozen=True)
class CompletedTrial:
    """A trial, its program and its episodes.

    Attributes:
        trial: The trial.
        operator: The kind of change that the proposal was made by.
        checked: The program; None if the check rejected it.
        recordings: Its episodes by seed and, for golden cases, by `recording_key`.
        statuses: How they ended, by the same keys.
    """

    trial: Trial
    operator: str
    checked: CheckedCandidate | None
    recordings: Mapping[int | str, Recording]
    statuses: Mapping[int | str, EpisodeStatus]

    @property
    def index(self) -> int:
        """Number of the trial in its study."""
        return self.trial.index or 0
