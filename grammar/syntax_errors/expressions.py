"""Mistakes inside expressions."""

from __future__ import annotations

import difflib
import re

from hl_dsl.grammar.syntax_errors.error_context import CLOSERS, DECLARATIONS, NUMBER, ErrorContext

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span

# Words that are operators elsewhere.
_WORD_OPERATORS = {"is": "==", "equals": "==", "xor": "!=", "div": "//"}
_ELSE_IF = ("elif", "elseif", "elsif")


def _equals(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.text == "=" and trouble.after_value:
        return trouble.finding(
            "HL119",
            "`=` defines; values are compared with `==`",
            "compares two values",
            repair=trouble.replace(token, "==", "write `==`"),
        )
    if token.text == "==" and "=" in trouble.accepts and not trouble.after_value:
        return trouble.finding(
            "HL119",
            "`==` compares; a definition has one `=`",
            "defines a value",
            repair=trouble.replace(token, "=", "write `=`"),
        )
    return None


def _conditional(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.text in _ELSE_IF and (trouble.after_value or trouble.wants_declaration):
        return trouble.finding(
            "HL123",
            f"`{token.text}` is written `else if`",
            "two words",
            repair=trouble.replace(token, "else if", "write `else if`"),
        )
    if token.text in (":", "{") and trouble.wants_value and trouble.previous.text in ("then", "else"):
        return trouble.finding(
            "HL125",
            f"`{trouble.previous.text}` is followed by its value, without `{token.text}`",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if "then" in trouble.accepts:
        braces = re.match(r"\{([^{}]*)\}\s*else\s*\{([^{}]*)\}", trouble.text[token.start :])
        if braces:
            written = f"then {braces[1].strip()} else {braces[2].strip()}"
            place = Span(token.start, token.start + braces.end())
            return trouble.finding(
                "HL125",
                "`then` and `else` come before values, not before braces",
                "values, not blocks",
                place,
                repair=Repair(place, written, f"write `{written}`"),
            )
        if token.text in (":", "{", "=>", "->", ","):
            return trouble.finding(
                "HL125",
                "`then` comes between a condition and its value",
                "`then` is wanted",
                repair=trouble.replace(
                    token, ("" if trouble.text[token.start - 1].isspace() else " ") + "then", "write `then`"
                ),
            )
        if (
            trouble.begins_value
            and token.text not in ("-", "[", "(")
            and token.text not in _WORD_OPERATORS
            and not (token.text == "not" and trouble.next.text == "in")
        ):
            return trouble.finding(
                "HL125",
                "`then` comes between a condition and its value",
                "`then` goes before this",
                repair=trouble.insert(token.start, "then ", "write `then` before it"),
            )
        if token.text == "else" or token.text in DECLARATIONS or token.text == "}":
            return trouble.finding(
                "HL125", "`then` comes between a condition and its value", "`then` and a value are missing before this"
            )
    if "else" not in trouble.accepts:
        return None
    ends = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in (",", "when", "otherwise", "=>", "->")
        or token.kind == "end"
    )
    if ends or (trouble.is_name(token) and trouble.begins_line(token)):
        return trouble.finding(
            "HL122",
            "this `if` has no `else`",
            "`else` and a value are missing after this",
            trouble.previous,
            expected=("else VALUE: an `if` is a value, also where its condition does not hold",),
        )
    return None


def _value(trouble: ErrorContext) -> Diagnostic | None:
    """Something else where a value should begin."""
    token, before = trouble.token, trouble.previous
    if not (trouble.wants_value or "NAME" in trouble.accepts and before.text == ","):
        return None
    ends = (
        token.text in CLOSERS
        or token.text in DECLARATIONS
        or token.text in ("when", "otherwise", "=>", "->", "then", "else", "}", "next")
    )
    if before.text == "," and (ends or token.text == ","):
        return trouble.finding(
            "HL127",
            "a comma stands between two items, not after the last",
            "nothing follows it",
            before,
            repair=trouble.drop(before, "leave it out"),
        )
    if not trouble.wants_value:
        return None
    if token.kind == "string":
        return trouble.finding("HL145", "there are no texts in quotes among the values of the language", "no value")
    if token.text == ":" and before.text == "[":
        return _slice(trouble)
    if (
        token.kind == "word"
        and token.text in trouble.words
        and token.text not in ("then", "else", "in", "and", "or", "implies")
    ):
        named = trouble.replace(token, token.text + "_", f"as a name, write `{token.text}_`")
        if not (trouble.begins_line(token) and token.text in DECLARATIONS) and _passes_one_more(trouble, named):
            return trouble.finding(
                "HL107", f"`{token.text}` is a word of the language, not a name", "choose another name", repair=named
            )
    if trouble.begins_line(token):
        return trouble.finding("HL145", f"a value is missing after `{before.text}`", "nothing comes after this", before)
    if before.text in ("+", "*", "/", "<", ">", "and", "or", "not", "implies", "//", "-", "==", "<=", ">=", "!="):
        return trouble.finding("HL145", f"a value is missing after `{before.text}`", f"`{token.text}` cannot begin one")
    return trouble.finding("HL145", f"a value is missing before `{token.text}`", f"`{token.text}` cannot begin one")


def _passes_one_more(trouble: ErrorContext, repair: Repair) -> bool:
    """Whether the repaired text parses beyond the token after the one in question as well."""
    error = trouble.first_error(repair.apply(trouble.text))
    return error is None or error > trouble.next.start + 1


def _slice(trouble: ErrorContext) -> Diagnostic:
    return trouble.finding(
        "HL147", "a slice has two literal ends: `x[2:5]` is the components 2, 3 and 4", "both ends are whole numbers"
    )


def _after_value(trouble: ErrorContext) -> Diagnostic | None:
    """Something that is no operator after a complete value."""
    token, before = trouble.token, trouble.previous
    inside = trouble.open_brackets[-1].text if trouble.open_brackets else ""
    if token.text == ":" and inside == "[" or (before.text == ":" and inside == "[" and "NUMBER" in trouble.accepts):
        return _slice(trouble)
    if (
        trouble.accepts & {","}
        and not trouble.after_value
        and trouble.declaring == "observe"
        and trouble.is_name(token)
        and not trouble.begins_line(token)
    ):
        return trouble.finding(
            "HL135",
            "a comma is missing between two observations",
            "`,` goes before this",
            repair=trouble.insert(before.end, ",", "write `,`"),
        )
    if not trouble.after_value or not trouble.begins_value:
        return None
    if token.text in _WORD_OPERATORS and token.kind == "word":
        written = _WORD_OPERATORS[token.text]
        last = trouble.next if token.text == "is" and trouble.next.text == "not" else token
        written = "!=" if last is not token else written
        return trouble.finding(
            "HL120",
            f"`{token.text}` is an operator of other languages",
            f"here it is `{written}`",
            repair=trouble.replace(token, written, f"write `{written}`", last),
        )
    if token.text == "not" and trouble.next.text == "in":
        repair = None
        if trouble.is_name(before) and trouble.at(-2).text in ("=", "when", "and", "or", "(", ":", "if", ","):
            repair = trouble.replace(before, f"not {before.text} in", f"write `not {before.text} in`", trouble.next)
        return trouble.finding(
            "HL120",
            "`not in` is written `not x in [low, high]`",
            "an operator of other languages",
            Span(token.start, trouble.next.end),
            repair=repair,
        )
    if token.text == "mod" and trouble.next.text != "(":
        repair = None
        if all(one.kind == "word" or NUMBER.fullmatch(one.text) for one in (before, trouble.next)):
            text = f"mod({before.text}, {trouble.next.text})"
            repair = trouble.replace(before, text, f"write `{text}`", trouble.next)
        return trouble.finding(
            "HL120", "`mod` is a function: `mod(a, b)`", "an operator of other languages", repair=repair
        )
    if finding := misspelled(trouble):
        return finding
    if inside in ("(", "[") and "," in trouble.accepts:
        return trouble.finding(
            "HL135",
            "two values stand side by side",
            "a comma or an operator is missing before this",
            repair=trouble.insert(before.end, ",", "write `,` between them"),
        )
    if trouble.begins_line(token) and trouble.is_name(token):
        return None
    repair = (
        trouble.insert(token.start, "* ", "write `*` between them")
        if before.kind == "number" and (trouble.is_name(token) or token.text == "(")
        else None
    )
    return trouble.finding(
        "HL135", "two values stand side by side", "an operator is missing before this", repair=repair
    )


def misspelled(trouble: ErrorContext) -> Diagnostic | None:
    """A word that is nearly one that could stand here."""
    token = trouble.token
    if token.kind != "word":
        return None
    words = [
        text
        for text in trouble.accepts
        if text.isalpha() and text.islower() and (text not in DECLARATIONS or trouble.begins_line(token))
    ]
    near = difflib.get_close_matches(token.text.lower(), sorted(words), 1, 0.7)
    if not near or near[0] == token.text:
        return None
    return trouble.finding(
        "HL128",
        f"`{token.text}` is no word of the language",
        f"did you mean `{near[0]}`?",
        repair=trouble.replace(token, near[0], f"write `{near[0]}`"),
    )


EXPRESSION_MISTAKES = (_equals, _conditional, _value, _after_value)
