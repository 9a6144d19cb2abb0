"""Totals of the model and agent calls in a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.text import counted

RESERVED, SETTLED = "reserved", "settled"
"""States of a call event."""

ANSWERED, FAILED, CUT_OFF = "answered", "failed", "cut off"
"""Outcomes of a settled call."""


def call_totals(events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Returns the totals of a ledger's calls; None if it has no calls.

    `open` counts calls that are reserved and not settled. Their reservations count as charged.
    """
    reserved, settled = _by_state(events)
    if not reserved:
        return None
    outcomes = [event["outcome"] for event in settled.values()]
    charges = [(event["tokens"], event["cost"], event["estimated"]) for event in settled.values()]
    charges += [
        (event["reserved_tokens"], event["reserved_cost"], True)
        for number, event in reserved.items()
        if number not in settled
    ]
    return {
        "calls": len(reserved),
        "answered": outcomes.count(ANSWERED),
        "failed": outcomes.count(FAILED),
        "cut_off": outcomes.count(CUT_OFF),
        "open": len(reserved) - len(settled),
        "estimated": sum(estimated for _, _, estimated in charges),
        "tokens": sum(tokens or 0 for tokens, _, _ in charges),
        "tokens_unknown": sum(tokens is None for tokens, _, _ in charges),
        "cost": sum(cost or 0.0 for _, cost, _ in charges),
        "cost_unknown": sum(cost is None for _, cost, _ in charges),
        "seconds": sum(event.get("seconds", 0.0) for event in settled.values()),
    }


def open_calls(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the reservations of calls that are not settled."""
    reserved, settled = _by_state(events)
    return [event for number, event in reserved.items() if number not in settled]


def _by_state(events: Iterable[Mapping[str, Any]]) -> tuple[dict[int, Mapping[str, Any]], dict[int, Mapping[str, Any]]]:
    """Returns the reserving and the settling events by call number."""
    reserved: dict[int, Mapping[str, Any]] = {}
    settled: dict[int, Mapping[str, Any]] = {}
    for event in events:
        if event.get("event") == "call":
            (reserved if event["state"] == RESERVED else settled).setdefault(event["call"], event)
    return reserved, settled


def calls_line(total: dict[str, Any]) -> str:
    """Returns the totals as one line of text."""
    unanswered = ", ".join(
        f"{total[name]:,} {name.replace('_', ' ')}" for name in ("failed", "cut_off", "open") if total[name]
    )
    text = (
        counted(total["calls"], "call")
        + (f" ({unanswered})" if unanswered else "")
        + f", {counted(total['tokens'], 'token')}"
    )
    text += f" (unknown for {counted(total['tokens_unknown'], 'call')})" if total["tokens_unknown"] else ""
    text += f", cost {total['cost']:,.4f}" if total["cost"] or not total["cost_unknown"] else ", cost unknown"
    text += (
        f" (unknown for {counted(total['cost_unknown'], 'call')})" if total["cost"] and total["cost_unknown"] else ""
    )
    return text + (f"; {total['estimated']:,} charged at their upper limit" if total["estimated"] else "")
