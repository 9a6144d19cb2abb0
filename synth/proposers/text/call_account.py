"""Ledger-based account of paid calls.

A call has two ledger events: "reserved" before it is made, "settled" after. Both hold the call's number, its trial
and the number of the attempt. A settled event also holds the outcome ("answered", "failed", "cut off"), the text and
the charge. If a crash leaves a call reserved, the resumed study settles it as cut off and charges its whole
reservation. A text that was paid for is read from the ledger and never requested again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.synth.candidates.calls import CallRequest, Charge
from hl_dsl.synth.candidates.proposer import ProposerStopped
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.call_totals import CUT_OFF, RESERVED, SETTLED
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.ledger_format import LEDGER_FIELDS

# Fields of a reserved event that its settled event does not repeat.
_ONLY_IN_RESERVED = (
    *LEDGER_FIELDS,
    "event",
    "state",
    "prompt",
    "prompt_characters",
    "reserved_tokens",
    "reserved_cost",
)


class LedgerCallAccount:
    """Account that records calls in `ledger` and charges `budget`. `events` are the events already in the ledger."""

    def __init__(self, ledger: Ledger, budget: Budget, events: Iterable[Mapping[str, Any]]):
        self._ledger, self._budget = ledger, budget
        self._settled: list[Mapping[str, Any]] = []
        self._attempts: dict[tuple[int, str], int] = {}
        self._next_call = 0
        unsettled: dict[int, Mapping[str, Any]] = {}
        for event in events:
            if event.get("event") != "call":
                continue
            if event["state"] == RESERVED:
                unsettled[event["call"]] = event
                self._next_call = event["call"] + 1
                self._attempts[event["trial"], event["proposer"]] = event["attempt"]
            elif unsettled.pop(event["call"], None) is not None:
                self._charge(event)
        for event in unsettled.values():
            charge = Charge(event["reserved_tokens"], event["reserved_cost"], True)
            self.settle(event, CUT_OFF, charge, {"error": "the study ended while it waited for this call"})

    @property
    def settled(self) -> list[Mapping[str, Any]]:
        """Events of the settled calls, in order."""
        return self._settled

    def reserve(self, request: CallRequest) -> Mapping[str, Any]:
        """Records a call and the most that it may cost.

        Raises:
            ProposerStopped: The budget does not cover the call.
        """
        self._check_budget(request.limit)
        key = request.trial, request.proposer
        self._attempts[key] = self._attempts.get(key, 0) + 1
        event = self._ledger.append(
            {
                "event": "call",
                "state": RESERVED,
                "call": self._next_call,
                "trial": request.trial,
                "attempt": self._attempts[key],
                "proposer": request.proposer,
                "model": request.model,
                "prompt": request.digest,
                "prompt_characters": request.characters,
                "reserved_tokens": request.limit.tokens,
                "reserved_cost": request.limit.cost,
                **request.details,
            }
        )
        self._next_call += 1
        return event

    def settle(
        self, reserved: Mapping[str, Any], outcome: str, charge: Charge, details: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Records the outcome of a reserved call and charges the budget."""
        repeated = {name: value for name, value in reserved.items() if name not in _ONLY_IN_RESERVED}
        event = self._ledger.append(
            {
                "event": "call",
                "state": SETTLED,
                **repeated,
                "outcome": outcome,
                "tokens": charge.tokens,
                "cost": charge.cost,
                "estimated": charge.estimated,
                **details,
            }
        )
        self._charge(event)
        return event

    def _check_budget(self, limit: Charge) -> None:
        amounts = (
            (self._budget.tokens, self._budget.tokens_left, limit.tokens, "tokens", ",d"),
            (self._budget.cost, self._budget.cost_left, limit.cost, "money", ".4f"),
        )
        for budget, left, needed, unit, form in amounts:
            if left is not None and needed is not None and needed > left:
                raise ProposerStopped(
                    f"the budget of {budget:,} {unit} is spent: {format(left, form)} are left, "
                    f"and the next call may cost {format(needed, form)}"
                )

    def _charge(self, event: Mapping[str, Any]) -> None:
        self._settled.append(event)
        self._budget.tokens_spent += event["tokens"] or 0
        self._budget.cost_spent += event["cost"] or 0.0
