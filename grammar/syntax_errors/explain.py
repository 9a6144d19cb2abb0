"""Diagnostics of syntax errors: the first rule that recognizes the mistake explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.base.source import SourceText
from hl_dsl.grammar.syntax_errors.brackets import BRACKET_MISTAKES, at_the_end
from hl_dsl.grammar.syntax_errors.characters import CHARACTER_MISTAKES
from hl_dsl.grammar.syntax_errors.declaration_keywords import KEYWORD_MISTAKES
from hl_dsl.grammar.syntax_errors.declarations import DECLARATION_MISTAKES
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, ErrorContext, Rule, reserved_word_error
from hl_dsl.grammar.syntax_errors.expressions import EXPRESSION_MISTAKES, misspelled
from hl_dsl.grammar.syntax_errors.names import NAME_MISTAKES, after_the_end
from hl_dsl.grammar.syntax_errors.plans import PLAN_MISTAKES
from hl_dsl.grammar.syntax_errors.properties import PROPERTY_MISTAKES
from hl_dsl.grammar.syntax_errors.rules import RULE_MISTAKES
from hl_dsl.grammar.syntax_errors.tokens import TOKEN_MISTAKES
from hl_dsl.grammar.tree.keywords import RESERVED_FOR_LATER

_VALUES = frozenset(("NUMBER", "NAME", "true", "false", "(", "[", "-"))
_OPERATORS = frozenset(("+", "-", "*", "/", "//", "<", "<=", ">", ">=", "==", "!=", "and", "or", "implies", "in", "["))
_LITERALS = frozenset(("NUMBER", "NAME", "true", "false", "[", "-"))
_IN_WORDS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'the environment in quotes, such as "Breakout-v5"',
    "END": "the end of the text",
}


def explain_error(
    source: SourceText, offset: int, accepts: Iterable[str], first_error: Callable[[str], int | None]
) -> Diagnostic:
    """Returns the diagnostic of a text that cannot be parsed beyond `offset`.

    Args:
        source: The text.
        offset: Where the parser stopped.
        accepts: Tokens that the parser would have accepted there.
        first_error: Parses another text; returns the offset of its error, or None. A repair is offered only if the
            repaired text does not fail at the same place.
    """
    context = ErrorContext(source, offset, frozenset(accepts), first_error)
    finding = next(filter(None, (rule(context) for rule in _MISTAKES)))
    if not finding.expected and finding.code in _GENERIC:
        finding = replace(finding, expected=expected_words(context.accepts))
    if finding.repair is not None and not context.accepts_repair(finding.repair):
        finding = replace(finding, repair=None)
    return finding


def expected_words(accepts: frozenset[str]) -> tuple[str, ...]:
    """Returns descriptions of the accepted tokens, the most likely kind first."""
    rest, words = set(accepts), []
    for group, text in (
        (_VALUES, "a value"),
        (_LITERALS, "a literal (a number, true, false or a name)"),
        (frozenset(("NUMBER", "-")), "a number"),
        (_OPERATORS, "an operator"),
        (frozenset(DECLARATIONS), "a declaration (`let`, `param`, `memory`, …)"),
    ):
        if group <= rest:
            words.append(text)
            # Not listed in addition to a value: its brackets, and the words that it may start with.
            rest -= group | {"not", "if", "("}
    words += [_IN_WORDS[name] for name in _IN_WORDS if name in rest]
    words += [f"`{text}`" for text in sorted(rest - set(_IN_WORDS))]
    return tuple(words)


def _reserved_for_future(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    return (
        reserved_word_error(token.span, token.text)
        if token.text in RESERVED_FOR_LATER and token.kind == "word"
        else None
    )


def _anything(context: ErrorContext) -> Diagnostic:
    token = context.token
    shown = token.text if len(token.text) <= 30 else token.text[:29] + "…"
    repair = None
    if len(context.accepts) == 1 and not context.accepts & set(_IN_WORDS):
        (only,) = context.accepts
        repair = context.insert(token.start, only + " ", f"write `{only}` before this")
    what = f"`{shown}`" if token.kind != "string" else "a text in quotes"
    return context.finding(
        "HL103",
        f"{what} is not allowed here",
        f"after `{context.previous.text[-30:]}`" if context.previous.text else "at the start",
        repair=repair,
    )


_GENERIC = ("HL103", "HL104", "HL145")
_MISTAKES: tuple[Rule, ...] = (
    *PLAN_MISTAKES,
    *TOKEN_MISTAKES,
    *CHARACTER_MISTAKES,
    _reserved_for_future,
    after_the_end,
    at_the_end,
    *PROPERTY_MISTAKES,
    *RULE_MISTAKES,
    *NAME_MISTAKES,
    *DECLARATION_MISTAKES,
    *KEYWORD_MISTAKES,
    *EXPRESSION_MISTAKES,
    *BRACKET_MISTAKES,
    misspelled,
    _anything,
)
