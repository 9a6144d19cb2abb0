"""What becomes of a case: whether an episode, or a replayed run, is as it demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.regressions.case import EpisodeCase, TraceCase
from hl_dsl.synth.regressions.property_monitor import first_break, watcher
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.verify.results.counterexample_files import InvalidCounterexample, replay

from hl_dsl.base.text import counted
from hl_dsl.cards import Card


@dataclass(frozen=True)
class CaseResult:
    """`passed` is None where the case was not played to its end. `value` is the return, of the window where there is one;
    `length` the steps taken."""

    name: str
    passed: bool | None
    detail: str
    value: float | None = None
    length: int = 0

    def to_json(self) -> dict[str, Any]:
        """As the ledger keeps it, under the case's name."""
        return {"passed": self.passed, "detail": self.detail, "return": self.value, "steps": self.length}

    @classmethod
    def from_json(cls, name: str, kept: dict[str, Any]) -> CaseResult:
        return cls(name, kept["passed"], kept["detail"], kept["return"], kept["steps"])


def broken(outcomes: Sequence[CaseResult]) -> CaseResult | None:
    """The first case that was not passed."""
    return next((one for one in outcomes if not one.passed), None)


def of_trace(case: TraceCase, flow: Dataflow) -> CaseResult:
    """Replays a run that broke a property. A program without that property does not pass: to drop it is not to mend it."""
    try:
        again = replay(flow, case.case)
    except InvalidCounterexample as problem:
        return CaseResult(case.name, False, problem.message)
    return CaseResult(case.name, not again.broken, "; ".join([again.detail, *again.notes]))


def of_episode(case: EpisodeCase, episode: Episode, card: Card) -> CaseResult:
    """Whether an episode that was played as the case says is as it demands."""
    value, length = value_of(case, episode), episode.length
    if episode.status == EpisodeStatus.CUT:
        return CaseResult(case.name, None, "its episode was cut before its end", value, length)
    window = case.window
    if window is not None and length <= window.start:
        return CaseResult(
            case.name,
            False,
            f"the episode ended after {counted(length, 'step')}, before tick {window.start}",
            value,
            length,
        )
    if case.least_return is not None and not value >= case.least_return:
        where = "" if window is None else f" in ticks {window.start} to {window.end - 1}"
        return CaseResult(
            case.name, False, f"a return of {value:g}{where} is less than {case.least_return:g}", value, length
        )
    if case.holds is not None:
        tick = first_break(watcher(card, case.holds), episode.recording, window)
        if tick is not None:
            return CaseResult(case.name, False, f"`{case.holds}` is false at tick {tick}", value, length)
    return CaseResult(case.name, True, f"a return of {value:g}", value, length)


def value_of(case: EpisodeCase, episode: Episode) -> float:
    """The return of an episode, or what its window brought: the rewards of the steps taken at the window's ticks."""
    if case.window is None or episode.recording is None or not episode.length:
        return episode.value if case.window is None else 0.0
    so_far = np.concatenate([[0.0], episode.recording.returns_so_far, [episode.value]])
    return float(so_far[min(case.window.end, episode.length)] - so_far[min(case.window.start, episode.length)])
