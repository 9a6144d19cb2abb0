"""Sections on the best program: text, proof, scores on held-out seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.base.text import counted
from hl_dsl.synth.report.drawing.markup import Markup, element
from hl_dsl.synth.report.sections.components import number, section, soft, table
from hl_dsl.verify.goals.statuses import ProofStatus


def best_program(document: Mapping[str, Any]) -> Markup | None:
    """Returns the section with the text of the best program; None if no program was accepted."""
    best = document["best"]
    if best is None:
        return None
    seeds = best["seeds"]
    development_seeds = counted(len(seeds), "development seed")
    summary = f"{best['name']}, program {best['program_hash']}: {number(best['mean'])} on {development_seeds}"
    summary += f" ({number(best['min'])} to {number(best['max'])})" if len(seeds) > 1 else ""
    counts = [
        f"{event} {sum(best[name].values()):,} times"
        for name, event in (
            ("assumption_violations", "an assumption failed"),
            ("monitor_violations", "a monitor was violated"),
            ("out_of_range", "an observation was out of range"),
        )
        if sum(best[name].values())
    ]
    return section(
        "The best program",
        element("p", summary),
        element("p", "In its episodes " + ", ".join(counts) + ".", class_="note") if counts else None,
        element("pre", best["program"]),
    )


def proved(document: Mapping[str, Any]) -> Markup | None:
    """Returns the section on the proof of the best program; None if no program was accepted."""
    proof = document["proof"]
    if proof is None:
        return None
    recorded = element("p", f"Recorded: {proof['recorded'] or 'nothing'}. For this report: {proof['summary']}.")
    if proof["results"] is None:
        return section("Proof of the best program", recorded)
    shown = [
        result
        for result in proof["results"]
        if result["status"] != ProofStatus.PROVED or result["kind"] in ("invariant", "reachable")
    ]
    rest = len(proof["results"]) - len(shown)
    rows = [(result["name"] or result["id"], result["status"], result["claim"], result["method"]) for result in shown]
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
        "Proved: from every initial state, for every parameter and finite input within its declared range, at every "
        "tick, under the assumptions that the program names. It is not a statement on the score."
    )
    return section(
        "Proof of the best program",
        recorded,
        table(("property", "status", "claim", "method"), rows) if rows else None,
        meaning,
    )


def held_out(document: Mapping[str, Any]) -> Markup | None:
    """Returns the section with the held-out scores; None if there is no best program."""
    rows = document["held_out"]
    if not rows:
        return None
    scored = [row for row in rows if row["scored"]]
    heads = ("protocol", "mean", "min", "max", "episodes", "distinct", "seeds", "violated assumptions", "remark")
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
