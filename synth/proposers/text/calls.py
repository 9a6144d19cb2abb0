"""Calls of a writer: each is reserved on the account, made once, and settled."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from hl_dsl.synth.candidates.calls import CallAccount, CallRequest, Charge
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, Prompt, Writer
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.call_totals import ANSWERED, CUT_OFF, FAILED

_REPORT_SECONDS = 0.1  # least time between two progress events of a call


class Calls:
    """Makes calls on an account. `budget` bounds their time; `report` takes progress events."""

    def __init__(self, account: CallAccount, budget: Budget, report: Callable[[dict[str, Any]], None]):
        self.account, self.budget, self._report = account, budget, report

    def recorded_answer(self, trial: int, writer: Writer) -> Answer | None:
        """Returns the answer that the ledger holds for a trial; None if it holds none."""
        for event in reversed(self.account.settled):
            if (event["trial"], event["proposer"], event["outcome"]) == (trial, writer.name, ANSWERED):
                charge = Charge(event["tokens"], event["cost"], event["estimated"])
                return Answer(event["text"], charge, None, event["said"], event["truncated"])
        return None

    def charged(self, trial: int) -> Charge:
        """Returns the sum of the charges of all attempts for a trial."""
        events = [event for event in self.account.settled if event["trial"] == trial]
        tokens = [event["tokens"] for event in events if event["tokens"] is not None]
        costs = [event["cost"] for event in events if event["cost"] is not None]
        return Charge(
            sum(tokens) if len(tokens) == len(events) else None,
            sum(costs) if len(costs) == len(events) else None,
            any(event["estimated"] for event in events),
        )

    def make(self, trial: int, writer: Writer, prompt: Prompt, timeout: float) -> Answer:
        """Makes one attempt, of at most `timeout` seconds.

        Raises:
            CallFailed: The attempt returned no text. It is settled.
            ProposerStopped: The budget does not cover the attempt.
        """
        limit = writer.most(prompt)
        reserved = self.account.reserve(_request(trial, writer, prompt, limit))
        start = time.monotonic()
        is_settled = False

        def settle(outcome: str, charge: Charge | None, details: Mapping[str, Any]) -> None:
            nonlocal is_settled
            charge = Charge(limit.tokens, limit.cost, True) if charge is None else charge
            self.account.settle(reserved, outcome, charge, {**details, "seconds": time.monotonic() - start})
            is_settled = True

        try:
            try:
                self._report_tokens(writer, 0, 0.0)
                answer = writer.write(prompt, timeout, self._reporter(writer, start))
            except CallFailed as failure:
                settle(FAILED, failure.charge, {"error": failure.reason, **failure.details})
                raise
            settle(ANSWERED, answer.charge, _details(answer))
            return answer
        except BaseException as error:
            # An interrupt or a defect: the model may have done the work, so the whole reservation is charged.
            if not is_settled:
                settle(CUT_OFF, None, {"error": f"{type(error).__name__}: {error}".rstrip(": ")})
            raise

    def report_wait(self, seconds: float, reason: str) -> None:
        """Reports that the next attempt follows after a pause."""
        self._report({"event": "waiting", "seconds": seconds, "reason": reason})

    def _report_tokens(self, writer: Writer, tokens: int, seconds: float) -> None:
        self._report(
            {"event": "call", "proposer": writer.name, "model": writer.model, "tokens": tokens, "seconds": seconds}
        )

    def _reporter(self, writer: Writer, start: float) -> Callable[[int], None]:
        last = start

        def report(tokens: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > _REPORT_SECONDS:
                last = now
                self._report_tokens(writer, tokens, now - start)

        return report


def _request(trial: int, writer: Writer, prompt: Prompt, limit: Charge) -> CallRequest:
    characters = len(prompt.stable) + len(prompt.variable)
    return CallRequest(trial, writer.name, writer.model, prompt.digest, characters, limit, writer.describe_attempt())


def _details(answer: Answer) -> dict[str, Any]:
    """Fields of the ledger event of an answer."""
    usage: dict[str, Any] = {}
    if answer.usage is not None:
        usage = {
            "input_tokens": answer.usage.input,
            "output_tokens": answer.usage.output,
            "cached_input_tokens": answer.usage.cached_input,
        }
    return {"text": answer.text, "said": answer.comment, "truncated": answer.truncated, **usage, **answer.details}
