"""What was accepted and what was not, on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element, joined
from hl_dsl.synth.report.sections.components import diff_lines, number, section, soft, table


def steps(document: Mapping[str, Any]) -> Markup:
    every = document["steps"]
    if not every:
        return section("Accepted steps", soft("No step was accepted yet."))
    line = {node["program_hash"] for node in document["family"]["nodes"] if node["on_line"]}
    return section(
        "Accepted steps",
        soft("The steps on the way to the best program are open."),
        *(_step(one, one["program_hash"] in line) for one in every),
    )


def _step(one: Mapping[str, Any], on_line: bool) -> Markup:
    # Nobody proposed what the run began with, whoever was to propose the rest.
    start = not one["change"] and not one["parent_hashes"]
    by = "" if start else " ".join(text for text in (one["proposer"], one["model"] and f"({one['model']})") if text)
    change = "the program it began with" if start else one["change"] or "no word on what changed"
    summary = element(
        "summary",
        element("b", f"{one['name']}: {number(one['score'])}"),
        f" {change}",
        element("span", f" · {by}", class_="soft") if by else None,
    )
    return element("details", summary, *_inside(one), open=on_line)


def _inside(one: Mapping[str, Any]) -> list[Markup | None]:
    facts = [
        f"program {one['program_hash']}",
        f"from {one['parent']}" if one["parent"] else None,
        "crossed with " + ", ".join(one["crossed_with"]) if one["crossed_with"] else None,
        one["reason"] or None,
        f"{number(one['environment_steps'])} environment steps",
        None if one["tokens"] is None else f"{number(one['tokens'])} tokens",
        None if one["cost"] is None else f"cost {number(one['cost'])}",
        f"proof: {one['proof']}" if one["proof"] else None,
    ]
    parts: list[Markup | None] = [soft(" · ".join(fact for fact in facts if fact))]
    if one["said"]:
        parts += [element("h3", "What its author said"), element("pre", one["said"], class_="said")]
    return [*parts, _difference(one)]


def _difference(one: Mapping[str, Any]) -> Markup:
    if one["diff"]:
        return diff_lines(one["diff"])
    if one["diff"] is not None:
        return soft("The text is its parent's.")
    missing = soft("Its parent is not in this ledger; this is the whole program.") if one["parent_hashes"] else None
    return joined(missing, element("pre", one["program"]))


def rejected(document: Mapping[str, Any]) -> Markup:
    rows = [
        (one["gate"], one["means"], number(one["count"]), number(one["environment_steps"]), _reasons(one))
        for one in document["rejections"]
    ]
    return section(
        "Rejected, by gate", table(("gate", "what it means", "programs", "steps", "commonest reasons"), rows, (2, 3))
    )


def _reasons(one: Mapping[str, Any]) -> Markup:
    return joined(
        *(element("div", f"{row['count']:,} × {row['reason'] or 'no reason given'}") for row in one["reasons"])
    )
