"""Selection rules: candidates that are evaluated on more seeds, tested on golden cases, or accepted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hl_dsl.synth.candidates.proposer import Candidate
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.pruning import clearly_worse, rungs
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.search.search_state import StudyState
from hl_dsl.synth.workers.limits import EvaluatorFailed


@dataclass
class CandidateResult:
    """Results of one candidate of a generation.

    Attributes:
        candidate: The candidate.
        episodes: Its episodes so far, in the order of the rungs.
        recorded: Its trial, if the ledger holds it already; it is not evaluated again.
        failure: How its evaluation failed.
        is_pruned: Whether the selection rule dropped it before it was evaluated on all seeds.
        are_cases_known: Whether it was tested on the golden cases (or there are none).
        broken_case: Why it fails the golden cases.
    """

    candidate: Candidate
    episodes: list[Episode] = field(default_factory=list)
    recorded: Trial | None = None
    failure: EvaluatorFailed | None = None
    is_pruned: bool = False
    are_cases_known: bool = False
    broken_case: str | None = None

    @property
    def index(self) -> int:
        """Number of the candidate's trial."""
        return self.candidate.index

    @property
    def is_cut(self) -> bool:
        """Whether an episode was cut by the budget, the clock or an interrupt."""
        return any(episode.status == EpisodeStatus.CUT for episode in self.episodes)

    @property
    def returns(self) -> dict[int, float]:
        """Returns of the finished episodes, by seed."""
        if self.recorded is not None:
            return dict(zip(self.recorded.seeds, self.recorded.returns))
        return {episode.seed: episode.value for episode in self.episodes if episode.status == EpisodeStatus.FINISHED}


class SelectionRule(ABC):
    """Decisions about the candidates of one generation. They depend on the state at its start and on its results."""

    max_steps: int | None = None
    """Steps after which the generation's episodes end; None: the study's own limit."""

    withheld_steps: int = 0
    """Environment steps of the budget that this generation may not spend."""

    trial_options: Mapping[str, Any] = {}
    """Further options that the generation's trials record."""

    @abstractmethod
    def rungs(self) -> list[tuple[int, ...]]:
        """Seeds of each rung, in order."""

    @abstractmethod
    def survivors(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """Candidates that are evaluated on the next rung, of those that were evaluated on the last one."""

    @abstractmethod
    def contenders(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """Candidates to be tested on the golden cases next; none if all verdicts are known."""

    @abstractmethod
    def verdict(self, result: CandidateResult) -> tuple[Gate, str]:
        """Gate and reason of a candidate whose evaluation did not fail and was not cut."""

    @abstractmethod
    def is_decided(self, result: CandidateResult) -> bool:
        """Whether the verdict would be the same if the generation were not interrupted now."""

    def curve(self, seed: int) -> np.ndarray | None:
        """The incumbent's returns so far on a seed, (T,), for pruning within an episode; None: no pruning."""
        return None


class ArchiveSelection(SelectionRule):
    """Selection of a program search.

    Every candidate is compared with the archive as it was when the generation started. On the quick seeds it must reach
    the floor, on later rungs it must not be clearly worse than the incumbent. It is accepted if it is the best
    version of its structure and enters the elites.
    """

    def __init__(self, state: StudyState):
        self._state = state
        self._seeds = state.ordered_seeds()
        self._floor = state.floor(self._seeds[: state.quick_seeds])

    def rungs(self) -> list[tuple[int, ...]]:
        """All seeds at once for the first program; else the quick seeds first."""
        return rungs(self._seeds, self._state.quick_seeds) if self._state.archive.best is not None else [self._seeds]

    def survivors(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """Candidates that are neither below the floor nor clearly worse than the incumbent."""
        return [result for result in results if self._survives(result)]

    def _survives(self, result: CandidateResult) -> bool:
        if result.recorded is not None or result.candidate.brief:
            return False
        if any(episode.status != EpisodeStatus.FINISHED for episode in result.episodes):
            return False
        returns = [episode.value for episode in result.episodes]
        if len(returns) <= self._state.quick_seeds:
            return self._floor is None or sum(returns) / len(returns) >= self._floor
        best = self._state.best_returns([episode.seed for episode in result.episodes])
        return best is None or not clearly_worse(returns, best)

    def contenders(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """All that would be accepted."""
        return [
            result
            for result in results
            if result.recorded is None
            and result.failure is None
            and not result.are_cases_known
            and self._would_accept(result)
        ]

    def _would_accept(self, result: CandidateResult) -> bool:
        finished = [episode.value for episode in result.episodes if episode.status == EpisodeStatus.FINISHED]
        if len(finished) < max(len(self._state.seeds), len(result.episodes)):
            return False
        return self._state.archive.would_accept(result.candidate.checked.structure, sum(finished) / len(finished))

    def is_decided(self, result: CandidateResult) -> bool:
        """A candidate that was evaluated on all seeds and, if it would be accepted, on all cases."""
        if result.failure is not None or result.is_cut or len(result.episodes) < len(self._state.seeds):
            return False
        return result.are_cases_known or result.broken_case is not None or not self._would_accept(result)

    def verdict(self, result: CandidateResult) -> tuple[Gate, str]:
        """The gate at which the candidate stopped, and the reason."""
        state, episodes = self._state, result.episodes
        if any(episode.status == EpisodeStatus.PRUNED for episode in episodes):
            return Gate.PRUNED, "return far below the best program's at the same step"
        score = sum(episode.value for episode in episodes) / len(episodes)
        if len(episodes) < len(state.seeds):
            if result.candidate.brief:
                return (
                    Gate.QUICK_SEEDS,
                    f"{score:g} on the quick seeds; only the mean of the CMA-ES population is evaluated on all seeds",
                )
            if len(episodes) <= state.quick_seeds:
                return Gate.PRUNED, f"{score:g} on the quick seeds is clearly worse than the best"
            return Gate.PRUNED, f"{score:g} on {len(episodes)} seeds is clearly worse than the best program there"
        if self._would_accept(result):
            return (Gate.ACCEPTED, "") if result.broken_case is None else (Gate.REGRESSION, result.broken_case)
        return Gate.ALL_SEEDS, f"{score:g} is not better than the best program"

    def curve(self, seed: int) -> np.ndarray | None:
        """The incumbent's returns so far on a seed."""
        return self._state.curve(seed)
