"""Attempts: until a text has come, patience is at its end, or the budget is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hl_dsl.synth.candidates.proposer import ProposerFailed, ProposerStopped
from hl_dsl.synth.proposers.text.call_account import Calls
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, Prompt, Writer

from hl_dsl.base.text import counted

_SHORTEST = 1.0  # seconds; less is no time for an attempt


@dataclass(frozen=True)
class RetryPolicy:
    """At most `attempts` that fail, with waits that double from `first_wait` to `longest_wait` seconds between them. A wait
    that the server asks for is kept, if it is no more than `longest_asked`."""

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked: float = 600.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, failures: int, asked: float | None) -> float:
        """Seconds after so many failures in a row."""
        usual = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 30))
        return max(usual, asked or 0.0)


def ask(trial: int, writer: Writer, prompt: Prompt, calls: Calls, patience: RetryPolicy, timeout: float) -> Answer:
    """A new text for a trial. Raises ProposerStopped."""
    failures = 0
    while True:
        _refuse_late(calls)
        left = calls.budget.seconds_left
        try:
            return calls.make(trial, writer, prompt, timeout if left is None else max(_SHORTEST, min(timeout, left)))
        except CallFailed as failed:
            if failed.change:
                continue
            failures += 1
            _pause(writer, calls, patience, failed, failures)


def _pause(writer: Writer, calls: Calls, patience: RetryPolicy, failed: CallFailed, failures: int) -> None:
    _refuse_late(calls)
    if not failed.again:
        raise ProposerFailed(f"{writer.name}: {failed.reason}")
    if failures >= patience.attempts:
        raise ProposerFailed(
            f"{writer.name} gave no program in {counted(failures, 'attempt')}; the last: {failed.reason}"
        )
    wait = patience.wait(failures, failed.wait)
    left = calls.budget.seconds_left
    if wait > max(patience.longest_asked, patience.longest_wait) or left is not None and wait >= left:
        raise ProposerFailed(f"{writer.name}: {failed.reason}; the next attempt would be in {wait:.0f} s")
    calls.waiting(wait, failed.reason)
    patience.sleep(wait)


def _refuse_late(calls: Calls) -> None:
    if calls.budget.out_of_time:
        raise ProposerStopped(calls.budget.stop_reason() or "the time is over")
