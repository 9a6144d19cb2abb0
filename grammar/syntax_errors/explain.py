"""What to say where the text does not parse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hl_dsl.grammar.syntax_errors.brackets import BRACKET_MISTAKES, at_the_end
from hl_dsl.grammar.syntax_errors.declarations import DECLARATION_MISTAKES
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, ErrorContext, kept_for_later
from hl_dsl.grammar.syntax_errors.expressions import EXPRESSION_MISTAKES, misspelled
from hl_dsl.grammar.syntax_errors.names import NAME_MISTAKES, after_the_end
from hl_dsl.grammar.syntax_errors.plans import PLAN_MISTAKES
from hl_dsl.grammar.syntax_errors.properties import PROPERTY_MISTAKES
from hl_dsl.grammar.syntax_errors.rules import RULE_MISTAKES
from hl_dsl.grammar.syntax_errors.tokens import SIGN_MISTAKES
from hl_dsl.grammar.tree.keywords import RESERVED_FOR_LATER

from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.base.source import SourceText

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
    """The finding for a text that cannot be parsed beyond `offset`, where the parser would have taken `accepts`.

    `first_error` tells how far another text parses; a repair is only offered where it gets past this error.
    """
    trouble = ErrorContext(source, offset, frozenset(accepts), first_error)
    finding: Diagnostic = next(filter(None, (mistake(trouble) for mistake in _MISTAKES)))
    if not finding.expected and finding.code in _GENERIC:
        finding = replace(finding, expected=expected_words(trouble.accepts))
    if finding.repair is not None and not trouble.mends(finding.repair):
        finding = replace(finding, repair=None)
    return finding


def expected_words(accepts: frozenset[str]) -> tuple[str, ...]:
    """What could have stood there, in words for people, the likeliest kind first."""
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
            # What goes without saying beside a value: its brackets, and the words it may begin with.
            rest -= group | {"not", "if", "("}
    words += [_IN_WORDS[name] for name in _IN_WORDS if name in rest]
    words += [f"`{text}`" for text in sorted(rest - set(_IN_WORDS))]
    return tuple(words)


def _kept_for_later(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    return kept_for_later(token.span, token.text) if token.text in RESERVED_FOR_LATER and token.kind == "word" else None


def _anything(trouble: ErrorContext) -> Diagnostic:
    token = trouble.token
    shown = token.text if len(token.text) <= 30 else token.text[:29] + "…"
    repair = None
    if len(trouble.accepts) == 1 and not trouble.accepts & set(_IN_WORDS):
        (only,) = trouble.accepts
        repair = trouble.insert(token.start, only + " ", f"write `{only}` before this")
    what = f"`{shown}`" if token.kind != "string" else "a text in quotes"
    return trouble.finding(
        "HL103",
        f"{what} cannot stand here",
        f"after `{trouble.previous.text[-30:]}`" if trouble.previous.text else "at the beginning",
        repair=repair,
    )


_GENERIC = ("HL103", "HL104", "HL145")
_MISTAKES = (
    *PLAN_MISTAKES,
    *SIGN_MISTAKES,
    _kept_for_later,
    after_the_end,
    at_the_end,
    *PROPERTY_MISTAKES,
    *RULE_MISTAKES,
    *NAME_MISTAKES,
    *DECLARATION_MISTAKES,
    *EXPRESSION_MISTAKES,
    *BRACKET_MISTAKES,
    misspelled,
    _anything,
)
