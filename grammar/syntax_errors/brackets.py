"""Brackets without a partner, and texts that end too early."""

from __future__ import annotations

from hl_dsl.grammar.syntax_errors.error_context import CLOSERS, DECLARATIONS, OPENERS, ErrorContext, Lexeme

from hl_dsl.base.diagnostics import Diagnostic, Label

_SAYS = {"(": "this `(` is never closed", "[": "this `[` is never closed", "{": "this `{` is never closed"}


def at_the_end(trouble: ErrorContext) -> Diagnostic | None:
    """The text ends, but the policy does not."""
    if trouble.token.kind != "end":
        return None
    end = len(trouble.text.rstrip())
    place = trouble.previous.span
    unclosed = trouble.open_brackets
    if not unclosed:
        return trouble.finding("HL104", "the text ends before the policy does", "after this", place)
    suspect = _misindented(trouble) or unclosed[-1]
    last = trouble.previous
    # A comment may be the last thing in the text: what closes the bracket goes to a line of its own.
    separator = "\n" if suspect.text == "{" or end > last.end else ""
    closers = separator + separator.join(OPENERS[opener.text] for opener in reversed(unclosed)) + separator
    repair = trouble.insert(
        end,
        closers,
        f"close {'it' if len(unclosed) == 1 else 'them'}: `{closers.split() and ' '.join(closers.split())}`",
    )
    return trouble.finding(
        "HL104",
        "the text ends before the policy does",
        "after this",
        place,
        others=(Label(suspect.span, _SAYS[suspect.text]),),
        repair=repair,
    )


def _misindented(trouble: ErrorContext) -> Lexeme | None:
    """The first `{` whose `}` stands further left than the line of the `{`: that `}` was meant for another."""
    stack: list[Lexeme] = []
    for lexeme in trouble.lexemes:
        if lexeme.text == "{":
            stack.append(lexeme)
        elif lexeme.text == "}" and stack:
            opener = stack.pop()
            if trouble.begins_line(lexeme) and _indentation(trouble, lexeme) < _indentation(trouble, opener):
                return opener
    return None


def _indentation(trouble: ErrorContext, lexeme: Lexeme) -> int:
    line = trouble.text[trouble.text.rfind("\n", 0, lexeme.start) + 1 : lexeme.end].expandtabs()
    return len(line) - len(line.lstrip())


def _stray_closer(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.text not in CLOSERS or token.kind != "sign":
        return None
    if any(opener.text == CLOSERS[token.text] for opener in trouble.open_brackets):
        return None
    innermost = trouble.open_brackets[-1:] if trouble.open_brackets else []
    if innermost and OPENERS[innermost[0].text] in trouble.accepts and innermost[0].text != "{":
        closer = OPENERS[innermost[0].text]
        return trouble.finding(
            "HL132",
            f"`{token.text}` does not close `{innermost[0].text}`",
            f"`{closer}` is wanted",
            others=(Label(innermost[0].span, "opened here"),),
            repair=trouble.replace(token, closer, f"write `{closer}`"),
        )
    return trouble.finding(
        "HL132",
        f"this `{token.text}` closes nothing",
        f"no `{CLOSERS[token.text]}` is open here",
        repair=trouble.drop(token, "leave it out"),
    )


def _unclosed(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if not trouble.open_brackets:
        return None
    opener = trouble.open_brackets[-1]
    closer = OPENERS[opener.text]
    ends_bracket = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in ("when", "otherwise", "=>", "->", "then", "else", "{", "=")
    )
    ends_bracket = ends_bracket or (trouble.is_name(token) and trouble.next.text == "{")
    if closer not in trouble.accepts or token.text == closer or not ends_bracket:
        return None
    at = trouble.previous.end
    return trouble.finding(
        "HL132",
        f"`{closer}` is missing before `{token.text}`",
        "not closed before this",
        others=(Label(opener.span, _SAYS[opener.text]),),
        repair=trouble.insert(at, (" " if closer == "}" else "") + closer, f"close it: `{closer}`"),
    )


BRACKET_MISTAKES = (_stray_closer, _unclosed)
