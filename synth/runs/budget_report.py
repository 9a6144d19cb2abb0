"""Budgets of a run and what was spent of them, computed from its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.call_totals import call_totals, open_calls
from hl_dsl.synth.runs.statuses import STUDY_KINDS, TrialKind

BUDGET_EVENT = "budget"
_UNITS = {
    "steps": "environment steps",
    "programs": "programs",
    "tokens": "tokens",
    "cost": "cost",
    "seconds": "seconds",
}


def budget_event(budget: Budget) -> dict[str, Any]:
    """Returns the event that records the limits. It is appended at each start and resume, since limits may change."""
    return {
        "event": BUDGET_EVENT,
        "steps": budget.steps,
        "programs": budget.programs,
        "tokens": budget.tokens,
        "cost": budget.cost,
        "seconds": budget.wall_seconds,
    }


def budget_rows(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns one row for each budget.

    The fields are `budget` (its unit), `limit` (None: unlimited or not recorded), `spent`, and `reserved` for work that
    is not settled yet. Wasted steps of interrupts and crashes are not included. `seconds` counts from the last start or
    resume, as its limit does.
    """
    position = next(
        (number for number in reversed(range(len(events))) if events[number].get("event") == BUDGET_EVENT), 0
    )
    limits = events[position] if events and events[position].get("event") == BUDGET_EVENT else {}
    trials = [event for event in events if event.get("event") == "trial" and event.get("kind") in STUDY_KINDS]
    steps, programs = _reserved(events)
    calls = call_totals(events) or {"tokens": 0, "cost": 0.0}
    # The totals include the reservations of open calls.
    waiting = open_calls(events)
    open_tokens = sum(event["reserved_tokens"] or 0 for event in waiting)
    open_cost = sum(event["reserved_cost"] or 0.0 for event in waiting)
    spent = {
        "steps": sum(event["environment_steps"] for event in trials),
        "programs": sum(event["kind"] != TrialKind.SIMPLIFY for event in trials),
        "tokens": calls["tokens"] - open_tokens,
        "cost": calls["cost"] - open_cost,
        "seconds": seconds_between(events[position:]),
    }
    reserved = {"steps": steps, "programs": programs, "tokens": open_tokens, "cost": open_cost, "seconds": 0.0}
    return [
        {"budget": unit, "spent": spent[name], "reserved": reserved[name], "limit": limits.get(name)}
        for name, unit in _UNITS.items()
    ]


def budget_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the rows that have a limit as text."""
    return [
        f"{row['budget']}: {_number(row['spent'])} of {_number(row['limit'])}"
        + (f", {_number(row['reserved'])} reserved" if row["reserved"] else "")
        for row in rows
        if row["limit"] is not None
    ]


def seconds_between(events: Sequence[Mapping[str, Any]]) -> float:
    """Returns the seconds from the first to the last event."""
    if not events:
        return 0.0
    first, last = (datetime.fromisoformat(event["time"]) for event in (events[0], events[-1]))
    return (last - first).total_seconds()


def _number(value: float | int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _reserved(events: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Returns the steps and programs of a generation of proposals that is not settled; zeros after the run has stopped.

    A tuning records its generations after they are settled, without proposals.
    """
    for position in reversed(range(len(events))):
        event = events[position]
        if event.get("event") == "stop":
            break
        if event.get("event") == "generation" and "proposals" in event:
            settled = [
                trial
                for trial in events[position:]
                if trial.get("event") == "trial" and trial.get("kind") == TrialKind.SEARCH
            ]
            waiting = len(event["proposals"]) - len(settled)
            taken = sum(trial["environment_steps"] for trial in settled)
            return (max(0, (event.get("reserved_steps") or 0) - taken), waiting) if waiting > 0 else (0, 0)
    return 0, 0
