"""A trial: one program that was proposed, checked, probed or evaluated, with all it cost, as the ledger keeps it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hl_dsl.synth.runs.statuses import STUDY_KINDS, Gate, TrialKind, TrialStatus

from hl_dsl.base.errors import HLError


@dataclass(frozen=True)
class Trial:
    """One trial. `seeds`, `returns` and `lengths` (ticks) run in parallel, one entry for each finished episode.

    `gate` is where the trial stopped (`Gate.NONE` for what is no candidate; a plain evaluation that ran is "accepted"),
    `accepted` holds exactly where that is "accepted", and `reason` says why.
    `program` is the whole source text, so that every trial can be run again; a tuning's samples leave it out where they are no new
    best, for they are the first one's text with their `parameters` (see `program_texts.py`). `fitness` is what a trial was chosen by where that is
    not its mean return. `environment_steps` counts all steps
    the trial cost, unfinished episodes and probes included. Where the run was to check the proof, `invariant_violations`
    and `reached` count, by name, the ticks that broke an invariant and those that reached a `reachable`. `planning` counts what
    planning took beside those steps (see `hl_dsl.compiler.planner.counts`); it is empty where nothing was planned. `cases` tells, by name,
    what became of the task's golden cases; their steps are counted, their returns are none of the trial's. `sequence` and `time` are set by the ledger.
    Raises ValueError for an unknown gate and for columns that do not match.
    """

    kind: TrialKind
    program_name: str = ""
    program_hash: str = ""
    program: str = ""
    parent_hashes: tuple[str, ...] = ()
    proposer: str = ""
    model: str | None = None
    change: str = ""
    gate: Gate = Gate.NONE
    accepted: bool = False
    reason: str = ""
    environment: str = ""
    protocol: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    returns: tuple[float, ...] = ()
    lengths: tuple[int, ...] = ()
    distinct_trajectories: int | None = None
    environment_steps: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    proof: Mapping[str, Any] | str | None = None
    out_of_range: Mapping[str, int] = field(default_factory=dict)
    assumption_violations: Mapping[str, int] = field(default_factory=dict)
    monitor_violations: Mapping[str, int] = field(default_factory=dict)
    invariant_violations: Mapping[str, int] = field(default_factory=dict)
    reached: Mapping[str, int] = field(default_factory=dict)
    planning: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fitness: float | None = None
    tokens: int | None = None
    cost: float | None = None
    run_seed: int | None = None
    index: int | None = None
    sequence: int | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        for name, convert in (("parent_hashes", str), ("seeds", int), ("returns", float), ("lengths", int)):
            object.__setattr__(self, name, tuple(map(convert, getattr(self, name))))
        for name, enumeration in (("gate", Gate), ("kind", TrialKind)):
            object.__setattr__(self, name, enumeration(getattr(self, name)))
        if self.accepted != (self.gate is Gate.ACCEPTED):
            raise ValueError(f"accepted={self.accepted} contradicts gate={self.gate.value!r}")
        if not len(self.seeds) == len(self.returns) == len(self.lengths):
            raise ValueError(
                f"{len(self.seeds)} seeds, {len(self.returns)} returns and {len(self.lengths)} lengths do not match"
            )

    @property
    def status(self) -> TrialStatus:
        """Result of the trial in one word."""
        return TrialStatus.of(self.gate)

    @property
    def episodes(self) -> int:
        """How many episodes were finished."""
        return len(self.returns)

    @property
    def mean(self) -> float | None:
        """The mean return; None where no episode was finished."""
        return sum(self.returns) / len(self.returns) if self.returns else None

    @property
    def score(self) -> float | None:
        """What it is compared by: its fitness, or else its mean return."""
        return self.mean if self.fitness is None else self.fitness

    @property
    def min(self) -> float | None:
        return min(self.returns, default=None)

    @property
    def max(self) -> float | None:
        return max(self.returns, default=None)

    def to_event(self) -> dict[str, Any]:
        """The event to append to a ledger: `"event": "trial"` and every field but the ledger's own two."""
        event: dict[str, Any] = {"event": "trial"}
        event.update(vars(self))
        del event["sequence"], event["time"]
        event.update(mean=self.mean, min=self.min, max=self.max)
        return event

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Trial:
        """The trial of an event a ledger returned. Raises HLError where the event is no trial this version can read."""
        values = {name: value for name, value in event.items() if name in cls.__dataclass_fields__}
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise HLError(
                f"event {event.get('sequence', '?')} of the ledger is no trial this version can read: {error}",
                "It was probably written by another version of HL; read it with that one.",
            ) from error


