"""Context of a syntax error: a lenient lexer, and the place where the parser stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.tree.keywords import RESERVED_FOR_LATER, reserved_words


class Lexeme(NamedTuple):
    """A token of any text, also of one that is not HL. `kind`: word, number, string, open_string, sign, end."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Its place in the text."""
        return Span(self.start, self.end)


# Signs of other languages are one token each, so that a message can name `&&` and not two unknown characters.
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
    """Splits a text into lexemes, without comments."""
    return [
        Lexeme(match.lastgroup or "", match.group(), *match.span())
        for match in _LEXEMES.finditer(text)
        if match.lastgroup != "comment"
    ]


def reserved_word_error(span: Span, word: str) -> Diagnostic:
    """Returns the diagnostic of a word that is reserved for a future construct."""
    return Diagnostic(
        "HL108",
        f"`{word}` is reserved for a future construct",
        span,
        "this version of the language does not have it",
        repair=Repair(span, word + "_", f"as a name, write `{word}_`"),
    )


@dataclass(frozen=True)
class ErrorContext:
    """The place where the parser stopped.

    Attributes:
        source: The text.
        offset: Offset of the first character that the parser did not accept.
        accepts: Tokens that the parser would have accepted there: words and signs as they are written, and NAME,
            NUMBER, STRING, END.
        first_error: Parses a text; returns the offset where it fails, or None.
    """

    source: SourceText
    offset: int
    accepts: frozenset[str]
    first_error: Callable[[str], int | None]

    @property
    def text(self) -> str:
        """The whole text."""
        return self.source.text

    @cached_property
    def words(self) -> frozenset[str]:
        """The keywords of the language."""
        return reserved_words() - RESERVED_FOR_LATER

    @cached_property
    def lexemes(self) -> list[Lexeme]:
        """Lexemes of the text."""
        return read_lexemes(self.text)

    @cached_property
    def index(self) -> int:
        """Index of the lexeme at which the parser stopped; one past the last at the end."""
        return next((i for i, lexeme in enumerate(self.lexemes) if lexeme.end > self.offset), len(self.lexemes))

    def at(self, distance: int) -> Lexeme:
        """Returns the lexeme at a distance from the current one, which may be negative."""
        index = self.index + distance
        if 0 <= index < len(self.lexemes):
            return self.lexemes[index]
        return Lexeme("end", "", *((0, 0) if index < 0 else (len(self.text), len(self.text))))

    @property
    def token(self) -> Lexeme:
        """The lexeme at which the parser stopped."""
        return self.at(0)

    @property
    def previous(self) -> Lexeme:
        """The lexeme before the token."""
        return self.at(-1)

    @property
    def next(self) -> Lexeme:
        """The lexeme after the token."""
        return self.at(1)

    @property
    def wants_value(self) -> bool:
        """True if an expression is expected here."""
        return "NUMBER" in self.accepts and "(" in self.accepts

    @property
    def wants_literal(self) -> bool:
        """True if a literal is expected here."""
        return "NUMBER" in self.accepts and "(" not in self.accepts

    @property
    def wants_declaration(self) -> bool:
        """True if a declaration may start here (an expression may have just ended)."""
        return "let" in self.accepts

    @property
    def wants_name(self) -> bool:
        """True if a name is expected here."""
        return "NAME" in self.accepts and "NUMBER" not in self.accepts

    @property
    def after_value(self) -> bool:
        """True if an operator may follow here."""
        return "*" in self.accepts and "<" in self.accepts

    def starts_line(self, lexeme: Lexeme) -> bool:
        """Returns true if only white space precedes the lexeme on its line."""
        return not self.text[self.text.rfind("\n", 0, lexeme.start) + 1 : lexeme.start].strip()

    @property
    def starts_value(self) -> bool:
        """True if the token can start an expression."""
        return (
            self.token.kind in ("number", "string")
            or self.token.text in ("(", "[", "true", "false", "if", "not", "-")
            or self.is_name(self.token)
        )

    @staticmethod
    def is_name(lexeme: Lexeme) -> bool:
        """Returns true if the lexeme is a name and not a keyword."""
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
        """Index of the first word of the declaration around the token; -1 in the header."""
        for index in range(min(self.index, len(self.lexemes)) - 1, -1, -1):
            if self.lexemes[index].kind == "word" and self.lexemes[index].text in DECLARATIONS:
                return index
        return -1

    @property
    def declaring(self) -> str:
        """The first word of the declaration around the token; `policy` in the header."""
        return self.lexemes[self.declaration].text if self.declaration >= 0 else "policy"

    def finding(self, code: str, message: str, label: str, at: Lexeme | Span | None = None, **rest: Any) -> Diagnostic:
        """Returns a diagnostic at a place; None: at the token. `rest` are further fields of `Diagnostic`."""
        place = self.token if at is None else at
        return Diagnostic(code, message, place.span if isinstance(place, Lexeme) else place, label, **rest)

    def replace(self, first: Lexeme, text: str, says: str, last: Lexeme | None = None) -> Repair:
        """Returns the repair that replaces the lexemes from `first` to `last`."""
        return Repair(Span(first.start, (last or first).end), text, says)

    def drop(self, first: Lexeme, says: str, last: Lexeme | None = None) -> Repair:
        """Returns the repair that removes the lexemes from `first` to `last`."""
        return self.replace(first, "", says, last)

    def insert(self, offset: int, text: str, says: str) -> Repair:
        """Returns the repair that inserts a text."""
        return Repair(Span(offset, offset), text, says)

    def accepts_repair(self, repair: Repair) -> bool:
        """Returns true if the repaired text parses, or fails only after the present error."""
        if len(self.text) > _LONGEST_TRIED:
            return False
        error = self.first_error(repair.apply(self.text))
        shift = len(repair.text) - (repair.span.end - repair.span.start)
        return error is None or error > max(self.offset + shift, repair.span.start + len(repair.text) - 1)


_LONGEST_TRIED = 50_000  # characters; a longer text is not parsed again to test a repair

# A rule returns the diagnostic of the mistake that it recognizes, or None.
Rule = Callable[[ErrorContext], Diagnostic | None]
