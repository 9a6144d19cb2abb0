"""Sections on the cost and the settings of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element
from hl_dsl.synth.report.sections.components import number, section, soft, table
from hl_dsl.synth.runs.call_totals import calls_line


def spent(document: Mapping[str, Any]) -> Markup:
    """Returns the section with the totals and budgets of the run."""
    cost = document["spent"]
    budget = "" if cost["budget_steps"] is None else f" of a budget of {number(cost['budget_steps'])} for the search"
    rows = [
        ("environment steps", f"{number(cost['environment_steps'])}{budget}"),
        ("of these, wasted by interrupts and crashes", number(cost["lost_steps"])),
        ("videos of this report, recorded separately", f"{number(cost['video_steps'])} steps"),
        *(
            [("model steps of planning, in addition to environment steps", number(cost["planning_steps"]))]
            if cost["planning_steps"]
            else []
        ),
        ("episodes", number(cost["episodes"])),
        ("programs", f"{number(cost['programs'])} in {number(cost['generations'])} generations"),
        ("from the first event to the last", f"{cost['seconds']:,.0f} s"),
        ("CPU time of the trials", f"{cost['cpu_seconds']:,.1f} s"),
        ("calls", calls_line(cost["calls"]) if cost["calls"] else "none"),
        ("tokens", number(cost["tokens"])),
        ("cost", _cost(cost)),
        ("stopped", document["stop_reason"] or f"no: {document['status']}"),
    ]
    budgets = [
        (
            row["budget"],
            number(row["spent"]),
            number(row["reserved"]),
            "no limit" if row["limit"] is None else number(row["limit"]),
        )
        for row in cost["budgets"]
    ]
    return section("Spent", table(("", ""), rows), table(("budget", "spent", "reserved", "limit"), budgets, (1, 2, 3)))


def _cost(cost: Mapping[str, Any]) -> str:
    unknown = cost["calls"] is not None and cost["calls"]["cost_unknown"] == cost["calls"]["calls"]
    return "unknown" if unknown else number(cost["cost"])


def settings(document: Mapping[str, Any]) -> Markup | None:
    """Returns the section with the settings of the run."""
    if not document["settings"]:
        return section("Settings", soft("This ledger belongs to no run, so no settings are recorded."))
    rows = [
        (name.replace("_", " "), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in document["settings"].items()
    ]
    return section(
        "Settings", element("details", element("summary", "Settings at the start of the run"), table(("", ""), rows))
    )
