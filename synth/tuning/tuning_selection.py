"""Selection rule of a tuning: a race over seeds, and at most one accepted sample a generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.pruning import rungs
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.search.selection import CandidateResult, SelectionRule
from hl_dsl.synth.tuning.fitness import Fitness

RACE_SEEDS = 2  # seeds of the first rung of a race


@dataclass(frozen=True)
class Batch:
    """Common properties of the samples of a generation.

    Attributes:
        max_steps: Steps after which their episodes end, in a phase of short episodes; nothing is accepted in one.
        eligible: Numbers of the samples that may be accepted.
        withheld_steps: Environment steps of the budget that are kept for whole episodes.
    """

    max_steps: int | None = None
    eligible: frozenset[int] = frozenset({0})
    withheld_steps: int = 0


class TuningSelection(SelectionRule):
    """Selection of one generation of a tuning.

    Args:
        batch: What its samples have in common.
        fitness: What is maximized over the seeds.
        seeds: Development seeds.
        race: Whether only the better half of a generation is evaluated on the next rung of seeds.
        incumbent: Fitness of the best accepted sample; None before there is one.
    """

    def __init__(self, batch: Batch, fitness: Fitness, seeds: Sequence[int], race: bool, incumbent: float | None):
        self._batch, self._fitness, self._seeds, self._race = batch, fitness, tuple(seeds), race
        self._incumbent = incumbent
        self._played: tuple[int, ...] = ()
        self._rung = 0
        self._winner: CandidateResult | None = None
        self.max_steps, self.withheld_steps = batch.max_steps, batch.withheld_steps
        self.trial_options = {"fitness": fitness.text, "short": batch.max_steps}

    def rungs(self) -> list[tuple[int, ...]]:
        """All seeds at once; in a race 2 seeds first, then four times as many in all, and so on."""
        return rungs(self._seeds, RACE_SEEDS) if self._race else [self._seeds]

    def survivors(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """The better half by fitness on the seeds of this rung; of equals, the earlier ones."""
        self._played += self.rungs()[self._rung]
        self._rung += 1
        whole = [result for result in results if set(self._played) <= set(result.returns)]
        if len(self._played) == len(self._seeds) or len(whole) < 2:
            return whole
        ranked = sorted(whole, key=lambda result: (-self._score(result, self._played), result.index))
        kept = ranked[: (len(ranked) + 1) // 2]
        for result in ranked[len(kept) :]:
            result.is_pruned = True
        return sorted(kept, key=lambda result: result.index)

    def contenders(self, results: Sequence[CandidateResult]) -> list[CandidateResult]:
        """The best eligible sample that is better than the incumbent and not known to fail a golden case."""
        self._winner = None
        if self._batch.max_steps is not None:
            return []
        for result in sorted(filter(self._may_win, results), key=lambda result: (-self._score(result), result.index)):
            if result.recorded is not None and result.recorded.gate is Gate.REGRESSION:
                continue
            if result.recorded is None and not result.are_cases_known:
                return [result]
            if result.broken_case is None:
                self._winner = result
                return []
        return []

    def _may_win(self, result: CandidateResult) -> bool:
        if result.index not in self._batch.eligible or result.failure is not None or not self._is_whole(result):
            return False
        return self._incumbent is None or self._score(result) > self._incumbent

    def _is_whole(self, result: CandidateResult) -> bool:
        return not result.is_pruned and set(self._seeds) <= set(result.returns)

    def _score(self, result: CandidateResult, seeds: Sequence[int] | None = None) -> float:
        returns = result.returns
        return self._fitness([returns[seed] for seed in seeds or self._seeds if seed in returns])

    def is_decided(self, result: CandidateResult) -> bool:
        """A sample is compared with the whole generation, so an interrupted generation decides nothing."""
        return False

    def verdict(self, result: CandidateResult) -> tuple[Gate, str]:
        """The gate at which the sample stopped, and the reason."""
        if result.is_pruned or any(episode.status != EpisodeStatus.FINISHED for episode in result.episodes):
            return (
                Gate.PRUNED,
                f"{self._score(result):g} on {len(result.returns)} seeds: not in the better half of its generation",
            )
        if self._batch.max_steps is not None:
            return Gate.QUICK_SEEDS, f"in episodes of at most {self._batch.max_steps} steps"
        if result is self._winner:
            return Gate.ACCEPTED, ""
        if result.broken_case is not None:
            return Gate.REGRESSION, result.broken_case
        if result.index not in self._batch.eligible:
            return Gate.ALL_SEEDS, "a sample: only a center is accepted"
        return Gate.ALL_SEEDS, "not better than the best so far"
