"""The account of calls: what each may take is reserved in the ledger before it is made, and settled after.

A `call` event is "reserved" and then "settled", both with the call's number, the trial it is for and which attempt at that
it is. A settled one has its outcome ("answered", "failed", "cut off"), the text, and the charge. What a crash left
reserved is settled as cut off, with all of its reservation charged, when the run goes on. A text that was paid for is
taken from here ever after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hl_dsl.synth.candidates.proposer import ProposerStopped
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, Charge, Prompt, Writer
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.call_totals import ANSWERED, CUT_OFF, FAILED, RESERVED, SETTLED
from hl_dsl.synth.runs.ledger import LEDGER_FIELDS, Ledger

_OF_RESERVED = (
    *LEDGER_FIELDS,
    "event",
    "state",
    "prompt",
    "prompt_characters",
    "reserved_tokens",
    "reserved_cost",
)


class Calls:
    """`events` are the ledger's so far. Charges `budget`; tells `tell` how a call goes."""

    def __init__(
        self,
        ledger: Ledger,
        budget: Budget,
        events: Iterable[Mapping[str, Any]],
        tell: Callable[[dict[str, Any]], None],
    ):
        self.budget, self._ledger, self._tell = budget, ledger, tell
        self.settled: list[Mapping[str, Any]] = []
        self._answers: dict[tuple[int, str], Mapping[str, Any]] = {}
        self._attempts: dict[tuple[int, str], int] = {}
        self._charges: dict[int, list[Charge]] = {}
        self._next = 0
        waiting: dict[int, Mapping[str, Any]] = {}
        for event in events:
            if event.get("event") != "call":
                continue
            if event["state"] == RESERVED:
                waiting[event["call"]] = event
                self._next = event["call"] + 1
                key = event["trial"], event["proposer"]
                self._attempts[key] = event["attempt"]
            elif waiting.pop(event["call"], None) is not None:
                self._take(event)
        for event in waiting.values():
            charge = Charge(event["reserved_tokens"], event["reserved_cost"], True)
            self._settle(event, CUT_OFF, charge, {"error": "the study ended while it waited for this call"})

    def answer(self, trial: int, writer: Writer) -> Answer | None:
        """What was paid for already."""
        event = self._answers.get((trial, writer.name))
        if event is None:
            return None
        return Answer(
            event["text"],
            Charge(event["tokens"], event["cost"], event["estimated"]),
            None,
            event["said"],
            event["truncated"],
        )

    def charged(self, trial: int) -> Charge:
        """The sum over all attempts for a trial."""
        charges = self._charges.get(trial, [])
        tokens = [one.tokens for one in charges if one.tokens is not None]
        cost = [one.cost for one in charges if one.cost is not None]
        return Charge(
            sum(tokens) if len(tokens) == len(charges) else None,
            sum(cost) if len(cost) == len(charges) else None,
            any(one.estimated for one in charges),
        )

    def make(self, trial: int, writer: Writer, prompt: Prompt, timeout: float) -> Answer:
        """One attempt. Raises CallFailed once that is settled, ProposerStopped where the budget does not reach for it."""
        most = writer.most(prompt)
        self._refuse_too_much(most)
        event = self._reserve(trial, writer, prompt, most)
        began = time.monotonic()
        known = most
        settled = False

        def settle(outcome: str, charge: Charge | None, more: Mapping[str, Any]) -> None:
            nonlocal settled
            charged = Charge(known.tokens, known.cost, True) if charge is None else charge
            self._settle(event, outcome, charged, {**more, "seconds": time.monotonic() - began})
            settled = True

        try:
            try:
                self._tell(
                    {"event": "call", "proposer": writer.name, "model": writer.model, "tokens": 0, "seconds": 0.0}
                )
                answer = writer.ask(prompt, timeout, self._reporter(writer, began))
            except CallFailed as failed:
                settle(FAILED, failed.charge, {"error": failed.reason, **failed.more})
                raise
            usage = (
                {}
                if answer.usage is None
                else {
                    "input_tokens": answer.usage.input,
                    "output_tokens": answer.usage.output,
                    "cached_input_tokens": answer.usage.cached_input,
                }
            )
            settle(
                ANSWERED,
                answer.charge,
                {"text": answer.text, "said": answer.said, "truncated": answer.truncated, **usage, **answer.more},
            )
            return answer
        except BaseException as error:
            # An interrupt, or a defect: whoever was asked may have done the work.
            if not settled:
                settle(CUT_OFF, None, {"error": f"{type(error).__name__}: {error}".rstrip(": ")})
            raise

    def waiting(self, seconds: float, reason: str) -> None:
        """Tells that the next attempt comes after a pause."""
        self._tell({"event": "waiting", "seconds": seconds, "reason": reason})

    def _refuse_too_much(self, most: Charge) -> None:
        limits = (
            (self.budget.tokens, self.budget.tokens_left, most.tokens, "tokens", ",d"),
            (self.budget.cost, self.budget.cost_left, most.cost, "money", ".4f"),
        )
        for limit, left, wanted, what, form in limits:
            if left is not None and wanted is not None and wanted > left:
                raise ProposerStopped(
                    f"the budget of {limit:,} {what} is spent: {format(left, form)} are left, and the next call may take {format(wanted, form)}"
                )

    def _reserve(self, trial: int, writer: Writer, prompt: Prompt, most: Charge) -> Mapping[str, Any]:
        key = trial, writer.name
        self._attempts[key] = self._attempts.get(key, 0) + 1
        event = self._ledger.append(
            {
                "event": "call",
                "state": RESERVED,
                "call": self._next,
                "trial": trial,
                "attempt": self._attempts[key],
                "proposer": writer.name,
                "model": writer.model,
                "prompt": prompt.digest,
                "prompt_characters": len(prompt.stable) + len(prompt.variable),
                "reserved_tokens": most.tokens,
                "reserved_cost": most.cost,
                **writer.about(),
            }
        )
        self._next += 1
        return event

    def _settle(self, reserved: Mapping[str, Any], outcome: str, charge: Charge, more: Mapping[str, Any]) -> None:
        about = {name: value for name, value in reserved.items() if name not in _OF_RESERVED}
        event = {
            "event": "call",
            "state": SETTLED,
            **about,
            "outcome": outcome,
            "tokens": charge.tokens,
            "cost": charge.cost,
            "estimated": charge.estimated,
            **more,
        }
        self._take(self._ledger.append(event))

    def _take(self, event: Mapping[str, Any]) -> None:
        self.settled.append(event)
        charge = Charge(event["tokens"], event["cost"], event["estimated"])
        self._charges.setdefault(event["trial"], []).append(charge)
        self.budget.tokens_spent += charge.tokens or 0
        self.budget.cost_spent += charge.cost or 0.0
        if event["outcome"] == ANSWERED:
            self._answers[event["trial"], event["proposer"]] = event

    def _reporter(self, writer: Writer, began: float) -> Callable[[int], None]:
        last = began

        def report(tokens: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > 0.1:
                last = now
                self._tell(
                    {
                        "event": "call",
                        "proposer": writer.name,
                        "model": writer.model,
                        "tokens": tokens,
                        "seconds": now - began,
                    }
                )

        return report
