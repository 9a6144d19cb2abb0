"""A place where a text does not parse, as the rules about common mistakes look at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from hl_dsl.grammar.tree.keywords import RESERVED_FOR_LATER, reserved_words

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import SourceText, Span


class Lexeme(NamedTuple):
    """A token of a text that may be no HL at all. `kind`: word, number, string, open_string, sign, end."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


# Signs of other languages are one token each here, so that a rule can speak of `&&` and not of two strange characters.
_LEXEMES = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>"[^"\n]*")
    |(?P<open_string>"[^\n]*)
    |(?P<number>\.?[0-9](?:[eE][+-]?[0-9]+|[\w.])*)
    |(?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    |(?P<sign>&&|\|\||===|!==|==>|-->|=>|->|<=|>=|==|!=|<>|=<|:=|\+=|-=|\*=|/=|\*\*|\+\+|//|/\*|\*/|\.\.+|\S)""",
    re.VERBOSE,
)
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DECLARATIONS = (
    "observe",
    "param",
    "let",
    "memory",
    "modes",
    "act",
    "invariant",
    "monitor",
    "assume",
    "reachable",
    "plan",
)
PROPERTIES = ("invariant", "monitor", "assume", "reachable")
OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}


def read_lexemes(text: str) -> list[Lexeme]:
    return [
        Lexeme(match.lastgroup or "", match.group(), *match.span())
        for match in _LEXEMES.finditer(text)
        if match.lastgroup != "comment"
    ]


def kept_for_later(span: Span, word: str) -> Diagnostic:
    return Diagnostic(
        "HL108",
        f"`{word}` is kept for a construct still to come",
        span,
        "this version of the language does not have it",
        repair=Repair(span, word + "_", f"as a name, write `{word}_`"),
    )


@dataclass(frozen=True)
class ErrorContext:
    """`offset` is where the parser stopped; `accepts` what it would have taken there: words and signs as they are
    written, and NAME, NUMBER, STRING, END. `first_error` parses a text: the offset where it fails, or None."""

    source: SourceText
    offset: int
    accepts: frozenset[str]
    first_error: Callable[[str], int | None]

    @property
    def text(self) -> str:
        return self.source.text

    @cached_property
    def words(self) -> frozenset[str]:
        """The keywords of the language."""
        return reserved_words() - RESERVED_FOR_LATER

    @cached_property
    def lexemes(self) -> list[Lexeme]:
        return read_lexemes(self.text)

    @cached_property
    def index(self) -> int:
        """Which lexeme the parser stopped in; one past the last at the end."""
        return next((i for i, lexeme in enumerate(self.lexemes) if lexeme.end > self.offset), len(self.lexemes))

    def at(self, distance: int) -> Lexeme:
        """The lexeme this many after the one in question (before it, where negative)."""
        index = self.index + distance
        if 0 <= index < len(self.lexemes):
            return self.lexemes[index]
        return Lexeme("end", "", *((0, 0) if index < 0 else (len(self.text), len(self.text))))

    @property
    def token(self) -> Lexeme:
        return self.at(0)

    @property
    def previous(self) -> Lexeme:
        return self.at(-1)

    @property
    def next(self) -> Lexeme:
        return self.at(1)

    @property
    def wants_value(self) -> bool:
        """Whether an expression should begin here."""
        return "NUMBER" in self.accepts and "(" in self.accepts

    @property
    def wants_literal(self) -> bool:
        return "NUMBER" in self.accepts and "(" not in self.accepts

    @property
    def wants_declaration(self) -> bool:
        """Whether a declaration could begin here (an expression may have just ended)."""
        return "let" in self.accepts

    @property
    def wants_name(self) -> bool:
        return "NAME" in self.accepts and "NUMBER" not in self.accepts

    @property
    def after_value(self) -> bool:
        """Whether an operator could stand here."""
        return "*" in self.accepts and "<" in self.accepts

    def begins_line(self, lexeme: Lexeme) -> bool:
        return not self.text[self.text.rfind("\n", 0, lexeme.start) + 1 : lexeme.start].strip()

    @property
    def begins_value(self) -> bool:
        """Whether the token could be the beginning of an expression."""
        return (
            self.token.kind in ("number", "string")
            or self.token.text in ("(", "[", "true", "false", "if", "not", "-")
            or self.is_name(self.token)
        )

    @staticmethod
    def is_name(lexeme: Lexeme) -> bool:
        return lexeme.kind == "word" and lexeme.text not in reserved_words()

    @cached_property
    def open_brackets(self) -> list[Lexeme]:
        """Brackets opened and not closed before the token, outermost first."""
        stack: list[Lexeme] = []
        for lexeme in self.lexemes[: self.index]:
            if lexeme.text in OPENERS and lexeme.kind == "sign":
                stack.append(lexeme)
            elif lexeme.text in CLOSERS and lexeme.kind == "sign" and stack and stack[-1].text == CLOSERS[lexeme.text]:
                stack.pop()
        return stack

    @cached_property
    def declaration(self) -> int:
        """Index of the word that began the declaration around the token, -1 in the header."""
        for index in range(min(self.index, len(self.lexemes)) - 1, -1, -1):
            if self.lexemes[index].kind == "word" and self.lexemes[index].text in DECLARATIONS:
                return index
        return -1

    @property
    def declaring(self) -> str:
        return self.lexemes[self.declaration].text if self.declaration >= 0 else "policy"

    def finding(self, code: str, message: str, label: str, at: Lexeme | Span | None = None, **rest: Any) -> Diagnostic:
        place = self.token if at is None else at
        return Diagnostic(code, message, place.span if isinstance(place, Lexeme) else place, label, **rest)

    def replace(self, first: Lexeme, text: str, says: str, last: Lexeme | None = None) -> Repair:
        return Repair(Span(first.start, (last or first).end), text, says)

    def drop(self, first: Lexeme, says: str, last: Lexeme | None = None) -> Repair:
        return self.replace(first, "", says, last)

    def insert(self, offset: int, text: str, says: str) -> Repair:
        return Repair(Span(offset, offset), text, says)

    def mends(self, repair: Repair) -> bool:
        """Whether the repaired text parses, or first fails behind what stopped the parser here."""
        if len(self.text) > _LONGEST_TRIED:
            return False
        error = self.first_error(repair.apply(self.text))
        shift = len(repair.text) - (repair.span.end - repair.span.start)
        return error is None or error > max(self.offset + shift, repair.span.start + len(repair.text) - 1)


_LONGEST_TRIED = 50_000
