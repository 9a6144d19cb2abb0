"""Mistakes inside expressions."""

from __future__ import annotations

import difflib
import re

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import CLOSERS, DECLARATIONS, NUMBER, ErrorContext

# Words that are operators elsewhere.
_WORD_OPERATORS = {"is": "==", "equals": "==", "xor": "!=", "div": "//"}
_ELSE_IF = ("elif", "elseif", "elsif")


def _equals(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.text == "=" and context.after_value:
        return context.finding(
            "HL119",
            "`=` defines; values are compared with `==`",
            "compares two values",
            repair=context.replace(token, "==", "write `==`"),
        )
    if token.text == "==" and "=" in context.accepts and not context.after_value:
        return context.finding(
            "HL119",
            "`==` compares; a definition has one `=`",
            "defines a value",
            repair=context.replace(token, "=", "write `=`"),
        )
    return None


def _conditional(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.text in _ELSE_IF and (context.after_value or context.wants_declaration):
        return context.finding(
            "HL123",
            f"`{token.text}` is written `else if`",
            "two words",
            repair=context.replace(token, "else if", "write `else if`"),
        )
    if token.text in (":", "{") and context.wants_value and context.previous.text in ("then", "else"):
        return context.finding(
            "HL125",
            f"`{context.previous.text}` is followed by its value, without `{token.text}`",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if "then" in context.accepts:
        braces = re.match(r"\{([^{}]*)\}\s*else\s*\{([^{}]*)\}", context.text[token.start :])
        if braces:
            written = f"then {braces[1].strip()} else {braces[2].strip()}"
            place = Span(token.start, token.start + braces.end())
            return context.finding(
                "HL125",
                "`then` and `else` come before values, not before braces",
                "values, not blocks",
                place,
                repair=Repair(place, written, f"write `{written}`"),
            )
        if token.text in (":", "{", "=>", "->", ","):
            return context.finding(
                "HL125",
                "`then` comes between a condition and its value",
                "`then` is expected",
                repair=context.replace(
                    token, ("" if context.text[token.start - 1].isspace() else " ") + "then", "write `then`"
                ),
            )
        if (
            context.starts_value
            and token.text not in ("-", "[", "(")
            and token.text not in _WORD_OPERATORS
            and not (token.text == "not" and context.next.text == "in")
        ):
            return context.finding(
                "HL125",
                "`then` comes between a condition and its value",
                "`then` is missing before this",
                repair=context.insert(token.start, "then ", "write `then` before it"),
            )
        if token.text == "else" or token.text in DECLARATIONS or token.text == "}":
            return context.finding(
                "HL125", "`then` comes between a condition and its value", "`then` and a value are missing before this"
            )
    if "else" not in context.accepts:
        return None
    ends = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in (",", "when", "otherwise", "=>", "->")
        or token.kind == "end"
    )
    if ends or (context.is_name(token) and context.starts_line(token)):
        return context.finding(
            "HL122",
            "this `if` has no `else`",
            "`else` and a value are missing after this",
            context.previous,
            expected=("else VALUE: an `if` has a value also if its condition is false",),
        )
    return None


def _value(context: ErrorContext) -> Diagnostic | None:
    """Another token at the start of a value."""
    token, before = context.token, context.previous
    if not (context.wants_value or "NAME" in context.accepts and before.text == ","):
        return None
    ends = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in ("when", "otherwise", "=>", "->", "then", "else", "}", "next")
    )
    if before.text == "," and (ends or token.text == ","):
        return context.finding(
            "HL127",
            "a comma separates two items and cannot follow the last",
            "nothing follows it",
            before,
            repair=context.drop(before, "remove it"),
        )
    if not context.wants_value:
        return None
    if token.kind == "string":
        return context.finding("HL145", "a text in quotes is not a value", "not a value")
    if token.text == ":" and before.text == "[":
        return _slice(context)
    if (
        token.kind == "word"
        and token.text in context.words
        and token.text not in ("then", "else", "in", "and", "or", "implies")
    ):
        named = context.replace(token, token.text + "_", f"as a name, write `{token.text}_`")
        if not (context.starts_line(token) and token.text in DECLARATIONS) and _passes_one_more(context, named):
            return context.finding(
                "HL107", f"`{token.text}` is a word of the language, not a name", "choose another name", repair=named
            )
    if context.starts_line(token):
        return context.finding("HL145", f"a value is missing after `{before.text}`", "nothing comes after this", before)
    if before.text in ("+", "*", "/", "<", ">", "and", "or", "not", "implies", "//", "-", "==", "<=", ">=", "!="):
        return context.finding("HL145", f"a value is missing after `{before.text}`", f"`{token.text}` cannot start one")
    return context.finding("HL145", f"a value is missing before `{token.text}`", f"`{token.text}` cannot start one")


def _passes_one_more(context: ErrorContext, repair: Repair) -> bool:
    """True if the repaired text also parses beyond the token after the current one."""
    error = context.first_error(repair.apply(context.text))
    return error is None or error > context.next.start + 1


def _slice(context: ErrorContext) -> Diagnostic:
    return context.finding(
        "HL147", "a slice has two literal ends: `x[2:5]` is the components 2, 3 and 4", "both ends are whole numbers"
    )


def _after_value(context: ErrorContext) -> Diagnostic | None:
    """A token after a complete value that is not an operator."""
    token, before = context.token, context.previous
    inside = context.open_brackets[-1].text if context.open_brackets else ""
    if token.text == ":" and inside == "[" or (before.text == ":" and inside == "[" and "NUMBER" in context.accepts):
        return _slice(context)
    if (
        context.accepts & {","}
        and not context.after_value
        and context.declaring == "observe"
        and context.is_name(token)
        and not context.starts_line(token)
    ):
        return context.finding(
            "HL135",
            "a comma is missing between two observations",
            "`,` is missing before this",
            repair=context.insert(before.end, ",", "write `,`"),
        )
    if not context.after_value or not context.starts_value:
        return None
    if token.text in _WORD_OPERATORS and token.kind == "word":
        written = _WORD_OPERATORS[token.text]
        last = context.next if token.text == "is" and context.next.text == "not" else token
        written = "!=" if last is not token else written
        return context.finding(
            "HL120",
            f"`{token.text}` is an operator of other languages",
            f"write `{written}`",
            repair=context.replace(token, written, f"write `{written}`", last),
        )
    if token.text == "not" and context.next.text == "in":
        repair = None
        if context.is_name(before) and context.at(-2).text in ("=", "when", "and", "or", "(", ":", "if", ","):
            repair = context.replace(before, f"not {before.text} in", f"write `not {before.text} in`", context.next)
        return context.finding(
            "HL120",
            "`not in` is written `not x in [low, high]`",
            "an operator of other languages",
            Span(token.start, context.next.end),
            repair=repair,
        )
    if token.text == "mod" and context.next.text != "(":
        repair = None
        if all(one.kind == "word" or NUMBER.fullmatch(one.text) for one in (before, context.next)):
            text = f"mod({before.text}, {context.next.text})"
            repair = context.replace(before, text, f"write `{text}`", context.next)
        return context.finding(
            "HL120", "`mod` is a function: `mod(a, b)`", "an operator of other languages", repair=repair
        )
    if finding := misspelled(context):
        return finding
    if inside in ("(", "[") and "," in context.accepts:
        return context.finding(
            "HL135",
            "two values without an operator between them",
            "a comma or an operator is missing before this",
            repair=context.insert(before.end, ",", "write `,` between them"),
        )
    if context.starts_line(token) and context.is_name(token):
        return None
    repair = (
        context.insert(token.start, "* ", "write `*` between them")
        if before.kind == "number" and (context.is_name(token) or token.text == "(")
        else None
    )
    return context.finding(
        "HL135", "two values without an operator between them", "an operator is missing before this", repair=repair
    )


def misspelled(context: ErrorContext) -> Diagnostic | None:
    """A word that is nearly one that could stand here."""
    token = context.token
    if token.kind != "word":
        return None
    words = [
        text
        for text in context.accepts
        if text.isalpha() and text.islower() and (text not in DECLARATIONS or context.starts_line(token))
    ]
    near = difflib.get_close_matches(token.text.lower(), sorted(words), 1, 0.7)
    if not near or near[0] == token.text:
        return None
    return context.finding(
        "HL128",
        f"`{token.text}` is not a word of the language",
        f"did you mean `{near[0]}`?",
        repair=context.replace(token, near[0], f"write `{near[0]}`"),
    )


EXPRESSION_MISTAKES = (_equals, _conditional, _value, _after_value)
