"""Retries of calls: attempts are repeated until one returns a text, or the retry policy or the budget is exhausted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hl_dsl.base.text import counted
from hl_dsl.synth.candidates.proposer import ProposerFailed, ProposerStopped
from hl_dsl.synth.proposers.text.calls import Calls
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, Prompt, Writer

_SHORTEST_TIMEOUT = 1.0  # seconds; the least time an attempt gets near the end of the budget


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff.

    At most `attempts` may fail. The waits between them double from `first_wait` to `longest_wait` seconds. A longer
    wait that the server asks for is kept up to `longest_server_wait` seconds.
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_server_wait: float = 600.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, failures: int, server_wait: float | None) -> float:
        """Returns the seconds to wait after `failures` failures in a row."""
        usual = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 30))
        return max(usual, server_wait or 0.0)


def request_text(
    trial: int, writer: Writer, prompt: Prompt, calls: Calls, policy: RetryPolicy, timeout: float
) -> Answer:
    """Requests a new text for a trial.

    Args:
        trial: Number of the trial.
        writer: Model or agent that writes the text.
        prompt: Prompt of every attempt.
        calls: Makes the attempts and records them.
        policy: Retry policy.
        timeout: Seconds per attempt; less if the budget leaves less.

    Raises:
        ProposerStopped: The budget is exhausted.
        ProposerFailed: The attempts failed.
    """
    failures = 0
    while True:
        _check_time(calls)
        left = calls.budget.seconds_left
        try:
            limit = timeout if left is None else max(_SHORTEST_TIMEOUT, min(timeout, left))
            return calls.make(trial, writer, prompt, limit)
        except CallFailed as failure:
            if failure.request_changed:
                continue
            failures += 1
            _pause(writer, calls, policy, failure, failures)


def _pause(writer: Writer, calls: Calls, policy: RetryPolicy, failure: CallFailed, failures: int) -> None:
    _check_time(calls)
    if not failure.can_retry:
        raise ProposerFailed(f"{writer.name}: {failure.reason}")
    if failures >= policy.attempts:
        raise ProposerFailed(
            f"{writer.name} returned no program in {counted(failures, 'attempt')}; last error: {failure.reason}"
        )
    wait = policy.wait(failures, failure.wait)
    left = calls.budget.seconds_left
    if wait > max(policy.longest_server_wait, policy.longest_wait) or left is not None and wait >= left:
        raise ProposerFailed(f"{writer.name}: {failure.reason}; the next attempt would be in {wait:.0f} s")
    calls.report_wait(wait, failure.reason)
    policy.sleep(wait)


def _check_time(calls: Calls) -> None:
    if calls.budget.out_of_time:
        raise ProposerStopped(calls.budget.stop_reason() or "the time budget is spent")
