"""Mistakes in single tokens: strings, numbers, signs of other languages and alphabets."""

from __future__ import annotations

import re
import unicodedata

from hl_dsl.grammar.syntax_errors.error_context import NUMBER, ErrorContext, Lexeme

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span

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
_LOOKALIKES = {
    "×": "*",
    "·": "*",
    "⋅": "*",
    "÷": "/",
    "∕": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "∧": "and",
    "∨": "or",
    "¬": "not ",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‘": '"',
    "’": '"',
    "∈": "in",
    "…": "..",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "\u3000": " ",
    "\u200b": "",
    "\ufeff": "",
    "\u2028": "\n",
}
_UNITS = frozenset(["f", "d", "u", "l", "px", "deg", "rad", "s", "ms", "m", "n", "hz", "pct"])
_QUOTES = "'‘’“”„«»`"


def _quotes(trouble: ErrorContext) -> Diagnostic | None:
    token, text = trouble.token, trouble.text
    if token.kind == "open_string":
        opened = re.match(r'"[\w./-]*', text[token.start :])
        word = opened.group() if opened else ""
        return trouble.finding(
            "HL116",
            "this text in quotes is never closed",
            "it ends with its line",
            repair=trouble.insert(token.start + len(word), '"', f'close it: `{word}"`'),
        )
    if "STRING" not in trouble.accepts or token.kind in ("string", "end") or token.text == "{":
        return None
    quoted = re.match(rf"[{_QUOTES}]([^{_QUOTES}\"\n]*)[{_QUOTES}\"]?|[\w./-]+", text[token.start :])
    if quoted is None:
        return None
    name = quoted.group().strip(_QUOTES + '"')
    place = Span(token.start, token.start + quoted.end())
    return trouble.finding(
        "HL117",
        "the environment stands in double quotes",
        "not in double quotes",
        place,
        repair=Repair(place, f'"{name}"', f'write `"{name}"`'),
    )


def _number(trouble: ErrorContext) -> Diagnostic | None:
    token = next((one for one in (trouble.token, trouble.previous) if one.kind == "number"), None)
    if (
        token is None
        or trouble.wants_name
        or token.end < trouble.offset
        or NUMBER.fullmatch(token.text)
        or ".." in token.text
    ):
        return None
    written, says = _plain_number(token.text)
    repair = None if written is None else trouble.replace(token, written, f"write `{written}`")
    return trouble.finding("HL118", f"`{token.text}` is no number of the language", says, token, repair=repair)


def _plain_number(text: str) -> tuple[str | None, str]:
    if match := re.fullmatch(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+", text):
        return str(int(match.group(), 0)) if not text.endswith("_") else None, "numbers are decimal"
    if re.fullmatch(r"[0-9][0-9_]*(\.[0-9_]+)?", text):
        return text.replace("_", ""), "digits stand together"
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


def _foreign_comment(trouble: ErrorContext) -> Diagnostic | None:
    text, token = trouble.text, trouble.token
    if token.text == "/*":
        close = text.find("*/", token.start)
        end = len(text) if close < 0 else close + 2
        inside = text[token.start + 2 : end if close < 0 else close]
        lines = [f"# {line.strip(' *')}".rstrip() for line in inside.strip().splitlines()] or ["#"]
        rest = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)]
        repair = Repair(
            Span(token.start, end), "\n".join(lines) + ("\n" if rest.strip() else ""), "begin each line of it with `#`"
        )
        return trouble.finding("HL134", "comments begin with `#`", "a comment of another language", repair=repair)
    start = _slashes_before(trouble)
    if start is None:
        return None
    place = Span(start, start + 2)
    return trouble.finding(
        "HL134",
        "comments begin with `#`",
        "this divides and rounds down",
        place,
        repair=Repair(place, "#", "write `#`"),
    )


def _slashes_before(trouble: ErrorContext) -> int | None:
    """Where `//` or `--` on the token's line could be meant to begin a comment."""
    line_start = trouble.text.rfind("\n", 0, trouble.token.start) + 1
    for index in range(trouble.index, -1, -1):
        lexeme = trouble.at(index - trouble.index)
        if lexeme.start < line_start:
            return None
        if lexeme.text == "//":
            return lexeme.start
        if lexeme.text == "-" and trouble.text[lexeme.start : lexeme.start + 2] == "--" and trouble.wants_declaration:
            return lexeme.start
    return None


