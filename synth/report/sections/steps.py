"""Sections on accepted and rejected programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element, joined
from hl_dsl.synth.report.sections.components import diff_lines, number, section, soft, table


def steps(document: Mapping[str, Any]) -> Markup:
    """Returns the section with the accepted programs and their diffs."""
    entries = document["steps"]
    if not entries:
        return section("Accepted steps", soft("No step was accepted yet."))
    line = {node["program_hash"] for node in document["lineage"]["nodes"] if node["on_line"]}
    return section(
        "Accepted steps",
        soft("The steps of the lineage of the best program are expanded."),
        *(_step(step, step["program_hash"] in line) for step in entries),
    )


def _step(step: Mapping[str, Any], on_line: bool) -> Markup:
    # The initial program has no proposer.
    start = not step["change"] and not step["parent_hashes"]
    by = "" if start else " ".join(text for text in (step["proposer"], step["model"] and f"({step['model']})") if text)
    change = "initial program" if start else step["change"] or "change not described"
    summary = element(
        "summary",
        element("b", f"{step['name']}: {number(step['score'])}"),
        f" {change}",
        element("span", f" · {by}", class_="soft") if by else None,
    )
    return element("details", summary, *_inside(step), open=on_line)


def _inside(step: Mapping[str, Any]) -> list[Markup | None]:
    facts = [
        f"program {step['program_hash']}",
        f"from {step['parent']}" if step["parent"] else None,
        "crossed with " + ", ".join(step["crossed_with"]) if step["crossed_with"] else None,
        step["reason"] or None,
        f"{number(step['environment_steps'])} environment steps",
        None if step["tokens"] is None else f"{number(step['tokens'])} tokens",
        None if step["cost"] is None else f"cost {number(step['cost'])}",
        f"proof: {step['proof']}" if step["proof"] else None,
    ]
    parts: list[Markup | None] = [soft(" · ".join(fact for fact in facts if fact))]
    if step["said"]:
        parts += [element("h3", "Comment of its author"), element("pre", step["said"], class_="said")]
    return [*parts, _difference(step)]


def _difference(step: Mapping[str, Any]) -> Markup:
    if step["diff"]:
        return diff_lines(step["diff"])
    if step["diff"] is not None:
        return soft("The text equals that of its parent.")
    missing = soft("Its parent is not in this ledger; this is the whole program.") if step["parent_hashes"] else None
    return joined(missing, element("pre", step["program"]))


def rejected(document: Mapping[str, Any]) -> Markup:
    """Returns the section with the number of rejected programs by gate."""
    rows = [
        (row["gate"], row["means"], number(row["count"]), number(row["environment_steps"]), _reasons(row))
        for row in document["rejections"]
    ]
    return section(
        "Rejected, by gate", table(("gate", "meaning", "programs", "steps", "most frequent reasons"), rows, (2, 3))
    )


def _reasons(step: Mapping[str, Any]) -> Markup:
    return joined(
        *(element("div", f"{row['count']:,} × {row['reason'] or 'no reason given'}") for row in step["reasons"])
    )
