"""Mistakes in single tokens: strings, numbers, signs of other languages and alphabets."""

from __future__ import annotations

import re

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import NUMBER, ErrorContext, Lexeme

# Signs of other languages and what HL writes instead; None where that takes more than other letters.
_OPERATORS = {
    "&&": "and",
    "||": "or",
    "&": "and",
    "|": "or",
    "!": "not",
    "~": "not",
    "<>": "!=",
    "=<": "<=",
    "===": "==",
    "!==": "!=",
    "**": None,
    "^": None,
    "%": None,
    "?": None,
}
_ADVICE = {
    "**": "a power is a product here: `x * x`",
    "^": "a power is a product here: `x * x`",
    "%": "the remainder is a function: `mod(a, b)`",
    "?": "a choice is written `if c then a else b`",
}
_ASSIGNMENTS = {":=": "=", "+=": None, "-=": None, "*=": None, "/=": None, "++": None}
_ARROWS = {"==>": "=>", "-->": "->", "→": "->", "⇒": "=>", "⟶": "->", "⟹": "=>"}
_UNITS = frozenset(["f", "d", "u", "l", "px", "deg", "rad", "s", "ms", "m", "n", "hz", "pct"])
_QUOTES = "'‘’“”„«»`"


def _quotes(context: ErrorContext) -> Diagnostic | None:
    token, text = context.token, context.text
    if token.kind == "open_string":
        word = "".join(re.findall(r'\A"[\w./-]*', text[token.start :]))
        return context.finding(
            "HL116",
            "this text in quotes is not closed",
            "it must end on its line",
            repair=context.insert(token.start + len(word), '"', f'close it: `{word}"`'),
        )
    if "STRING" not in context.accepts or token.kind in ("string", "end") or token.text == "{":
        return None
    quoted = re.match(rf"[{_QUOTES}]([^{_QUOTES}\"\n]*)[{_QUOTES}\"]?|[\w./-]+", text[token.start :])
    if quoted is None:
        return None
    name = quoted.group().strip(_QUOTES + '"')
    place = Span(token.start, token.start + quoted.end())
    return context.finding(
        "HL117",
        "the environment must be in double quotes",
        "not in double quotes",
        place,
        repair=Repair(place, f'"{name}"', f'write `"{name}"`'),
    )


def _number(context: ErrorContext) -> Diagnostic | None:
    token = next((one for one in (context.token, context.previous) if one.kind == "number"), None)
    if (
        token is None
        or context.wants_name
        or token.end < context.offset
        or NUMBER.fullmatch(token.text)
        or ".." in token.text
    ):
        return None
    written, says = _plain_number(token.text)
    repair = None if written is None else context.replace(token, written, f"write `{written}`")
    return context.finding("HL118", f"`{token.text}` is not a number of the language", says, token, repair=repair)


def _plain_number(text: str) -> tuple[str | None, str]:
    if match := re.fullmatch(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+", text):
        return str(int(match.group(), 0)) if not text.endswith("_") else None, "numbers are decimal"
    if re.fullmatch(r"[0-9][0-9_]*(\.[0-9_]+)?", text):
        return text.replace("_", ""), "numbers have no `_`"
    if re.fullmatch(r"[0-9]+\.", text):
        return text + "0", "a digit follows the point"
    if re.fullmatch(r"\.[0-9]+([eE][+-]?[0-9]+)?", text):
        return "0" + text, "a digit comes before the point"
    if match := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z_]\w*)", text):
        number, word = match.groups()
        if word.lower() in _UNITS:
            return number, "a unit goes into a comment"
        return (
            (None, "digits follow the `e`")
            if word.lower() == "e"
            else (f"{number} * {word}", "a product needs its `*`")
        )
    return None, "digits, perhaps a point and more digits, perhaps an exponent: `12`, `0.5`, `1e-3`"


