"""Mistakes in declarations: types, defaults, starts and ranges."""

from __future__ import annotations

import re

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import NUMBER, PROPERTIES, ErrorContext, Lexeme

_SIGNED = r"-?\s*[0-9][\w.]*(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(
    rf"(?:range\s*)?([\[({{])?\s*({_SIGNED}?)\s*(?:,|\.\.+|\bto\b|:|;|(?=\s))\s*({_SIGNED})(?:\s*([\])}}]))?"
)

_TYPES = re.compile(r"(?:\s*:\s*[A-Za-z_]\w*(?:\s*\[\s*\d+\s*\])?)+")


def _type(context: ErrorContext) -> Diagnostic | None:
    token, kind = context.token, context.declaring
    if kind == "let" and token.text == ":" and "=" in context.accepts:
        match = re.match(r":\s*[A-Za-z_]\w*(\s*\[\s*\d+\s*\])?\s*(?==[^=])", context.text[token.start :])
        repair = (
            Repair(Span(token.start, token.start + match.end()), "", "remove the type")
            if match
            else context.replace(token, " =", "write `=`")
        )
        return context.finding(
            "HL148",
            "a `let` has no type: it is that of its value",
            "remove this" if match else "`=` is expected",
            repair=repair,
        )
    if kind == "observe" and token.text == ":":
        # One repair removes all types in a row: removing one of them would leave the same mistake at the same place.
        match = _TYPES.match(context.text, token.start)
        place = Span(token.start, match.end()) if match and context.previous.text != "observe" else token.span
        return context.finding(
            "HL148",
            "an observation has no type: the environment's card has it",
            "remove this",
            place,
            repair=Repair(place, "", "remove it"),
        )
    if ":" in context.accepts and kind in ("param", "memory") and context.is_name(context.previous):
        if token.text in ("=", "in"):
            return _without_type(context, ": ", context.previous.end)
        if context.is_name(token):
            return context.finding(
                "HL133",
                f"`:` is missing between `{context.previous.text}` and its type",
                "`:` is missing before this",
                repair=context.insert(context.previous.end, ":", "write `:`"),
            )
    if (
        context.wants_name
        and context.previous.text == ":"
        and kind in ("param", "memory")
        and (token.text in ("=", "in") or token.kind == "number")
    ):
        return _without_type(context, " ", context.previous.end)
    if ":" in context.accepts and kind in PROPERTIES:
        if token.text in ("=", "=>", "->"):
            return context.finding(
                "HL133",
                f"`:` must separate the name of the {kind} from its condition",
                "`:` is expected",
                repair=context.replace(token, ":", "write `:`"),
            )
        if context.is_name(token) or token.text in ("not", "if", "true", "false"):
            return context.finding(
                "HL133",
                f"`:` must separate the name of the {kind} from its condition",
                "`:` is missing before this",
                repair=context.insert(context.previous.end, ":", "write `:`"),
            )
        name = {"invariant": "claim", "monitor": "watched", "assume": "assumed", "reachable": "wanted"}[kind]
        return context.finding(
            "HL133",
            f"the {kind} has no name",
            "a name and `:` are missing before this",
            context.previous,
            repair=context.insert(context.previous.start, f"{name}: ", f"give it a name: `{name}: …`"),
        )
    if kind in ("param", "memory") and "[" in context.accepts and "=" in context.accepts and token.text in ("(", "<"):
        match = re.match(r"[(<]\s*(\d+)\s*[)>]", context.text[token.start :])
        place = Span(token.start, token.start + match.end()) if match else token.span
        return context.finding(
            "HL133",
            "the length of a vector must be in square brackets",
            "not in square brackets",
            place,
            repair=Repair(place, f"[{match.group(1)}]", f"write `[{match.group(1)}]`") if match else None,
        )
    return None


def _without_type(context: ErrorContext, lead: str, offset: int) -> Diagnostic:
    rest = context.text[context.token.start :]
    written = "bool" if re.match(r"=?\s*(true|false)\b", rest) else "real"
    return context.finding(
        "HL133",
        f"the {_KINDS[context.declaring]} has no type",
        "its type is missing before this",
        expected=("real", "int", "bool", "vec[LENGTH]"),
        repair=context.insert(offset, lead + written, f"write `: {written}`"),
    )


_KINDS = {"param": "parameter", "memory": "memory"}


def _default(context: ErrorContext) -> Diagnostic | None:
    token, kind = context.token, context.declaring
    if kind not in _KINDS or context.wants_name or "NUMBER" in context.accepts:
        return None
    what = "default" if kind == "param" else "start"
    if "=" in context.accepts and "next" not in context.accepts:
        if token.text in ("==", ":="):
            return None
        if token.text == "in" and kind == "param":
            return _range_first(context)
        low = _range_before(context)
        return context.finding(
            "HL138",
            f"the {_KINDS[kind]} has no {what}",
            f"its {what} is missing before this",
            expected=("= LITERAL",),
            repair=context.insert(context.previous.end, f" = {low}", f"add one, such as `= {low}`") if low else None,
        )
    if "{" in context.accepts and kind == "memory":
        if token.text == "in":
            return _range_last(context)
        if _is_operator(token):
            return _not_literal(context, what)
        name = context.at(context.declaration + 1 - context.index).text
        return context.finding(
            "HL138",
            "the memory has no next value",
            "`{ next = … }` is missing before this",
            repair=context.insert(
                context.previous.end, f" {{ next = {name} }}", f"keep its value: `{{ next = {name} }}`"
            ),
        )
    if "next" in context.accepts:
        if context.next.text == "=" and token.kind == "word":
            return context.finding(
                "HL138",
                "the block of a memory must define its next value: `next = …`",
                "`next` is expected",
                repair=context.replace(token, "next", "write `next`"),
            )
        repair = context.insert(token.start, "next = ", "write `next =` before this") if token.text != "}" else None
        return context.finding(
            "HL138",
            "the block of a memory must define its next value: `next = …`",
            "`next = …` is expected",
            repair=repair,
        )
    if kind == "param" and "let" in context.accepts and _is_operator(token):
        return _not_literal(context, what)
    return None


