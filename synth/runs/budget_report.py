"""What a run's budgets are and what became of them, from its ledger alone."""

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
    """What is recorded when a run begins, and when it goes on: its limits may have been changed."""
    return {
        "event": BUDGET_EVENT,
        "steps": budget.steps,
        "programs": budget.programs,
        "tokens": budget.tokens,
        "cost": budget.cost,
        "seconds": budget.wall_seconds,
    }


def budget_rows(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each budget: `budget` (its unit), `limit` (None: there is none, or none is recorded), `spent`, and what is
    `reserved` for what is not settled yet. Steps that an end cut off are on an account of their own and not in it. `seconds` are
    those since the run last began or went on, as the limit is."""
    place = next((number for number in reversed(range(len(events))) if events[number].get("event") == BUDGET_EVENT), None)
    limits = {} if place is None else events[place]
    trials = [event for event in events if event.get("event") == "trial"]
    search = [event for event in trials if event.get("kind") in STUDY_KINDS]
    steps, programs = _reserved(events)
    calls = call_totals(events) or {"tokens": 0, "cost": 0.0}
    # Of a call that is open its reservation is in the totals.
    waiting = open_calls(events)
    open_tokens, open_cost = (
        sum(event["reserved_tokens"] or 0 for event in waiting),
        sum(event["reserved_cost"] or 0.0 for event in waiting),
    )
    spent = {
        "steps": sum(event["environment_steps"] for event in search),
        "programs": sum(event["kind"] != TrialKind.SIMPLIFY for event in search),
        "tokens": calls["tokens"] - open_tokens,
        "cost": calls["cost"] - open_cost,
        "seconds": _seconds(events[place or 0 :]),
    }
    reserved = {"steps": steps, "programs": programs, "tokens": open_tokens, "cost": open_cost, "seconds": 0.0}
    return [
        {"budget": unit, "spent": spent[name], "reserved": reserved[name], "limit": limits.get(name)}
        for name, unit in _UNITS.items()
    ]


def budget_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The budgets that have a limit, for people."""
    return [
        f"{row['budget']}: {_number(row['spent'])} of {_number(row['limit'])}"
        + (f", {_number(row['reserved'])} reserved" if row["reserved"] else "")
        for row in rows
        if row["limit"] is not None
    ]


def _number(value: float | int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _reserved(events: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Steps and programs of a generation of proposals that is not settled; none once the run has stopped. A tuning records its
    generations when they are settled, without proposals."""
    for place in reversed(range(len(events))):
        kind = events[place].get("event")
        if kind == "stop":
            break
        if kind == "generation" and "proposals" in events[place]:
            found = events[place]
            settled = [
                event
                for event in events[place:]
                if event.get("event") == "trial" and event.get("kind") == TrialKind.SEARCH
            ]
            waiting = len(found["proposals"]) - len(settled)
            taken = sum(event["environment_steps"] for event in settled)
            return (max(0, (found.get("reserved_steps") or 0) - taken), waiting) if waiting > 0 else (0, 0)
    return 0, 0


def _seconds(events: Sequence[Mapping[str, Any]]) -> float:
    if not events:
        return 0.0
    first, last = (datetime.fromisoformat(event["time"]) for event in (events[0], events[-1]))
    return (last - first).total_seconds()
