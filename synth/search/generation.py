"""Verdicts on what was played: smoke seeds, development seeds, golden cases, accepted or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.candidates.proposer import Candidate, Provenance, Rejected
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.rollouts.candidate_batch import BatchResult, Episode, play
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.interrupts import defer_interrupts
from hl_dsl.synth.rollouts.pruning import clearly_worse, rungs
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, wasted_trial
from hl_dsl.synth.search.search_state import CompletedTrial
from hl_dsl.synth.workers.limits import EvaluatorFailed

if TYPE_CHECKING:
    from hl_dsl.synth.search.search_record import StudyRecord
    from hl_dsl.synth.search.study import Study


class Stopped(Exception):
    """A generation was cut by an interrupt or by the clock. What had finished is recorded."""


class GenerationRunner:
    """Plays candidates and says what became of them. `longest`: the longest of the best program's episodes."""

    def __init__(self, study: Study, record: StudyRecord):
        self.study, self.record = study, record

    @property
    def longest(self) -> int:
        best = self.study.state.archive.best
        curves = [self.study.state.curve(seed) for seed in self.study.state.seeds] if best is not None else []
        return max((len(curve) for curve in curves if curve is not None), default=1)

    def play(self, candidates: Sequence[Candidate], already: int = 0) -> dict[int, CompletedTrial]:
        """The settled trials by number, each recorded. `already`: steps the generation took before an interrupt, on what
        is recorded. Raises Stopped."""
        state = self.study.state
        self.already, self.options, self.cpu_per_step, self.wall_per_step = already, {}, 0.0, 0.0
        self.failures: dict[int, EvaluatorFailed] = {}
        self.wasted = 0  # steps of batches that came to no result
        seeds = state.ordered_seeds()
        floor = state.floor(seeds[: state.smoke])
        self.candidates, episodes = candidates, {one.index: [] for one in candidates}
        self.cases = CaseGate(self.study.cases, self.study.program.card)
        with defer_interrupts() as self.stopping:
            passed = list(candidates)
            for some in rungs(seeds, state.smoke) if state.archive.best is not None else [seeds]:
                if passed:
                    self._stage(passed, some, episodes)
                passed = [
                    one
                    for one in passed
                    if one.index not in self.failures and self._goes_on(one, episodes[one.index], floor)
                ]
            self._regressions(candidates, episodes)
            self.stopping.hold()
            self._charge_waste()
            return self._settle(candidates, episodes)

    def _goes_on(self, one: Candidate, episodes: list[Episode], floor: float | None) -> bool:
        """Whether a candidate is played on more seeds: on the smoke seeds it must reach the floor, later it must not be
        clearly worse than the best. A brief one is not."""
        state = self.study.state
        if any(episode.status != EpisodeStatus.FINISHED for episode in episodes):
            return False
        returns = [episode.value for episode in episodes]
        if one.brief:
            return False
        if len(returns) <= state.smoke:
            return floor is None or sum(returns) / len(returns) >= floor
        best = state.best_returns([episode.seed for episode in episodes])
        return best is None or not clearly_worse(returns, best)

    def _stage(self, candidates: Sequence[Candidate], seeds: Sequence[int], episodes: dict[int, list[Episode]]) -> None:
        study = self.study
        setting = EpisodeSettings(study.protocol, (), study.max_steps, study.no_reward_steps)
        for some, played in self._batches(candidates, setting, seeds, study.state.curve, episodes):
            for one, found in zip(some, played.episodes):
                episodes[one.index] += found
            self._note(played)
            self._stop_where_cut(played, episodes)

    def _regressions(self, candidates: Sequence[Candidate], episodes: dict[int, list[Episode]]) -> None:
        """What would be accepted meets the task's golden cases, until it breaks one."""
        waiting = [
            one
            for one in candidates
            if self.study.cases and self._verdict(one, episodes[one.index])[0] is Gate.ACCEPTED
        ]
        waiting = [one for one in waiting if self.cases.replay(one.index, one.checked.flow)]
        for setting, cases in self.cases.batches():
            seeds = setting.seeds
            for some, played in self._batches(waiting, setting, seeds, lambda seed: None, episodes) if waiting else ():
                for one, every in zip(some, played.episodes, strict=True):
                    self.cases.record_episodes(one.index, cases, every)
                self._stop_where_cut(played, episodes)
            waiting = [one for one in waiting if one.index not in self.failures and self.cases.passes_so_far(one.index)]

    def _batches(
        self,
        candidates: Sequence[Candidate],
        setting: EpisodeSettings,
        seeds: Sequence[int],
        curve: Callable,
        episodes: dict[int, list[Episode]],
    ) -> Iterator[tuple[Sequence[Candidate], BatchResult]]:
        """All of them in one batch; where its evaluator came to no result, each alone. One that fails alone is left out."""
        played = self._played(candidates, setting, seeds, curve, episodes)
        if played is not None:
            yield candidates, played
        elif len(candidates) > 1:
            for one in candidates:
                yield from self._batches([one], setting, seeds, curve, episodes)

    def _played(
        self,
        candidates: Sequence[Candidate],
        setting: EpisodeSettings,
        seeds: Sequence[int],
        curve: Callable,
        episodes: dict[int, list[Episode]],
    ) -> BatchResult | None:
        """None where the evaluator came to no result; one that was alone in it is then judged."""
        study = self.study
        before, left = self._taken(episodes), study.budget.steps_left
        try:
            return study.resources.executor.run(
                study.play or play,
                [one.checked.flow for one in candidates],
                study.program.card,
                setting.with_seeds(seeds),
                hooks=ExecutionHooks(
                    before_step=self.record.meter.after(before),
                    stop=lambda: study.budget.out_of_time,
                    interrupt=self.stopping,
                    on_progress=lambda steps: study.tell_steps(before + steps),
                ),
                resources=study.resources,
                curves={seed: curve(seed) for seed in seeds},
                step_budget=None if left is None else max(0, left - self.already - before),
                pictures=study.pictures,
            )
        except EvaluatorFailed as failure:
            if failure.outcome == "interrupted":
                self.wasted += failure.steps
                self._stop(episodes)
            if len(candidates) == 1:
                self.failures[candidates[0].index] = failure
            else:
                self.wasted += failure.steps
            return None

    def _taken(self, episodes: dict[int, list[Episode]]) -> int:
        """Steps of this generation so far."""
        played = sum(one.length for every in episodes.values() for one in every) + self.cases.all_steps()
        return played + self.wasted + sum(one.steps for one in self.failures.values())

    def _stop_where_cut(self, played: BatchResult, episodes: dict[int, list[Episode]]) -> None:
        cut = any(one.status == EpisodeStatus.CUT for every in played.episodes for one in every)
        if played.rollout.interrupted or self.stopping.was_delivered or cut and self.study.budget.out_of_time:
            self._stop(episodes)

    def _stop(self, episodes: dict[int, list[Episode]]) -> None:
        whole = [one for one in self.candidates if self._is_whole(one, episodes[one.index])]
        self._settle(whole, episodes)
        lost = self._taken(episodes) - self.settled_steps
        self.record.lost(lost, wasted_trial(self.study.settings(), lost, "steps of episodes that an interrupt cut"))
        raise Stopped

    def _charge_waste(self) -> None:
        """What batches wasted is charged to the programs that failed alone; where none did, it is listed as lost."""
        for number, (index, failure) in enumerate(sorted(self.failures.items())):
            share = self.wasted // (len(self.failures) - number)
            self.wasted -= share
            self.failures[index] = EvaluatorFailed(
                failure.outcome, failure.reason, failure.steps + share, failure.where
            )
        if self.wasted:
            self.record.lost(
                self.wasted,
                wasted_trial(
                    self.study.settings(),
                    self.wasted,
                    "steps of programs whose evaluator failed, and did not when each played alone",
                ),
            )
            self.wasted = 0

    def _is_whole(self, one: Candidate, episodes: list[Episode]) -> bool:
        """Whether all is known that the verdict hangs on."""
        if len(episodes) < len(self.study.state.seeds) or any(each.status == EpisodeStatus.CUT for each in episodes):
            return False
        cut = any(kept["passed"] is None for kept in self.cases.results_json(one.index).values())
        return not cut and (
            self._verdict(one, episodes)[0] is not Gate.ACCEPTED or not self.cases.is_pending(one.index)
        )

    def _note(self, played: BatchResult) -> None:
        self.options = played.rollout.options
        steps = max(1, played.rollout.env_steps)
        self.cpu_per_step, self.wall_per_step = played.rollout.cpu_seconds / steps, played.rollout.wall_seconds / steps

    def _settle(self, candidates: Sequence[Candidate], episodes: dict[int, list[Episode]]) -> dict[int, CompletedTrial]:
        settled = {}
        for one in candidates:
            trial = self._trial(one, episodes[one.index])
            kept = {episode.seed: episode.recording for episode in episodes[one.index] if episode.recording is not None}
            statuses = {episode.seed: episode.status for episode in episodes[one.index]}
            of_cases, ended = self.cases.recordings(one.index)
            settled[one.index] = CompletedTrial(
                trial, one.origin, one.checked, {**kept, **of_cases}, {**statuses, **ended}
            )
        self.settled_steps = sum(one.trial.environment_steps for one in settled.values())
        self.record.settle(list(settled.values()))
        return settled

    def _trial(self, one: Candidate, episodes: list[Episode]) -> Trial:
        study = self.study
        finished = [episode for episode in episodes if episode.status == EpisodeStatus.FINISHED]
        failure = self.failures.get(one.index)
        steps = (
            sum(episode.length for episode in episodes)
            + self.cases.steps(one.index)
            + (failure.steps if failure else 0)
        )
        gate, reason = self._verdict(one, episodes)
        return replace(
            _base(one, study),
            gate=gate,
            accepted=gate is Gate.ACCEPTED,
            reason=reason,
            options=self.options if episodes else {},
            seeds=tuple(episode.seed for episode in finished),
            returns=tuple(episode.value for episode in finished),
            lengths=tuple(episode.length for episode in finished),
            distinct_trajectories=len({episode.digest for episode in finished}),
            environment_steps=steps,
            cpu_seconds=steps * self.cpu_per_step,
            wall_seconds=steps * self.wall_per_step,
            proof={"status": one.proof},
            parameters=one.values,
            cases=self.cases.results_json(one.index),
            **EpisodeCounts.total(episode.counts for episode in episodes).trial_fields(one.checked.flow),
        )

    def _verdict(self, one: Candidate, episodes: list[Episode]) -> tuple[Gate, str]:
        """The gate and the reason. They hang on what was known when the generation began, not on its other trials."""
        state = self.study.state
        if one.index in self.failures:
            return Gate.ALL_SEEDS if episodes else Gate.QUICK_SEEDS, self.failures[one.index].message
        stage = Gate.QUICK_SEEDS if len(episodes) <= state.smoke else Gate.ALL_SEEDS
        if any(episode.status == EpisodeStatus.CUT for episode in episodes):
            return stage, "the budget was spent before its episode ended"
        if any(episode.status == EpisodeStatus.PRUNED for episode in episodes):
            return Gate.PRUNED, "return far below the best program's at the same step"
        score = sum(episode.value for episode in episodes) / len(episodes)
        if len(episodes) < len(state.seeds):
            if one.brief:
                return (
                    Gate.QUICK_SEEDS,
                    f"{score:g} on the quick seeds; only the mean of the CMA-ES population is played on all seeds",
                )
            if len(episodes) <= state.smoke:
                return Gate.PRUNED, f"{score:g} on the quick seeds is clearly worse than the best"
            return Gate.PRUNED, f"{score:g} on {len(episodes)} seeds is clearly worse than the best program there"
        if state.archive.would_accept(one.checked.structure, score):
            reason = self.cases.rejection_reason(one.index)
            return (Gate.ACCEPTED, "") if reason is None else (Gate.REGRESSION, reason)
        return Gate.ALL_SEEDS, f"{score:g} is not better than the best program"


