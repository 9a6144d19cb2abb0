"""Program texts as a report shows them, and how one differs from another."""

from __future__ import annotations

from difflib import unified_diff

from hl_dsl.grammar.formatter.format import format_text
from hl_dsl.synth.evaluation.policy_header import without_measured

from hl_dsl.base.errors import HLError


def display_text(text: str) -> str:
    """In the one layout, without what was measured of another program; as it is where this version cannot read it."""
    plain = without_measured(text)
    try:
        return format_text(plain)
    except HLError:
        return plain


def unified_diff_lines(before: str, after: str, name_before: str, name_after: str) -> list[str]:
    """The unified diff of two texts, line by line without line ends; empty where they are the same."""
    return list(unified_diff(before.splitlines(), after.splitlines(), name_before, name_after, lineterm=""))