def _foreign_operator(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.kind != "sign" or token.text not in _OPERATORS:
        return None
    written = _OPERATORS[token.text]
    if written is None:
        return trouble.finding(
            "HL120",
            f"`{token.text}` is an operator of other languages",
            _ADVICE[token.text],
            repair=_rewritten(trouble),
        )
    spaced = written
    if written.isalpha():
        before, after = trouble.text[: token.start][-1:], trouble.text[token.end : token.end + 1]
        spaced = (" " if before.isalnum() else "") + written + ("" if after.isspace() else " ")
    return trouble.finding(
        "HL120",
        f"`{token.text}` is an operator of other languages",
        f"here it is `{written}`",
        repair=trouble.replace(token, spaced, f"write `{written}`"),
    )


def _rewritten(trouble: ErrorContext) -> Repair | None:
    """`a % b` and `a ** 2` in HL, where both operands are single words or numbers."""
    before, token, after = trouble.previous, trouble.token, trouble.next
    if not (_is_simple(before) and _is_simple(after)) or trouble.at(-2).text in ("-", "*", "/", "."):
        return None
    if token.text == "%":
        text = f"mod({before.text}, {after.text})"
    elif token.text in ("**", "^") and after.text in ("2", "3"):
        text = " * ".join([before.text] * int(after.text))
    else:
        return None
    return trouble.replace(before, text, f"write `{text}`", after)


def _is_simple(lexeme: Lexeme) -> bool:
    return lexeme.kind == "word" or (lexeme.kind == "number" and NUMBER.fullmatch(lexeme.text) is not None)


def _assignment(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.text not in _ASSIGNMENTS or token.kind != "sign":
        return None
    written = _ASSIGNMENTS[token.text]
    if trouble.declaring in ("param", "memory") and written:
        written = ": real ="
    return trouble.finding(
        "HL124",
        "nothing is assigned: a definition is an equation, `=`",
        "an assignment of other languages",
        repair=trouble.replace(token, written, f"write `{written}`") if written else None,
    )


def _foreign_arrow(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if token.text not in _ARROWS:
        return None
    written = "=>" if "=>" in trouble.accepts else "->" if "->" in trouble.accepts else _ARROWS[token.text]
    return trouble.finding(
        "HL121",
        f"this arrow is written `{written}`",
        "an arrow of another kind",
        repair=trouble.replace(token, written, f"write `{written}`"),
    )


def _semicolon(trouble: ErrorContext) -> Diagnostic | None:
    if trouble.token.text != ";":
        return None
    return trouble.finding(
        "HL142",
        "nothing separates or ends declarations and rules",
        "not needed",
        repair=trouble.drop(trouble.token, "leave it out"),
    )


def _foreign_character(trouble: ErrorContext) -> Diagnostic | None:
    """A character that no token of the language has."""
    offset, text = trouble.offset, trouble.text
    if (
        offset >= len(text)
        or ".." in trouble.token.text
        or (text[offset].isascii() and text[offset] not in "$@\\'`!?&|~^%.;")
    ):
        return None
    character, place = text[offset], Span(offset, offset + 1)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    if character in _LOOKALIKES:
        written = _LOOKALIKES[character]
        spaced = f" {written} " if written.isalpha() else written
        says = f"write `{written.strip()}`" if written.strip() else "write a plain space" if written else "leave it out"
        name = unicodedata.name(character, "no letter of the alphabet").lower()
        return trouble.finding(
            "HL102",
            f"`{shown}` ({name}) is no character of the language",
            "looks like another",
            place,
            repair=Repair(place, spaced, says),
        )
    if character.isalpha() and trouble.token.kind == "word":
        plain = _plain_letters(trouble.token.text)
        return trouble.finding(
            "HL102",
            f"the name `{trouble.token.text}` has letters beyond a to z",
            "names are plain letters, digits and `_`",
            repair=None
            if plain is None
            else trouble.replace(trouble.token, plain, f"write `{plain}`, here and where it is used"),
        )
    return trouble.finding("HL102", f"`{shown}` means nothing in the language", "no token begins with this", place)


def _plain_letters(word: str) -> str | None:
    out = []
    for character in word:
        plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
        if not plain:
            name = re.fullmatch(r"GREEK (?:SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, ""))
            if name is None:
                return None
            plain = name.group(1).lower()
        out.append(plain)
    written = "".join(out)
    return written if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", written) else None


SIGN_MISTAKES = (
    _quotes,
    _number,
    _foreign_comment,
    _foreign_arrow,
    _foreign_operator,
    _assignment,
    _semicolon,
    _foreign_character,
)
