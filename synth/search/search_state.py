"""State of a study: a function of its recorded trials, so that a ledger is enough to resume from."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.synth.candidates.archive import Archive, ScoredParameters, Structure
from hl_dsl.synth.candidates.behaviour import behaviour
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject
from hl_dsl.synth.proposers.local.forecasting import forecasts
from hl_dsl.synth.proposers.local.sampled_ticks import sampled_columns
from hl_dsl.synth.proposers.local.signal_scales import usual_sizes
from hl_dsl.synth.regressions.gate import first_failed_case, recording_key
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_cache import EpisodeCache
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.pruning import margin
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.search.completed_trial import BUDGET_SPENT, CompletedTrial, mean_return

_RECENT = 64  # trials that a proposer's prompt can mention


@dataclass
class StudyState:
    """The state of a study.

    Attributes:
        card: Card of the environment.
        seeds: The development seeds in use; only the first if the initial program's episodes are all the same.
        quick_seeds: Number of quick seeds.
        no_reward_steps: Steps without reward after which an episode ends; None: no such limit.
        score: A trial's score from its returns over the seeds in use.
        archives_accepted_only: Whether only accepted trials enter the archive.
        refused_start: Why the initial program was rejected; None if it was not.
        has_failed_start: Whether the evaluation of the initial program failed.
        idle_generations: Generations in a row without an environment step.
        operator_stats: By operator, the numbers of candidates evaluated and accepted.
    """

    card: Card
    seeds: tuple[int, ...]
    quick_seeds: int
    no_reward_steps: int | None
    score: Callable[[Sequence[float]], float] = mean_return
    archives_accepted_only: bool = False
    gates: Gates = field(init=False)
    archive: Archive = field(default_factory=Archive, init=False)
    cache: EpisodeCache = field(default_factory=EpisodeCache, init=False)
    next_index: int = field(default=0, init=False)
    next_generation: int = field(default=0, init=False)
    steps_spent: int = field(default=0, init=False)
    stopped_at: Counter[Gate] = field(default_factory=Counter, init=False)
    operator_stats: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    idle_generations: int = field(default=0, init=False)
    refused_start: str | None = field(default=None, init=False)
    has_failed_start: bool = field(default=False, init=False)
    recent: deque[Trial] = field(default_factory=lambda: deque(maxlen=_RECENT), init=False)

    def __post_init__(self) -> None:
        """Makes the gates."""
        self.gates = Gates(self.card)
        self._results: dict[tuple[int, int | str], tuple[float, EpisodeStatus]] = {}
        self._cases: dict[int, Mapping[str, Mapping[str, Any]]] = {}
        self._recordings: dict[int, Mapping[int | str, Recording]] = {}
        self._subjects: dict[str, tuple[str, Subject]] = {}

    def settle(self, trials: Sequence[CompletedTrial]) -> None:
        """Adds the trials of a whole generation, in the order of their numbers."""
        self.next_generation += 1
        evaluated = 0
        for completed in trials:
            trial, index = completed.trial, completed.index
            self.next_index = max(self.next_index, index + 1)
            self.steps_spent += trial.environment_steps
            self.stopped_at[trial.gate] += 1
            if trial.program_hash:
                self.gates.remember(trial.program_hash, index)
            if trial.environment_steps:
                evaluated += 1
                tried, accepted = self.operator_stats.get(completed.operator, (0, 0))
                self.operator_stats[completed.operator] = (tried + 1, accepted + trial.accepted)
            self._add(completed)
            self.recent.append(trial)
            if index == 0:
                self._note_start(completed)
        self.idle_generations = 0 if evaluated else self.idle_generations + 1

    def _note_start(self, completed: CompletedTrial) -> None:
        trial, recordings = completed.trial, list(completed.recordings.values())
        if trial.distinct_trajectories == 1 and recordings and _are_equal(recordings):
            self.seeds = self.seeds[:1]  # one trajectory: one seed represents all
        if BUDGET_SPENT in trial.reason:
            return
        self.has_failed_start = not trial.accepted and trial.gate is not Gate.REGRESSION
        self.refused_start = trial.reason if trial.gate is Gate.REGRESSION else None

    def _add(self, completed: CompletedTrial) -> None:
        trial, index = completed.trial, completed.index
        values: dict[int | str, float] = dict(zip(trial.seeds, trial.returns))
        self._cases[index] = trial.cases
        if completed.recordings:
            is_whole = all(status is EpisodeStatus.FINISHED for status in completed.statuses.values())
            quick = trial.returns[: self.quick_seeds]
            self.archive.record_result(
                index, len(trial.seeds), trial.mean if is_whole else None, mean_return(quick) if is_whole else None
            )
        for seed, recording in completed.recordings.items():
            if completed.statuses[seed] is not EpisodeStatus.CUT:
                self.cache.add(seed, index, recording)
                self._results[index, seed] = (values.get(seed, 0.0), completed.statuses[seed])
        is_archived = trial.accepted if self.archives_accepted_only else trial.gate is not Gate.REGRESSION
        if is_archived and trial.returns and completed.checked is not None and set(self.seeds) <= set(trial.seeds):
            first = completed.recordings.get(self.seeds[0])
            self.archive.add(
                ScoredParameters(index, dict(trial.parameters), self.score([values[seed] for seed in self.seeds])),
                completed.checked,
                None if first is None else behaviour(first),
            )
            self._recordings[index] = completed.recordings

    # for proposers

    def cached_rejection(self, candidate: CheckedCandidate) -> Rejection | None:
        """A rejection if the candidate's episodes are known.

        That is so if they are known on all seeds, or on one where an equal episode was pruned.
        """
        first, values, failing = None, [], None
        for seed in self.seeds:
            trial = self._equal_trial(candidate, seed)
            if trial is None:
                return None
            value, status = self._results[trial, seed]
            if status is not EpisodeStatus.FINISHED:
                reason = f"acts as trial {trial}, which was clearly worse"
                return Rejection(Gate.DUPLICATE, reason, candidate.hash, trial)
            first = trial if first is None else first
            if failing is None and first_failed_case(self._cases[trial]) is not None:
                failing = trial
            values.append(value)
        if failing is not None:
            return self._case_rejection(candidate, failing)
        reason = f"acts as trial {first}: {mean_return(values):g}"
        return Rejection(Gate.DUPLICATE, reason, candidate.hash, first)

    def _equal_trial(self, candidate: CheckedCandidate, key: int | str) -> int | None:
        """The trial whose episode the candidate would repeat; `key` is a seed or the `recording_key` of a case."""
        trial = self.cache.find(candidate.flow, key)
        return trial if isinstance(trial, int) else None

    def _case_rejection(self, candidate: CheckedCandidate, trial: int) -> Rejection | None:
        """A rejection if a candidate fails the golden case that a trial failed.

        The candidate acts as the trial on all seeds.
        """
        case = first_failed_case(self._cases[trial])
        if case is None:
            return None
        known = self._equal_trial(candidate, recording_key(case))
        if known is None or self._cases[known][case]["passed"] is not False:
            return None
        return Rejection(Gate.DUPLICATE, f"acts as trial {trial}, which broke case {case}", candidate.hash, trial)

    def is_case_passed(self, candidate: CheckedCandidate, case: str) -> bool:
        """Whether the candidate's episode of a golden case is known to pass it."""
        trial = self._equal_trial(candidate, recording_key(case))
        return trial is not None and self._cases[trial][case]["passed"] is True

    def cached_returns(self, candidate: CheckedCandidate) -> list[tuple[int, float, int]] | None:
        """(seed, return, length) on every seed in use, if all of the candidate's episodes are known and finished."""
        rows = []
        for seed in self.seeds:
            trial = self._equal_trial(candidate, seed)
            if trial is None or self._results[trial, seed][1] is not EpisodeStatus.FINISHED:
                return None
            rows.append((seed, self._results[trial, seed][0], self.cache.length(seed, trial)))
        return rows

    def subject(self, structure: Structure) -> Subject:
        """The best version of a structure with sampled steps of its episode on the first seed, for mutations."""
        known = self._subjects.get(structure.key)
        program_hash = structure.checked.hash
        if known is None or known[0] != program_hash:
            program = structure.checked.program
            recordings = self._recordings.get(structure.best.trial, {})
            recording = recordings.get(self.seeds[0])
            known = self._subjects[structure.key] = (
                program_hash,
                Subject(
                    program,
                    sampled_columns(program, recording) if recording is not None and len(recording) else None,
                    self._reward_gaps(structure),
                    tuple if recording is None else partial(forecasts, program, recording),
                    partial(usual_sizes, program.card, list(recordings.values())),
                ),
            )
        return known[1]

    def episodes(self, structure: Structure) -> dict[int, tuple[float, Recording]]:
        """Returns and recorded episodes of the structure's best version, by seed."""
        recordings = self._recordings.get(structure.best.trial, {})
        return {
            seed: (self._results[structure.best.trial, seed][0], recording)
            for seed, recording in recordings.items()
            if isinstance(seed, int) and (structure.best.trial, seed) in self._results
        }

    def ended_without_reward(self, structure: Structure) -> bool:
        """Whether the structure's best episode on the first seed ended because no reward occurred."""
        recording = self._recordings.get(structure.best.trial, {}).get(self.seeds[0])
        limit = self.no_reward_steps
        if recording is None or limit is None or len(recording) < limit:
            return False
        return not recording.shown["reward"][1 - limit :].any()

    def _reward_gaps(self, structure: Structure) -> tuple[int, int] | None:
        """The longest wait for a reward before the one that ended the episode, and that one, in steps."""
        if self.no_reward_steps is None or not self.ended_without_reward(structure):
            return None
        rewarded = np.flatnonzero(self._recordings[structure.best.trial][self.seeds[0]].shown["reward"])
        waits = np.diff(rewarded, prepend=0)
        return int(waits.max(initial=0)), self.no_reward_steps

    # for selection

    def curve(self, seed: int) -> np.ndarray | None:
        """The best program's returns so far on a seed, (T + 1,); None before there is one."""
        best = self.archive.best
        recordings = None if best is None else self._recordings.get(best.best.trial)
        if best is None or not recordings or seed not in recordings:
            return None
        shown = recordings[seed].returns_so_far
        result = self._results.get((best.best.trial, seed))
        value = result[0] if result is not None else shown[-1] if len(shown) else 0.0
        return np.append(shown, value)

    @property
    def longest(self) -> int:
        """Steps of the longest of the best program's episodes; 1 before there is one."""
        curves = [self.curve(seed) for seed in self.seeds]
        return max((len(curve) for curve in curves if curve is not None), default=1)

    def ordered_seeds(self) -> tuple[int, ...]:
        """The seeds in the order of evaluation; each rotation starts with other quick seeds."""
        first = self.archive.seed_rotation * self.quick_seeds % len(self.seeds)
        return self.seeds[first:] + self.seeds[:first]

    def best_returns(self, seeds: Sequence[int]) -> list[float] | None:
        """The best program's returns on these seeds; None before there is one."""
        best = self.archive.best
        return None if best is None else [self._results[best.best.trial, seed][0] for seed in seeds]

    def floor(self, seeds: Sequence[int]) -> float | None:
        """Least mean return on the quick seeds with which a candidate is evaluated on more seeds.

        It is half way from the initial program to the best one, and no further below the best than chance explains.
        """
        best, first = self.archive.best, self._first_trial()
        returns = self.best_returns(self.seeds)
        if best is None or first is None or returns is None:
            return None
        start, current = (
            mean_return([self._results[trial, seed][0] for seed in seeds]) for trial in (first, best.best.trial)
        )
        return max((start + current) / 2, current - margin(returns, len(seeds)))

    def _first_trial(self) -> int | None:
        structures = self.archive.structures.values()
        return min((sample.trial for structure in structures for sample in structure.samples), default=None)


def _are_equal(recordings: Sequence[Recording]) -> bool:
    """Whether the episodes showed the same at every step. Equal actions and rewards alone may be a constant's."""
    first = recordings[0]
    return all(
        len(recording) == len(first)
        and all(np.array_equal(recording.shown[name], values) for name, values in first.shown.items())
        for recording in recordings[1:]
    )
