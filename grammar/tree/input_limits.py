"""Limits of a program's text, checked before a later stage could fail on it."""

from __future__ import annotations

import re

from hl_dsl.base.diagnostics import Diagnostic, ProgramError, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration, children, expressions

LONGEST_TEXT = 200_000  # characters; the longest hand-written policy known is under 20,000
DEEPEST_NESTING = 128  # of expressions; every later stage walks them recursively
MOST_TICKS = 2**53 - 2  # of `within N of`; its counter, one past the last, then is an int like any other
_MOST_BRACKETS = (
    2 * DEEPEST_NESTING + 4
)  # the formatter may put two pairs around a level, and a policy has four of its own
_BRACKETS = re.compile(r'"[^"\n]*"|#[^\n]*|[()\[\]{}]')
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|\r(?!\n)")


def require_program_text(source: SourceText) -> None:
    """Raises `ProgramError` for an empty, oversized, binary or absurdly nested text, before it is parsed."""
    text = source.text
    if len(text) > LONGEST_TEXT:
        raise ProgramError(
            source,
            [
                Diagnostic(
                    "HL110",
                    f"this text has {len(text):,} characters; a policy may have {LONGEST_TEXT:,}",
                    Span(0, 1),
                    "is this a policy file?",
                )
            ],
        )
    if not text.strip():
        raise ProgramError(
            source,
            [
                Diagnostic(
                    "HL101",
                    "the file is empty",
                    Span(0, 0),
                    "a policy starts here",
                    expected=('policy NAME for "ENVIRONMENT" { … }',),
                )
            ],
        )
    if match := _NOT_TEXT.search(text):
        where = Span(*match.span())
        what = (
            "a line ends in a lone carriage return"
            if match.group() == "\r"
            else f"the control character U+{ord(match.group()):04X} is not text"
        )
        raise ProgramError(
            source,
            [
                Diagnostic(
                    "HL105",
                    what,
                    where,
                    "is this a text file?",
                    repair=Repair(where, "\n" if match.group() == "\r" else "", "leave it out"),
                )
            ],
        )
    if sum(map(text.count, "([{")) > _MOST_BRACKETS:
        _require_shallow_brackets(source)


def _require_shallow_brackets(source: SourceText) -> None:
    depth = 0
    for match in _BRACKETS.finditer(source.text):
        depth = depth + 1 if match.group() in "([{" else max(0, depth - (match.group() in ")]}"))
        if depth > _MOST_BRACKETS:
            raise ProgramError(source, [_too_deep(Span(*match.span()), "brackets", _MOST_BRACKETS)])


def require_shallow_expressions(source: SourceText, policy: PolicyDeclaration) -> None:
    """Raises `ProgramError` where an expression is deeper than later stages can walk."""
    for declaration in policy.declarations:
        # A level takes a character at least, so that only long declarations need a look.
        if declaration.span.end - declaration.span.start <= DEEPEST_NESTING:
            continue
        for top in expressions(declaration):
            level, depth = [top], 0
            while level:
                depth += 1
                if depth > DEEPEST_NESTING:
                    raise ProgramError(source, [_too_deep(level[0].span, "expressions", DEEPEST_NESTING)])
                level = [child for node in level for child in children(node)]


def _too_deep(span: Span, what: str, limit: int) -> Diagnostic:
    return Diagnostic(
        "HL111", f"{what} are nested more than {limit} deep", span, "one too many here: name a part with `let`"
    )