@dataclass(frozen=True)
class Cumulative:
    """A trial with what the ledger had cost once it was done: steps, finished episodes, and the best accepted score."""

    trial: Trial
    total_steps: int
    total_episodes: int
    best: float | None


def trials_of(events: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """The trials among a ledger's events; other events (a run's start, its stop) are passed over."""
    return [Trial.from_event(event) for event in events if event.get("event") == "trial"]


def wasted_trial(settings: Mapping[str, Any], steps: int, reason: str) -> Trial:
    """The record of steps that brought no verdict."""
    return Trial(
        kind=TrialKind.INTERRUPTED,
        gate=Gate.NONE,
        reason=reason,
        environment=settings["environment"],
        protocol=settings["protocol"],
        environment_steps=steps,
        run_seed=settings["run_seed"],
    )


def main_setting(trials: Iterable[Trial]) -> tuple[str, str] | None:
    """The environment and protocol most trials were scored under, the earliest of equals; None without a score.

    A return under one protocol is not comparable with a return under another, so "best" means best under this one.
    """
    counts = Counter(
        (trial.environment, trial.protocol) for trial in trials if trial.gate != Gate.NONE and trial.returns
    )
    return max(counts, key=counts.__getitem__, default=None)


def counts_for_best(trial: Trial, setting: tuple[str, str] | None) -> bool:
    """Whether a trial was accepted with a finite score under `setting`."""
    comparable = trial.accepted and (trial.environment, trial.protocol) == setting
    return comparable and trial.score is not None and math.isfinite(trial.score)


def cumulative(trials: Sequence[Trial]) -> Iterator[Cumulative]:
    """Each trial with the totals after it, in order. Probes and reports count towards the totals, not the best."""
    setting = main_setting(trials)
    steps = episodes = 0
    best: float | None = None
    for trial in trials:
        steps += trial.environment_steps
        episodes += trial.episodes
        if counts_for_best(trial, setting) and (best is None or trial.score > best):
            best = trial.score
        yield Cumulative(trial, steps, episodes, best)


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """The accepted trial with the highest score, the earliest of equals, in its simplified form where there is one; None where
    nothing was accepted."""
    setting = main_setting(trials)
    counting = [trial for trial in trials if counts_for_best(trial, setting)]
    best = max(counting, key=lambda trial: trial.score, default=None)
    for trial in counting:  # a smaller form follows what it is of
        if (
            trial.kind is TrialKind.SIMPLIFY
            and trial.parent_hashes[:1] == (best.program_hash,)
            and trial.score == best.score
        ):
            best = trial
    return best


def stop_event(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The stop of a run as it is written down; empty where it goes on, went on and was cut, or has none."""
    own = (event for event in reversed(events) if event.get("event") != "trial" or event.get("kind") in STUDY_KINDS)
    last = next(own, {})
    return last if last.get("event") == "stop" else {}


def run_best(events: Sequence[Mapping[str, Any]], trials: Sequence[Trial]) -> Trial | None:
    """The program a run came to: the one its last stop names, else the best so far of `trials`."""
    named = stop_event(events).get("best")
    of_that_name = [
        trial for trial in trials if trial.kind in STUDY_KINDS and trial.accepted and trial.program_hash == named
    ]
    return of_that_name[-1] if of_that_name else best_trial(trials)


def violations(counts: Mapping[str, int] | int | None) -> int:
    """How often anything in a table of counts happened."""
    return counts if isinstance(counts, int) else sum((counts or {}).values())


def proof_summary(proof: Mapping[str, Any] | str | None) -> str:
    """A proof's status in a few words: its `status`, or its counts by status."""
    if not proof or isinstance(proof, str):
        return proof or ""
    if "status" in proof:
        return str(proof["status"])
    return ", ".join(f"{count} {status}" for status, count in proof.items() if count)
