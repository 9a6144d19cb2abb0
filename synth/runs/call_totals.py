"""What the calls of a ledger come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.text import counted

RESERVED, SETTLED = "reserved", "settled"
ANSWERED, FAILED, CUT_OFF = "answered", "failed", "cut off"


def call_totals(events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What a ledger's calls come to; None where there are none. `open` calls are reserved and not settled: their
    reservations count as charged."""
    reserved, settled = _by_state(events)
    if not reserved:
        return None
    outcomes = [one["outcome"] for one in settled.values()]
    charges = [(one["tokens"], one["cost"], one["estimated"]) for one in settled.values()]
    charges += [
        (one["reserved_tokens"], one["reserved_cost"], True)
        for number, one in reserved.items()
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
        "seconds": sum(one.get("seconds", 0.0) for one in settled.values()),
    }


def open_calls(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The reservations of the calls that are not settled."""
    reserved, settled = _by_state(events)
    return [one for number, one in reserved.items() if number not in settled]


def _by_state(events: Iterable[Mapping[str, Any]]) -> tuple[dict[int, Mapping[str, Any]], dict[int, Mapping[str, Any]]]:
    """By number, what was recorded when a call was reserved, and when it was settled."""
    reserved: dict[int, Mapping[str, Any]] = {}
    settled: dict[int, Mapping[str, Any]] = {}
    for event in events:
        if event.get("event") == "call":
            (reserved if event["state"] == RESERVED else settled).setdefault(event["call"], event)
    return reserved, settled


def calls_line(total: dict[str, Any]) -> str:
    """The totals for people."""
    unanswered = ", ".join(
        f"{total[name]:,} {name.replace('_', ' ')}" for name in ("failed", "cut_off", "open") if total[name]
    )
    text = (
        counted(total["calls"], "call")
        + (f" ({unanswered})" if unanswered else "")
        + f", {counted(total['tokens'], 'token')}"
    )
    text += f" (not known of {counted(total['tokens_unknown'], 'call')})" if total["tokens_unknown"] else ""
    text += f", cost {total['cost']:,.4f}" if total["cost"] or not total["cost_unknown"] else ", cost not known"
    text += (
        f" (not known of {counted(total['cost_unknown'], 'call')})" if total["cost"] and total["cost_unknown"] else ""
    )
    return text + (f"; {total['estimated']:,} charged with the most they may have taken" if total["estimated"] else "")
