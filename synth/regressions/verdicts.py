"""Results of cases: whether an episode, or a replayed counterexample, is as the case requires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.base.text import counted
from hl_dsl.cards import Card
from hl_dsl.cases.files import InvalidCase
from hl_dsl.cases.records import CounterexampleCase, EpisodeCase
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.regressions.property_monitor import first_violation, monitor_program
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.verify.results.counterexamples import replay


@dataclass(frozen=True)
class CaseResult:
    """Result of a case.

    `passed` is None if the episode was not simulated to its end. `value` is the return, of the case's window if it
    has one; `length` is the number of steps taken.
    """

    name: str
    passed: bool | None
    detail: str
    value: float | None = None
    length: int = 0

    def to_json(self) -> dict[str, Any]:
        """Returns the entry of the ledger, under the case's name."""
        return {"passed": self.passed, "detail": self.detail, "return": self.value, "steps": self.length}

    @classmethod
    def from_json(cls, name: str, entry: dict[str, Any]) -> CaseResult:
        """Reads an entry of the ledger."""
        return cls(name, entry["passed"], entry["detail"], entry["return"], entry["steps"])


def first_failure(results: Sequence[CaseResult]) -> CaseResult | None:
    """Returns the first result that is not passed; None if all are."""
    return next((result for result in results if not result.passed), None)


def check_counterexample(case: CounterexampleCase, flow: Dataflow) -> CaseResult:
    """Replays a counterexample. A program without the property fails: removing a property does not repair a program."""
    try:
        replayed = replay(flow, case)
    except InvalidCase as problem:
        return CaseResult(case.name, False, problem.message)
    return CaseResult(case.name, not replayed.is_violated, "; ".join([replayed.detail, *replayed.notes]))


def check_episode(case: EpisodeCase, episode: Episode, card: Card) -> CaseResult:
    """Compares an episode, which was simulated with the case's settings, with the requirement of the case."""
    value, length = case_return(case, episode), episode.length
    if episode.status == EpisodeStatus.CUT:
        return CaseResult(case.name, None, "its episode was cut before its end", value, length)
    detail = _failure(case, episode, value, card)
    return CaseResult(case.name, detail is None, f"a return of {value:g}" if detail is None else detail, value, length)


def _failure(case: EpisodeCase, episode: Episode, value: float, card: Card) -> str | None:
    """The requirement that is not met; None if all are."""
    window = case.window
    if window is not None and episode.length <= window.start:
        return f"the episode ended after {counted(episode.length, 'step')}, before tick {window.start}"
    if case.least_return is not None and not value >= case.least_return:
        ticks = "" if window is None else f" in ticks {window.start} to {window.end - 1}"
        return f"a return of {value:g}{ticks} is less than {case.least_return:g}"
    if case.holds is not None:
        assert episode.recording is not None, "episodes of cases are recorded"
        tick = first_violation(monitor_program(card, case.holds), episode.recording, window)
        if tick is not None:
            return f"`{case.holds}` is false at tick {tick}"
    return None


def case_return(case: EpisodeCase, episode: Episode) -> float:
    """Returns the return of an episode, or of the case's window: the rewards of the steps taken at its ticks."""
    if case.window is None or episode.recording is None or not episode.length:
        return episode.value if case.window is None else 0.0
    returns = np.concatenate([[0.0], episode.recording.returns_so_far, [episode.value]])
    return float(returns[min(case.window.end, episode.length)] - returns[min(case.window.start, episode.length)])
