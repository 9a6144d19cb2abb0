"""What a study knows, as a function of its trials alone, so that a ledger is enough to go on from."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
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

from hl_dsl.cards import Card

BUDGET_SPENT = "the budget was spent before its episode ended"
_RECENT = 64  # trials; what a proposer that reads can be told of


def mean_return(returns: Sequence[float]) -> float:
    """The mean of returns."""
    return sum(returns) / len(returns)


@dataclass(frozen=True)
class CompletedTrial:
    """A trial with the program it was about (None where it stopped at the check) and the episodes it played, by seed and,
    for golden cases, by `recording_key`. `origin` names the kind of change."""

    trial: Trial
    origin: str
    checked: CheckedCandidate | None
    recordings: Mapping[int | str, Recording]
    statuses: Mapping[int | str, EpisodeStatus]


@dataclass
class StudyState:
    """The state of a study.

    Attributes:
        card: Card of the environment.
        seeds: The development seeds still in use.
        smoke: Number of quick seeds.
        no_reward_steps: Steps without reward after which an episode ends; None: no such limit.
        score: A trial's score from its returns over the seeds in use.
        archives_accepted_only: Whether only accepted trials enter the archive.
    """

    card: Card
    seeds: tuple[int, ...]
    smoke: int
    no_reward_steps: int | None
    score: Callable[[Sequence[float]], float] = mean_return
    archives_accepted_only: bool = False
    gates: Gates = field(init=False)
    archive: Archive = field(default_factory=Archive, init=False)
    recall: EpisodeCache = field(default_factory=EpisodeCache, init=False)
    next_index: int = field(default=0, init=False)
    next_generation: int = field(default=0, init=False)
    steps_spent: int = field(default=0, init=False)
    stopped_at: Counter = field(default_factory=Counter, init=False)
    credit: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    idle_generations: int = field(default=0, init=False)
    refused_start: str | None = field(default=None, init=False)
    has_failed_start: bool = field(default=False, init=False)
    recent: deque[Trial] = field(default_factory=lambda: deque(maxlen=_RECENT), init=False)

    def __post_init__(self):
        self.gates = Gates(self.card)
        self._results: dict[tuple[int, int | str], tuple[float, EpisodeStatus]] = {}
        self._cases: dict[int, Mapping[str, Mapping]] = {}
        self._recordings: dict[int, Mapping[int | str, Recording]] = {}
        self._subjects: dict[str, tuple[str, Subject]] = {}

    def settle(self, settled: Sequence[CompletedTrial]) -> None:
        """Takes in the trials of a whole generation, in the order of their numbers."""
        self.next_generation += 1
        played = 0
        for one in settled:
            trial = one.trial
            self.next_index = max(self.next_index, (trial.index or 0) + 1)
            self.steps_spent += trial.environment_steps
            self.stopped_at[trial.gate] += 1
            if trial.program_hash:
                self.gates.remember(trial.program_hash, trial.index)
            if trial.environment_steps:
                played += 1
                tried, accepted = self.credit.get(one.origin, (0, 0))
                self.credit[one.origin] = (tried + 1, accepted + trial.accepted)
            self._take(one)
            self.recent.append(trial)
            alike = trial.index == 0 and trial.distinct_trajectories == 1 and bool(one.recordings)
            if alike and _all_alike(list(one.recordings.values())):
                self.seeds = self.seeds[:1]  # one trajectory: one seed stands for all
            if trial.index == 0 and not trial.accepted:
                self.has_failed_start = BUDGET_SPENT not in trial.reason  # else its evaluator failed
            if trial.index == 0 and trial.gate is Gate.REGRESSION and BUDGET_SPENT not in trial.reason:
                self.refused_start = trial.reason
        self.idle_generations = 0 if played else self.idle_generations + 1

    def _take(self, one: CompletedTrial) -> None:
        trial = one.trial
        values = dict(zip(trial.seeds, trial.returns))
        self._cases[trial.index] = trial.cases
        if one.recordings:
            whole = all(status == EpisodeStatus.FINISHED for status in one.statuses.values())
            first = trial.returns[: self.smoke]
            self.archive.note(
                trial.index, len(trial.seeds), trial.mean if whole else None, sum(first) / len(first) if whole else None
            )
        for seed, recording in one.recordings.items():
            if one.statuses[seed] != EpisodeStatus.CUT:
                self.recall.add(seed, trial.index, recording)
                self._results[trial.index, seed] = (values.get(seed, 0.0), one.statuses[seed])
        if (
            (trial.accepted if self.archives_accepted_only else trial.gate is not Gate.REGRESSION)
            and trial.mean is not None
            and one.checked is not None
            and set(self.seeds) <= set(trial.seeds)
        ):
            shown = one.recordings.get(self.seeds[0])
            self.archive.add(
                ScoredParameters(
                    trial.index, dict(trial.parameters), self.score([values[seed] for seed in self.seeds])
                ),
                one.checked,
                None if shown is None else behaviour(shown),
            )
            self._recordings[trial.index] = one.recordings

    # what proposers ask for

    def recalled(self, candidate: CheckedCandidate) -> Rejection | None:
        """A rejection where the candidate would play known episodes: on all seeds, or on one where that one was left."""
        first, values, acts_as = None, [], None
        for seed in self.seeds:
            trial = self.recall.find(candidate.flow, seed)
            if trial is None:
                return None
            value, status = self._results[trial, seed]
            if status != EpisodeStatus.FINISHED:
                return Rejection(
                    Gate.DUPLICATE, f"acts as trial {trial}, which was clearly worse", candidate.hash, trial
                )
            first = trial if first is None else first
            acts_as = trial if acts_as is None and first_failed_case(self._cases[trial]) is not None else acts_as
            values.append(value)
        if acts_as is not None:
            return self._breaks_as(candidate, acts_as)
        return Rejection(Gate.DUPLICATE, f"acts as trial {first}: {sum(values) / len(values):g}", candidate.hash, first)

    def _breaks_as(self, candidate: CheckedCandidate, trial: int) -> Rejection | None:
        """A rejection where a candidate that acts as a trial on the seeds does so, too, where that one broke a case."""
        case = first_failed_case(self._cases[trial])
        known = self.recall.find(candidate.flow, recording_key(case))
        if known is None or self._cases[known][case]["passed"] is not False:
            return None
        return Rejection(Gate.DUPLICATE, f"acts as trial {trial}, which broke case {case}", candidate.hash, trial)

    def recalled_case(self, candidate: CheckedCandidate, case: str) -> bool:
        """Whether a candidate would play an episode that passed a case."""
        trial = self.recall.find(candidate.flow, recording_key(case))
        return trial is not None and self._cases[trial][case]["passed"] is True

    def recalled_returns(self, candidate: CheckedCandidate) -> list[tuple[int, float, int]] | None:
        """(seed, return, length) on every seed in use, where all are known to the end; None otherwise."""
        found = []
        for seed in self.seeds:
            trial = self.recall.find(candidate.flow, seed)
            if trial is None or self._results[trial, seed][1] != EpisodeStatus.FINISHED:
                return None
            found.append((seed, self._results[trial, seed][0], self.recall.length(seed, trial)))
        return found

    def subject(self, structure: Structure) -> Subject:
        """The structure's best version for mutations, with sampled ticks of its episode on the first seed."""
        known = self._subjects.get(structure.key)
        program_hash = structure.checked.hash
        if known is None or known[0] != program_hash:
            program = structure.checked.program
            recording = self._recordings.get(structure.best.trial, {}).get(self.seeds[0])
            columns = sampled_columns(program, recording) if recording is not None and len(recording) else None
            known = self._subjects[structure.key] = (
                program_hash,
                Subject(
                    program,
                    columns,
                    self._no_reward_steps(structure),
                    tuple if recording is None else partial(forecasts, program, recording),
                    partial(usual_sizes, program.card, list(self._recordings.get(structure.best.trial, {}).values())),
                ),
            )
        return known[1]

    def episodes(self, structure: Structure) -> dict[int, tuple[float, Recording]]:
        """The returns and recorded episodes of the structure's best version, by seed."""
        recordings = self._recordings.get(structure.best.trial, {})
        return {
            seed: (self._results[structure.best.trial, seed][0], recording)
            for seed, recording in recordings.items()
            if type(seed) is int and (structure.best.trial, seed) in self._results
        }

    def ended_without_reward(self, structure: Structure) -> bool:
        """Whether the structure's best episode on the first seed ended because nothing happened any more."""
        recording = self._recordings.get(structure.best.trial, {}).get(self.seeds[0])
        if recording is None or len(recording) < self.no_reward_steps:
            return False
        return not recording.shown["reward"][1 - self.no_reward_steps :].any()

    def _no_reward_steps(self, structure: Structure) -> tuple[int, int] | None:
        """The longest wait for a reward before the one that ended the episode, and that one."""
        if not self.ended_without_reward(structure):
            return None
        rewarded = np.flatnonzero(self._recordings[structure.best.trial][self.seeds[0]].shown["reward"])
        waits = np.diff(rewarded, prepend=0)
        return int(waits.max(initial=0)), self.no_reward_steps

    def curve(self, seed: int) -> np.ndarray | None:
        """The best program's returns so far on a seed; None before there is one."""
        best = self.archive.best
        recordings = None if best is None else self._recordings.get(best.best.trial)
        if not recordings or seed not in recordings:
            return None
        shown = recordings[seed].returns_so_far
        value, _ = self._results.get((best.best.trial, seed), (shown[-1] if len(shown) else 0.0, ""))
        return np.append(shown, value)

    @property
    def longest(self) -> int:
        """Steps of the longest of the best program's episodes; 1 before there is one."""
        curves = [self.curve(seed) for seed in self.seeds]
        return max((len(curve) for curve in curves if curve is not None), default=1)

    def ordered_seeds(self) -> tuple[int, ...]:
        """The seeds in the order in which candidates are played on them: the smoke seeds move on with each turn."""
        first = self.archive.turn * self.smoke % len(self.seeds)
        return self.seeds[first:] + self.seeds[:first]

    def best_returns(self, seeds: Sequence[int]) -> list[float] | None:
        """The best program's returns on these seeds; None before there is one."""
        best = self.archive.best
        return None if best is None else [self._results[best.best.trial, seed][0] for seed in seeds]

    def floor(self, seeds: Sequence[int]) -> float | None:
        """What a candidate must reach on the smoke seeds to go on: half way from the first program to the best, and no
        further behind the best than chance explains."""
        best, first = self.archive.best, self._first_trial()
        if best is None or first is None:
            return None
        means = [
            sum(self._results[trial, seed][0] for seed in seeds) / len(seeds) for trial in (first, best.best.trial)
        ]
        return max((means[0] + means[1]) / 2, means[1] - margin(self.best_returns(self.seeds), len(seeds)))

    def _first_trial(self) -> int | None:
        return min((sample.trial for one in self.archive.structures.values() for sample in one.samples), default=None)


def _all_alike(recordings: Sequence[Recording]) -> bool:
    """Whether the episodes showed the same at every tick: equal actions and rewards alone may be a constant's."""
    first = recordings[0]
    return all(
        len(one) == len(first) and all(np.array_equal(one.shown[name], values) for name, values in first.shown.items())
        for one in recordings[1:]
    )
