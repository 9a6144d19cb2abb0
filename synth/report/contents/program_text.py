"""Program texts of a report: the formatted text and unified diffs."""

from __future__ import annotations

from difflib import unified_diff

from hl_dsl.base.errors import HLError
from hl_dsl.grammar.formatter.format import format_text
from hl_dsl.synth.evaluation.policy_header import without_measured


def display_text(text: str) -> str:
    """Returns a text formatted and without the measurements in its header; unformatted if it does not parse."""
    plain = without_measured(text)
    try:
        return format_text(plain)
    except HLError:
        return plain


def unified_diff_lines(before: str, after: str, name_before: str, name_after: str) -> list[str]:
    """Returns the unified diff of two texts as lines without line ends; empty if the texts are equal."""
    return list(unified_diff(before.splitlines(), after.splitlines(), name_before, name_after, lineterm=""))
