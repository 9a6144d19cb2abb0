"""What to say where the text does not parse."""

from __future__ import annotations

from hl_dsl.diagnostics import Diagnostic
from hl_dsl.source import Source, Span


def explain_character(source: Source, offset: int) -> Diagnostic:
    return Diagnostic("HL102", f"`{source.text[offset]}` means nothing here", Span(offset, offset + 1), "unexpected character")


def explain_end(source: Source, expected: set[str]) -> Diagnostic:
    end = len(source.text.rstrip())
    return Diagnostic("HL104", "the text ends too early", Span(max(0, end - 1), end), "after this")


def explain_token(source: Source, error) -> Diagnostic:
    token = error.token
    return Diagnostic("HL103", f"`{token.value}` cannot stand here", Span(token.start_pos, token.end_pos), "unexpected",
                      expected=tuple(sorted(error.expected)))
