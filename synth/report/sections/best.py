"""The best program on the page: its text, what is proved of it, its scores on held-out seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element
from hl_dsl.synth.report.sections.components import number, section, soft, table
from hl_dsl.verify.goals.statuses import ProofStatus

from hl_dsl.base.text import counted


def best_program(document: Mapping[str, Any]) -> Markup | None:
    best = document["best"]
    if best is None:
        return None
    seeds = best["seeds"]
    about = f"{best['name']}, program {best['program_hash']}: {number(best['mean'])} on {counted(len(seeds), 'development seed')}"
    about += f" ({number(best['min'])} to {number(best['max'])})" if len(seeds) > 1 else ""
    broken = [
        f"{what} {sum(best[name].values()):,} times"
        for name, what in (
            ("assumption_violations", "an assumption failed"),
            ("monitor_violations", "a monitor was broken"),
            ("out_of_range", "an observation was out of range"),
        )
        if sum(best[name].values())
    ]
    return section(
        "The best program",
        element("p", about),
        element("p", "In its episodes " + ", ".join(broken) + ".", class_="note") if broken else None,
        element("pre", best["program"]),
    )


def proved(document: Mapping[str, Any]) -> Markup | None:
    proof = document["proof"]
    if proof is None:
        return None
    recorded = element("p", f"On record: {proof['recorded'] or 'nothing'}. For this report: {proof['summary']}.")
    if proof["results"] is None:
        return section("What is proved of it", recorded)
    told = [
        one
        for one in proof["results"]
        if one["status"] != ProofStatus.PROVED or one["kind"] in ("invariant", "reachable")
    ]
    rest = len(proof["results"]) - len(told)
    rows = [(one["name"] or one["id"], one["status"], one["claim"], one["method"]) for one in told]
    rows += (
        [
            (
                "well-definedness",
                ProofStatus.PROVED,
                f"{counted(rest, 'obligation')}: no division by zero, no overflow, every memory in its range, …",
                "",
            )
        ]
        if rest
        else []
    )
    meaning = soft(
        "Proved: from every initial state, for every parameter and finite input within its declared range, at every tick, under the assumptions "
        "the program names. It says nothing of the score."
    )
    return section(
        "What is proved of it",
        recorded,
        table(("property", "status", "claim", "method"), rows) if rows else None,
        meaning,
    )


def held_out(document: Mapping[str, Any]) -> Markup | None:
    rows = document["held_out"]
    if not rows:
        return None
    scored = [row for row in rows if row["scored"]]
    heads = ("protocol", "mean", "min", "max", "episodes", "distinct", "seeds", "broken assumptions", "remark")
    shown = table(heads, [_scored(row) for row in scored], (1, 2, 3, 4, 5, 7)) if scored else None
    missing = [
        element("p", f"{row['protocol']}: not scored on held-out seeds yet: ", element("code", row["command"]))
        for row in rows
        if not row["scored"]
    ]
    return section("Held-out seeds", shown, *missing)


def _scored(row: Mapping[str, Any]) -> tuple[str, ...]:
    seeds = row["seeds"]
    named = str(seeds[0]) if len(seeds) == 1 else f"{min(seeds)}..{max(seeds)}"
    remark = "" if row["max_steps"] is None else f"episodes ended after {row['max_steps']:,} steps"
    return (
        row["protocol"],
        number(row["mean"]),
        number(row["min"]),
        number(row["max"]),
        number(row["episodes"]),
        number(row["distinct_trajectories"]),
        named,
        number(row["assumption_violations"]),
        remark,
    )
