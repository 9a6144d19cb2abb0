"""Characters that are not part of the language: lookalikes of its signs, and letters of other alphabets."""

from __future__ import annotations

import re
import unicodedata

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import ErrorContext

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


def _foreign_character(context: ErrorContext) -> Diagnostic | None:
    """A character that no token of the language has."""
    offset, text = context.offset, context.text
    if (
        offset >= len(text)
        or ".." in context.token.text
        or (text[offset].isascii() and text[offset] not in "$@\\'`!?&|~^%.;")
    ):
        return None
    character, place = text[offset], Span(offset, offset + 1)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    if character in _LOOKALIKES:
        written = _LOOKALIKES[character]
        spaced = f" {written} " if written.isalpha() else written
        says = f"write `{written.strip()}`" if written.strip() else "write a plain space" if written else "remove it"
        name = unicodedata.name(character, "unnamed character").lower()
        return context.finding(
            "HL102",
            f"`{shown}` ({name}) is not a character of the language",
            "looks like another",
            place,
            repair=Repair(place, spaced, says),
        )
    if character.isalpha() and context.token.kind == "word":
        plain = _plain_letters(context.token.text)
        return context.finding(
            "HL102",
            f"the name `{context.token.text}` has letters beyond a to z",
            "names are plain letters, digits and `_`",
            repair=None
            if plain is None
            else context.replace(context.token, plain, f"write `{plain}`, here and where it is used"),
        )
    return context.finding("HL102", f"`{shown}` is not a character of the language", "no token starts with this", place)


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


CHARACTER_MISTAKES = (_foreign_character,)
