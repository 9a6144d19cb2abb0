"""Interfaces of the stages, as the handlers of a declaration see them.

A handler receives the interface of the stage that calls it and imports no stage. Nodes of the syntax tree, types and
findings are `Any` here, because their classes live in folders above this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from hl_dsl.base.source import Span


class TreeReader(Protocol):
    """Functions of the parser. Tokens have `value`, `start_pos` and `end_pos`."""

    def name(self, token: Any) -> str:
        """The name that a token spells. Reports reserved words."""

    def size(self, token: Any) -> int | None:
        """The length of a vector, or None for a missing token. Reports what is not a length."""

    def ticks(self, token: Any) -> int:
        """A number of ticks. Reports what is not one."""

    def at(self, token: Any) -> Span:
        """The place of a token."""

    def between(self, first: Any, last: Any) -> Span:
        """The stretch from one token to another, both included."""


class TextWriter(Protocol):
    """A document of the formatter: tokens, and the breaks of `grammar/formatter/document.py`."""

    add: Callable[[str], None]

    def open(self, mark: Any = ...) -> None:
        """Starts a group, which is one line if it fits."""

    def close(self) -> None:
        """Ends the group."""

    def force(self) -> None:
        """Breaks the open groups over several lines."""

    def sibling(self, mark: Any, following: Span) -> None:
        """Adds a break before the next of several parts, one below the other."""

    def token(self, text: str, start: int, end: int) -> None:
        """Adds text that was at these offsets in the source."""

    def keyword(self, text: str, span: Span) -> None:
        """Adds the first word of a construct and a space."""

    def expression(self, node: Any) -> None:
        """Adds an expression."""

    def assigned(self, node: Any, is_column: bool = False) -> None:
        """Adds an expression behind `=` or a word; it moves to the next line if it does not fit."""

    def range(self, range_: Any) -> None:
        """Adds a range, `[low, high]`."""

    def type(self, type_: Any) -> None:
        """Adds a type as written."""


class SymbolTable(Protocol):
    """The symbol table while it is filled."""

    card: Any
    modes: tuple[str, ...]

    def define(self, kind: str, name: str, type_: Any, declaration: Any, span: Span, range_: Any = None) -> None:
        """Adds a name. Reports one that is taken. `kind` is one of those listed at `Symbol`."""

    def declared_type(self, written: Any, sample: Any, size: int = 2) -> Any:
        """The type that a declaration names. Reports a wrong one; `sample` and `size` give the length to suggest."""

    def define_mode(self, name: str, span: Span, declaration: Any) -> None:
        """Adds the name of a mode."""

    def observe(self, item: Any) -> None:
        """Adds an observation. Reports one that the environment does not have."""

    def define_property(self, item: Any) -> None:
        """Adds the name of a property, which is in a space of its own."""


class DeclarationChecker(Protocol):
    """Functions of the checker."""

    policy: Any
    symbols: Any
    findings: Any

    def is_second(self, declaration: Any) -> bool:
        """Whether the declaration's name belongs to an earlier one, which is reported already."""

    def infer(self, what: Any) -> Any:
        """The type of an expression or of a symbol's definition; None if it has none, which is reported."""

    def require_type(self, expression: Any, wanted: Any, what: str, code: str, joined: str = "all") -> None:
        """Reports an expression that is not of the type `wanted`. `joined` makes one truth value of several."""

    def require_literal(self, value: Any, what: str) -> None:
        """Reports a value that is not a literal."""

    def check_range(self, written: Any, base: str, size: int | None = None) -> bool:
        """Whether a range is well formed for a type. Reports what is wrong."""

    def check_initial_value(self, declaration: Any, wanted: Any, value: Any, what: str) -> None:
        """Reports an initial value that does not fit the type and the range of its declaration."""

    def check_plan(self, plan: Any) -> None:
        """Reports what is wrong with the settings of a plan and with the observations it depends on."""


class NameUses(Protocol):
    """Uses of names, for warnings about unused ones."""

    source: Any
    acting: set[str]
    directed: set[str]
    needed: set[str]

    def users(self, name: str) -> list[str]:
        """The definitions and properties that name it, in the order of the text."""

    def listed(self, names: list[str]) -> str:
        """Names as a list in a sentence."""

    def unused(self, item: Any) -> Any:
        """The warning about a declaration that nothing needs."""

    def removable(self, span: Span) -> Span | None:
        """The stretch of a declaration, if its text is at hand."""


class CoreScope(Protocol):
    """The names of a checked program, for desugaring."""

    @property
    def symbols(self) -> Any:
        """The symbol table."""


class Explainer(Protocol):
    """Functions of the explanation."""

    checked: Any

    def before(self, item: Any) -> Iterable[str]:
        """The author's comment above an item, as a line."""

    def after(self, item: Any) -> str:
        """The author's comment on the line of an item, as the end of a line."""

    def words(self, expression: Any, depth: int = 0) -> str:
        """An expression as a phrase."""

    def written(self, expression: Any) -> str:
        """An expression as in a program."""

    def ends(self, range_: Any) -> str:
        """A range as in a program."""

    def equation(self, lead: str, expression: Any, after: str = "") -> Iterable[str]:
        """An expression on one line, or with a line for each of its cases."""


class DecoderWords(Protocol):
    """The names that a program may use (see `Words` in `grammar/decoder`)."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of actions; empty if an action is a number."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of a plan's settings; empty if the environment has no model."""

    @property
    def observations(self) -> Mapping[str, int | None]:
        """Names of observations with their lengths; None for a single value."""