def _is_operator(token: Lexeme) -> bool:
    return token.text in ("+", "-", "*", "/", "//", "(", "<", ">", "<=", ">=", "==", "!=", "and", "or", ".")


def _not_literal(context: ErrorContext, what: str) -> Diagnostic:
    return context.finding(
        "HL140",
        f"the {what} is one literal, not a calculation",
        "a calculation",
        expected=("a number, true, false, a name of an enumeration, or a vector of these",),
    )


def _range_before(context: ErrorContext) -> str | None:
    """The low end of the range just before the token; else a value of the type just before it."""
    declared = context.text[context.at(context.declaration - context.index).start : context.token.start]
    if match := re.search(rf"\[\s*({_SIGNED})\s*,\s*{_SIGNED}\s*\]\s*$", declared):
        return match.group(1)
    match = re.search(r":\s*(real|int|bool)\s*$", declared)
    return {"real": "0", "int": "0", "bool": "false"}[match.group(1)] if match else None


def _range_first(context: ErrorContext) -> Diagnostic:
    match = re.match(
        rf"(in\s*\[\s*({_SIGNED})\s*,\s*{_SIGNED}\s*\])(\s*=\s*({_SIGNED}|true|false))?",
        context.text[context.token.start :],
    )
    if match is None:
        return context.finding(
            "HL138", "the parameter has no default", "its default is missing before this", expected=("= LITERAL",)
        )
    place = Span(context.token.start, context.token.start + match.end())
    if match.group(3) is None:
        return context.finding(
            "HL138",
            "the parameter has no default",
            "its default is missing before this",
            repair=context.insert(place.start, f"= {match.group(2)} ", f"add one, such as `= {match.group(2)}`"),
        )
    text = f"= {match.group(4)} {match.group(1)}"
    return context.finding(
        "HL141",
        "a parameter's range comes after its default",
        "too early",
        place,
        repair=Repair(place, text, f"write `{text}`"),
    )


def _range_last(context: ErrorContext) -> Diagnostic:
    match = re.match(rf"in\s*\[\s*{_SIGNED}\s*,\s*{_SIGNED}\s*\]", context.text[context.token.start :])
    start = next((one.start for one in reversed(context.lexemes[: context.index]) if one.text == "="), None)
    repair = None
    if match and start is not None:
        text = f"{match.group()} {context.text[start : context.token.start].rstrip()}"
        repair = Repair(Span(start, context.token.start + match.end()), text, f"write `{text}`")
    return context.finding("HL141", "a memory's range comes before its start", "too late", repair=repair)


def _range(context: ErrorContext) -> Diagnostic | None:
    """`in (0, 8)`, `in 0..8`, `in [0 8]`, `in [0, n]`."""
    token = context.token
    word = context.previous if context.accepts == {"["} and context.previous.text == "in" else _range_word(context)
    if word is None:
        return None
    start = word.end + len(context.text[word.end :]) - len(context.text[word.end :].lstrip())
    match = _RANGE.match(context.text, start)
    if (
        match
        and match.group(2)
        and match.group(3)
        and bool(match.group(1)) == bool(match.group(4))
        and not (match.group(1) == "[" and match.group(4) == "]" and "," in match.group())
    ):
        text = f"[{_tidy(match.group(2))}, {_tidy(match.group(3))}]"
        return context.finding(
            "HL126",
            "a range is written `[low, high]`",
            "another notation",
            Span(start, match.end()),
            repair=Repair(Span(start, match.end()), text, f"write `{text}`"),
        )
    if context.accepts == {"["}:
        return context.finding(
            "HL126",
            "a range is written `[low, high]`",
            "`[` is expected",
            repair=context.replace(token, "[", "write `[`") if token.text in ("(", "{") else None,
        )
    if word and not context.wants_value and not context.after_value:
        if token.kind == "word" or _is_operator(token):
            return context.finding("HL140", "the ends of this range are literals", "a finite number is expected")
        return context.finding(
            "HL126",
            "a range is written `[low, high]`",
            "`,` is expected" if "," in context.accepts else "`]` is expected",
        )
    return None


def _range_word(context: ErrorContext) -> Lexeme | None:
    """The `in` of the range that the token is in."""
    for distance in range(-1, -7, -1):
        lexeme = context.at(distance)
        if lexeme.text == "in" and lexeme.kind == "word":
            return lexeme if context.at(distance + 1).text == "[" and distance < -1 else None
        if lexeme.text in context.words or lexeme.text in ("]", "{", "}", "="):
            return None
    return None


def _tidy(number: str) -> str:
    number = number.replace(" ", "").rstrip(".")
    return number if NUMBER.fullmatch(number.lstrip("-")) else "0"


def _literal(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if not context.wants_literal or "END" in context.accepts or context.declaring not in _KINDS:
        return None
    if token.kind == "string" or (token.kind == "sign" and token.text not in ("(", "+", "{")):
        return None
    what = "default" if context.declaring == "param" else "start"
    if token.text == "+":
        return context.finding(
            "HL140",
            f"the {what} is a plain literal",
            "numbers have no `+` before them",
            repair=context.drop(token, "remove it"),
        )
    return _not_literal(context, what) if token.text in ("(", "{", "if", "not") else None


DECLARATION_MISTAKES = (_range, _type, _default, _literal)
