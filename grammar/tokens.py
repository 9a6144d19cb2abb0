"""Tokens as parts of the tree: names, numbers, lengths and places."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import reserved_word_error
from hl_dsl.grammar.tree.input_limits import MOST_TICKS
from hl_dsl.grammar.tree.keywords import RESERVED_FOR_LATER, reserved_words
from hl_dsl.grammar.tree.syntax_tree import Number

_LONGEST_INT = 300  # digits
_LONGEST_VECTOR = 4096  # components


class SyntaxProblem(Exception):
    """Raised while the tree is built. `rewrite` makes the repair from the text."""

    def __init__(self, diagnostic: Diagnostic, rewrite: Callable[[str], Repair | None] | None = None):
        self.diagnostic, self.rewrite = diagnostic, rewrite

    def finding(self, text: str) -> Diagnostic:
        """The diagnostic with its repair, for a text."""
        if self.rewrite is None:
            return self.diagnostic
        return replace(self.diagnostic, repair=self.rewrite(text))


def place(token: Any) -> Span:
    """The place of a token."""
    return Span(token.start_pos, token.end_pos)


def between(first: Any, last: Any) -> Span:
    """The stretch from one token to another, both included."""
    return Span(first.start_pos, last.end_pos)


def read_name(token: Any) -> str:
    """The name that a token spells. Raises `SyntaxProblem` for a reserved word."""
    name: str = token.value
    if name not in reserved_words():
        return name
    if name in RESERVED_FOR_LATER:
        raise SyntaxProblem(reserved_word_error(place(token), name))
    raise SyntaxProblem(
        Diagnostic(
            "HL107",
            f"`{name}` is a word of the language, not a name",
            place(token),
            "choose another name",
            repair=Repair(place(token), name + "_", f"call it `{name}_`"),
        )
    )


def read_number(token: Any, sign: Any = None) -> Number:
    """A literal; `sign` is its minus sign, if any. Raises `SyntaxProblem` for one that is too large."""
    text: str = token.value
    span = place(token) if sign is None else between(sign, token)
    value: int | float
    if text.isdigit():
        if len(text) > _LONGEST_INT:
            raise SyntaxProblem(Diagnostic("HL106", "this number is too large", span, f"{len(text)} digits"))
        value = int(text)
    else:
        value = float(text)
        if not math.isfinite(value):
            raise SyntaxProblem(
                Diagnostic(
                    "HL106",
                    f"`{text}` is too large for a real",
                    span,
                    "binary64 ends near 1.8e308",
                    repair=Repair(place(token), "1e308", "write a finite number, at most 1.7e308"),
                )
            )
    return Number(value if sign is None else -value, span)


def read_size(token: Any) -> int | None:
    """The length of a vector, or None for a missing token. Raises `SyntaxProblem` for what is not a length."""
    if token is None:
        return None
    if not token.value.isdigit() or not 1 <= int(token.value) <= _LONGEST_VECTOR:
        message = f"`{token.value}` is not a vector length"
        raise SyntaxProblem(Diagnostic("HL109", message, place(token), f"a whole number from 1 to {_LONGEST_VECTOR}"))
    return int(token.value)


def read_index(token: Any) -> int:
    """An end of a slice. Raises `SyntaxProblem` for what is not a whole number."""
    if not token.value.isdigit():
        message = f"`{token.value}` is not an index"
        raise SyntaxProblem(Diagnostic("HL109", message, place(token), "a whole number is wanted here"))
    return int(token.value)


def read_ticks(token: Any) -> int:
    """A number of ticks. Raises `SyntaxProblem` for what is not one."""
    if token.value.isdigit() and int(token.value) <= MOST_TICKS:
        return int(token.value)
    whole = _rounded(token.value)
    raise SyntaxProblem(
        Diagnostic(
            "HL150",
            f"`{token.value}` is not a number of ticks",
            place(token),
            f"a whole number from 0 to {MOST_TICKS}",
            repair=Repair(place(token), whole, f"write `{whole}`") if whole else None,
        )
    )


def _rounded(text: str) -> str | None:
    number = float(text)
    return str(round(number)) if number <= MOST_TICKS else None


class TokenReader:
    """Functions for the rules of a declaration (`TreeReader` in `hl_dsl/base/declaration_stages.py`)."""

    name = staticmethod(read_name)
    size = staticmethod(read_size)
    ticks = staticmethod(read_ticks)
    at = staticmethod(place)
    between = staticmethod(between)
