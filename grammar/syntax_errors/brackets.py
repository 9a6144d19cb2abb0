"""Brackets without a partner, and texts that end too early."""

from __future__ import annotations

from hl_dsl.base.diagnostics import Diagnostic, Label
from hl_dsl.grammar.syntax_errors.error_context import CLOSERS, DECLARATIONS, OPENERS, ErrorContext, Lexeme

_SAYS = {"(": "this `(` is not closed", "[": "this `[` is not closed", "{": "this `{` is not closed"}


def at_the_end(context: ErrorContext) -> Diagnostic | None:
    """The text ends, but the policy does not."""
    if context.token.kind != "end":
        return None
    end = len(context.text.rstrip())
    place = context.previous.span
    unclosed = context.open_brackets
    if not unclosed:
        return context.finding("HL104", "the text ends before the policy does", "after this", place)
    suspect = _misindented(context) or unclosed[-1]
    last = context.previous
    # A comment may be the last thing in the text: what closes the bracket goes to a line of its own.
    separator = "\n" if suspect.text == "{" or end > last.end else ""
    closers = separator + separator.join(OPENERS[opener.text] for opener in reversed(unclosed)) + separator
    repair = context.insert(
        end,
        closers,
        f"close {'it' if len(unclosed) == 1 else 'them'}: `{closers.split() and ' '.join(closers.split())}`",
    )
    return context.finding(
        "HL104",
        "the text ends before the policy does",
        "after this",
        place,
        others=(Label(suspect.span, _SAYS[suspect.text]),),
        repair=repair,
    )


def _misindented(context: ErrorContext) -> Lexeme | None:
    """The first `{` whose `}` is further left than the line of the `{`: that `}` was meant for another."""
    stack: list[Lexeme] = []
    for lexeme in context.lexemes:
        if lexeme.text == "{":
            stack.append(lexeme)
        elif lexeme.text == "}" and stack:
            opener = stack.pop()
            if context.starts_line(lexeme) and _indentation(context, lexeme) < _indentation(context, opener):
                return opener
    return None


def _indentation(context: ErrorContext, lexeme: Lexeme) -> int:
    line = context.text[context.text.rfind("\n", 0, lexeme.start) + 1 : lexeme.end].expandtabs()
    return len(line) - len(line.lstrip())


def _stray_closer(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.text not in CLOSERS or token.kind != "sign":
        return None
    if any(opener.text == CLOSERS[token.text] for opener in context.open_brackets):
        return None
    innermost = context.open_brackets[-1:] if context.open_brackets else []
    if innermost and OPENERS[innermost[0].text] in context.accepts and innermost[0].text != "{":
        closer = OPENERS[innermost[0].text]
        return context.finding(
            "HL132",
            f"`{token.text}` does not close `{innermost[0].text}`",
            f"`{closer}` is expected",
            others=(Label(innermost[0].span, "opened here"),),
            repair=context.replace(token, closer, f"write `{closer}`"),
        )
    return context.finding(
        "HL132",
        f"this `{token.text}` has no opening bracket",
        f"no `{CLOSERS[token.text]}` is open here",
        repair=context.drop(token, "remove it"),
    )


def _unclosed(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if not context.open_brackets:
        return None
    opener = context.open_brackets[-1]
    closer = OPENERS[opener.text]
    ends_bracket = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in ("when", "otherwise", "=>", "->", "then", "else", "{", "=")
    )
    ends_bracket = ends_bracket or (context.is_name(token) and context.next.text == "{")
    if closer not in context.accepts or token.text == closer or not ends_bracket:
        return None
    at = context.previous.end
    return context.finding(
        "HL132",
        f"`{closer}` is missing before `{token.text}`",
        "not closed before this",
        others=(Label(opener.span, _SAYS[opener.text]),),
        repair=context.insert(at, (" " if closer == "}" else "") + closer, f"close it: `{closer}`"),
    )


BRACKET_MISTAKES = (_stray_closer, _unclosed)