def _base(one: Candidate | Rejected, study: Study) -> Trial:
    checked = one.checked
    program = None if checked is None else checked.program
    origin = one.provenance or Provenance("local" if "," in study.proposer_name else study.proposer_name)
    return Trial(
        kind=TrialKind.SEARCH,
        program_name=study.program.name if program is None else program.name,
        program_hash="" if program is None else program.hash,
        program=one.text
        if type(one) is Rejected
        else program.source.text
        if one.index == 0 and program.source.text
        else program.text,
        parent_hashes=one.parents,
        proposer=origin.proposer,
        change=one.change,
        environment=study.program.card.environment,
        protocol=study.protocol,
        run_seed=study.seed,
        index=one.index,
        model=origin.model,
        tokens=origin.tokens,
        cost=origin.cost,
    )


def rejected_trial(one: Rejected, study: Study) -> Trial:
    """The record of a proposal that stopped in front of the environment."""
    return replace(_base(one, study), gate=one.rejection.gate, reason=one.rejection.reason)


def simplified_trial(
    study: Study, best: Structure, smaller: CheckedCandidate, known: list[tuple[int, float, int]]
) -> Trial:
    """The record of a smaller program that plays the best one's episodes; they were recalled, so it cost nothing."""
    program = smaller.program
    return Trial(
        kind=TrialKind.SIMPLIFY,
        program_name=program.name,
        program_hash=program.hash,
        program=program.text,
        parent_hashes=(best.checked.program.hash,),
        proposer="simplify",
        change=f"{len(best.checked.flow.nodes) - len(smaller.flow.nodes)} nodes left out",
        gate=Gate.ACCEPTED,
        accepted=True,
        reason=f"acts as trial {best.best.trial}",
        environment=study.program.card.environment,
        protocol=study.protocol,
        seeds=tuple(seed for seed, _, _ in known),
        returns=tuple(value for _, value, _ in known),
        lengths=tuple(length for _, _, length in known),
        parameters=values_of(smaller.flow),
        run_seed=study.seed,
    )