def _foreign_comment(context: ErrorContext) -> Diagnostic | None:
    text, token = context.text, context.token
    if token.text == "/*":
        close = text.find("*/", token.start)
        end = len(text) if close < 0 else close + 2
        inside = text[token.start + 2 : end if close < 0 else close]
        lines = [f"# {line.strip(' *')}".rstrip() for line in inside.strip().splitlines()] or ["#"]
        rest = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)]
        repair = Repair(
            Span(token.start, end), "\n".join(lines) + ("\n" if rest.strip() else ""), "start each line of it with `#`"
        )
        return context.finding("HL134", "comments start with `#`", "a comment of another language", repair=repair)
    start = _slashes_before(context)
    if start is None:
        return None
    place = Span(start, start + 2)
    return context.finding(
        "HL134",
        "comments start with `#`",
        "this divides and rounds down",
        place,
        repair=Repair(place, "#", "write `#`"),
    )


def _slashes_before(context: ErrorContext) -> int | None:
    """Offset of a `//` or `--` on the token's line that may be meant to start a comment."""
    line_start = context.text.rfind("\n", 0, context.token.start) + 1
    for index in range(context.index, -1, -1):
        lexeme = context.at(index - context.index)
        if lexeme.start < line_start:
            return None
        if lexeme.text == "//":
            return lexeme.start
        if lexeme.text == "-" and context.text[lexeme.start : lexeme.start + 2] == "--" and context.wants_declaration:
            return lexeme.start
    return None


def _foreign_operator(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.kind != "sign" or token.text not in _OPERATORS:
        return None
    written = _OPERATORS[token.text]
    if written is None:
        return context.finding(
            "HL120",
            f"`{token.text}` is an operator of other languages",
            _ADVICE[token.text],
            repair=_rewritten(context),
        )
    spaced = written
    if written.isalpha():
        before, after = context.text[: token.start][-1:], context.text[token.end : token.end + 1]
        spaced = (" " if before.isalnum() else "") + written + ("" if after.isspace() else " ")
    return context.finding(
        "HL120",
        f"`{token.text}` is an operator of other languages",
        f"written `{written}` in HL",
        repair=context.replace(token, spaced, f"write `{written}`"),
    )


def _rewritten(context: ErrorContext) -> Repair | None:
    """`a % b` and `a ** 2` in HL, where both operands are single words or numbers."""
    before, token, after = context.previous, context.token, context.next
    if not (_is_simple(before) and _is_simple(after)) or context.at(-2).text in ("-", "*", "/", "."):
        return None
    if token.text == "%":
        text = f"mod({before.text}, {after.text})"
    elif token.text in ("**", "^") and after.text in ("2", "3"):
        text = " * ".join([before.text] * int(after.text))
    else:
        return None
    return context.replace(before, text, f"write `{text}`", after)


def _is_simple(lexeme: Lexeme) -> bool:
    return lexeme.kind == "word" or (lexeme.kind == "number" and NUMBER.fullmatch(lexeme.text) is not None)


def _assignment(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.text not in _ASSIGNMENTS or token.kind != "sign":
        return None
    written = _ASSIGNMENTS[token.text]
    if context.declaring in ("param", "memory") and written:
        written = ": real ="
    return context.finding(
        "HL124",
        "the language has no assignments: a definition is an equation, `=`",
        "an assignment of other languages",
        repair=context.replace(token, written, f"write `{written}`") if written else None,
    )


def _foreign_arrow(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if token.text not in _ARROWS:
        return None
    written = "=>" if "=>" in context.accepts else "->" if "->" in context.accepts else _ARROWS[token.text]
    return context.finding(
        "HL121",
        f"this arrow is written `{written}`",
        "an arrow of another kind",
        repair=context.replace(token, written, f"write `{written}`"),
    )


def _semicolon(context: ErrorContext) -> Diagnostic | None:
    if context.token.text != ";":
        return None
    return context.finding(
        "HL142",
        "declarations and rules have no separators",
        "not needed",
        repair=context.drop(context.token, "remove it"),
    )


TOKEN_MISTAKES = (
    _quotes,
    _number,
    _foreign_comment,
    _foreign_arrow,
    _foreign_operator,
    _assignment,
    _semicolon,
)
