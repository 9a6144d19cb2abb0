"""One generation: its candidates are evaluated side by side, selected, and recorded as trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.cases.records import StoredCase
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.rollouts.candidate_batch import BatchResult, play
from hl_dsl.synth.rollouts.episode import RecordingDetail
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.interrupts import DeferredInterrupt, defer_interrupts
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.search.completed_trial import BUDGET_SPENT, CompletedTrial
from hl_dsl.synth.search.search_record import StudyRecord
from hl_dsl.synth.search.selection import CandidateResult, SelectionRule
from hl_dsl.synth.search.trial_maker import TrialMaker, Usage
from hl_dsl.synth.workers.limits import EvaluatorFailed

MOST_LANES = 256  # in one batch: a MuJoCo robot takes up to 25 MB of a worker's address space
_LOST_TO_INTERRUPT = "steps of episodes that an interrupt cut"
_LOST_TO_FAILURE = "steps of programs whose evaluator failed, and did not when each was evaluated alone"


class StudyInterrupted(Exception):
    """A generation was cut by an interrupt or by the clock. What is decided is recorded."""


@dataclass(frozen=True)
class GenerationServices:
    """Services that all generations of a study are evaluated with.

    Attributes:
        card: Card of the environment.
        episodes: Protocol and limits of the episodes.
        cases: Golden cases that an accepted program passes.
        resources: What batches are evaluated on.
        budget: Budget of the study.
        record: Where trials are recorded.
        trials: Makes the trials.
        report_steps: Called with the environment steps of the generation so far.
        detail: What is recorded of the episodes.
        play: Evaluates a batch; see `candidate_batch.play`.
    """

    card: Card
    episodes: EpisodeSettings
    cases: tuple[StoredCase, ...]
    resources: Resources
    budget: Budget
    record: StudyRecord
    trials: TrialMaker
    report_steps: Callable[[int], None]
    detail: RecordingDetail = RecordingDetail.STEPS
    play: Callable[..., BatchResult] | None = None


class GenerationRun:
    """The evaluation of one generation.

    Args:
        services: What all generations of the study are evaluated with.
        selection: Decides who is evaluated on more seeds, and who is accepted.
        results: One for each candidate; those with a recorded trial are not evaluated again.
        steps_before: Environment steps of the generation that are recorded already.
    """

    def __init__(
        self,
        services: GenerationServices,
        selection: SelectionRule,
        results: Sequence[CandidateResult],
        steps_before: int = 0,
    ):
        self.services, self.selection, self.results, self.steps_before = services, selection, results, steps_before
        self.cases = CaseGate(services.cases, services.card)
        self.usage = Usage({})
        self.failed_batch_steps = 0  # of batches whose evaluator failed, to be charged to the programs that fail alone
        self._interrupts: DeferredInterrupt = DeferredInterrupt()
        for result in results:
            result.are_cases_known = not services.cases

    def run(self) -> dict[int, CompletedTrial]:
        """Evaluates and records the generation.

        Returns:
            The completed trials by number, without those that were recorded before.

        Raises:
            StudyInterrupted: An interrupt, or the end of the time budget. What is decided is recorded.
        """
        with defer_interrupts() as self._interrupts:
            remaining = list(self.results)
            for seeds in self.selection.rungs():
                self._evaluate_rung([result for result in remaining if result.recorded is None], seeds)
                remaining = self.selection.survivors([result for result in remaining if result.failure is None])
            while contenders := self.selection.contenders(self.results):
                self._test_cases(contenders)
            self._interrupts.hold()
            self._charge_failed_batches()
            return self._complete(self.results)

    def _evaluate_rung(self, results: Sequence[CandidateResult], seeds: Sequence[int]) -> None:
        episodes = self.services.episodes
        settings = replace(episodes, max_steps=self.selection.max_steps or episodes.max_steps)
        for batch, played in self._batches(results, settings, seeds, self.selection.curve):
            for result, rows in zip(batch, played.episodes):
                result.episodes += rows
            self._note_usage(played)
            self._stop_if_cut(played)

    def _test_cases(self, contenders: Sequence[CandidateResult]) -> None:
        """Tests candidates on the golden cases until each has passed all, or failed one."""
        waiting = [result for result in contenders if self.cases.replay(result.index, result.candidate.checked.flow)]
        for settings, cases in self.cases.batches():
            for results, played in self._batches(waiting, settings, settings.seeds, lambda seed: None):
                for result, episodes in zip(results, played.episodes, strict=True):
                    self.cases.record_episodes(result.index, cases, episodes)
                self._stop_if_cut(played)
            waiting = [one for one in waiting if one.failure is None and self.cases.passes_so_far(one.index)]
        for result in contenders:
            result.are_cases_known, result.broken_case = True, self.cases.rejection_reason(result.index)

    def _batches(
        self,
        results: Sequence[CandidateResult],
        settings: EpisodeSettings,
        seeds: Sequence[int],
        curve: Callable[[int], np.ndarray | None],
    ) -> Iterator[tuple[Sequence[CandidateResult], BatchResult]]:
        """Batches of as many candidates as fit into memory.

        If a batch fails, each of its candidates is evaluated alone.
        """
        size = max(1, MOST_LANES // max(1, len(seeds)))
        for first in range(0, len(results), size):
            batch = results[first : first + size]
            played = self._played(batch, settings, seeds, curve)
            if played is not None:
                yield batch, played
            elif len(batch) > 1:
                for result in batch:
                    yield from self._batches([result], settings, seeds, curve)

    def _played(
        self,
        results: Sequence[CandidateResult],
        settings: EpisodeSettings,
        seeds: Sequence[int],
        curve: Callable[[int], np.ndarray | None],
    ) -> BatchResult | None:
        """The result of a batch; None if its evaluator failed. A candidate that was alone in it has failed then."""
        services, steps = self.services, self.steps
        try:
            return services.resources.executor.run(
                services.play or play,
                [result.candidate.checked.flow for result in results],
                services.card,
                settings.with_seeds(seeds),
                hooks=ExecutionHooks(
                    before_step=services.record.meter.after(steps),
                    stop=lambda: services.budget.out_of_time,
                    interrupt=self._interrupts,
                    on_progress=lambda more: services.report_steps(steps + more),
                ),
                resources=services.resources,
                curves={seed: curve(seed) for seed in seeds},
                step_budget=self._steps_left(),
                detail=services.detail,
            )
        except EvaluatorFailed as failure:
            if failure.outcome == "interrupted":
                self.failed_batch_steps += failure.steps
                self._stop()
            if len(results) == 1:
                results[0].failure = failure
            else:
                self.failed_batch_steps += failure.steps
            return None

    @property
    def steps(self) -> int:
        """Environment steps of this generation so far, without those before."""
        lengths = sum(episode.length for result in self.results for episode in result.episodes)
        failures = sum(result.failure.steps for result in self.results if result.failure is not None)
        return lengths + failures + self.cases.all_steps() + self.failed_batch_steps

    def _steps_left(self) -> int | None:
        left = self.services.budget.steps_left
        if left is None:
            return None
        return max(0, left - self.selection.withheld_steps - self.steps_before - self.steps)

    def _note_usage(self, played: BatchResult) -> None:
        rollout = played.rollout
        steps = max(1, rollout.env_steps)
        options = {**rollout.options, **self.selection.trial_options}
        self.usage = Usage(options, rollout.cpu_seconds / steps, rollout.wall_seconds / steps)

    # interrupts and failures

    def _stop_if_cut(self, played: BatchResult) -> None:
        is_cut = any(episode.status == EpisodeStatus.CUT for episodes in played.episodes for episode in episodes)
        was_interrupted = played.rollout.interrupted or self._interrupts.was_delivered
        if was_interrupted or is_cut and self.services.budget.out_of_time:
            self._stop()

    def _stop(self) -> None:
        """Records what is decided, and the other steps as lost. Raises StudyInterrupted."""
        for result in self.results:
            outcomes = self.cases.results_json(result.index).values()
            is_cut = any(outcome["passed"] is None for outcome in outcomes)
            if outcomes and not is_cut and not self.cases.is_pending(result.index):
                result.are_cases_known, result.broken_case = True, self.cases.rejection_reason(result.index)
        decided = [result for result in self.results if result.recorded is None and self.selection.is_decided(result)]
        completed = self._complete(decided)
        lost = self.steps - sum(trial.trial.environment_steps for trial in completed.values())
        self.services.record.record_lost_steps(self.services.trials.lost(lost, _LOST_TO_INTERRUPT))
        raise StudyInterrupted

    def _charge_failed_batches(self) -> None:
        """Charges the steps of failed batches to the programs that failed alone.

        If none did, the steps are recorded as lost.
        """
        failed = [(result, result.failure) for result in self.results if result.failure is not None]
        for number, (result, failure) in enumerate(sorted(failed, key=lambda pair: pair[0].index)):
            share = self.failed_batch_steps // (len(failed) - number)
            self.failed_batch_steps -= share
            result.failure = EvaluatorFailed(failure.outcome, failure.reason, failure.steps + share, failure.where)
        if self.failed_batch_steps:
            lost, self.failed_batch_steps = self.failed_batch_steps, 0
            self.services.record.record_lost_steps(self.services.trials.lost(lost, _LOST_TO_FAILURE))

    # trials

    def _complete(self, results: Sequence[CandidateResult]) -> dict[int, CompletedTrial]:
        completed = {}
        for result in results:
            if result.recorded is not None:
                continue
            recordings = {
                episode.seed: episode.recording for episode in result.episodes if episode.recording is not None
            }
            statuses = {episode.seed: episode.status for episode in result.episodes}
            case_recordings, case_statuses = self.cases.recordings(result.index)
            gate, reason = self._verdict(result)
            trial = self.services.trials.evaluated(result, gate, reason, self.usage, self.cases.steps(result.index))
            completed[result.index] = CompletedTrial(
                replace(trial, cases=self.cases.results_json(result.index)),
                result.candidate.operator,
                result.candidate.checked,
                recordings | case_recordings,
                statuses | case_statuses,
            )
        self.services.record.record_trials(list(completed.values()))
        return completed

    def _verdict(self, result: CandidateResult) -> tuple[Gate, str]:
        gate = Gate.QUICK_SEEDS if len(result.episodes) <= len(self.selection.rungs()[0]) else Gate.ALL_SEEDS
        if result.failure is not None:
            return Gate.ALL_SEEDS if result.episodes else Gate.QUICK_SEEDS, result.failure.message
        if result.is_cut:
            return gate, BUDGET_SPENT
        return self.selection.verdict(result)
