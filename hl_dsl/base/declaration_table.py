"""Table of declarations: the constructs of the language that every stage reads.

The front door assembles the standard table (`hl_dsl/standard_declarations.py`); it is loaded by its name at the first
use, so that no stage imports a construct. A table does not change: `registered` makes a larger one that is in force
for a while, in the thread (or asynchronous task) that calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from importlib import import_module
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, Role

_ASSEMBLED_BY = "hl_dsl.standard_declarations"


class DeclarationTable:
    """An immutable sequence of forms, in the order in which explanations show them."""

    def __init__(self, forms: tuple[DeclarationForm[Any], ...]):
        self.forms = forms
        self._by_node = {form.node: form for form in forms}
        if len(self._by_node) != len(forms):
            raise ValueError("two forms have the same class of nodes")

    def form_of(self, node: object) -> DeclarationForm[Any]:
        """The form of a declaration. Raises KeyError for a node that is not a declaration."""
        return self._by_node[type(node)]

    def with_form(self, form: DeclarationForm[Any]) -> DeclarationTable:
        """A table with one more form, at the end."""
        return DeclarationTable((*self.forms, form))

    @cached_property
    def words(self) -> frozenset[str]:
        """The keywords of all forms."""
        return frozenset().union(*(form.words for form in self.forms))

    @property
    def is_standard(self) -> bool:
        """Whether this is the table of the language as it is shipped."""
        return self is standard_table()


@cache
def standard_table() -> DeclarationTable:
    """The table that the front door assembles."""
    table = import_module(_ASSEMBLED_BY).STANDARD
    assert isinstance(table, DeclarationTable)
    return table


_EXTENDED: ContextVar[DeclarationTable | None] = ContextVar("extended declaration table", default=None)


def declaration_table() -> DeclarationTable:
    """The table in force."""
    return _EXTENDED.get() or standard_table()


@contextmanager
def registered(form: DeclarationForm[Any]) -> Iterator[DeclarationTable]:
    """Puts a table with one more form in force, for the time of a `with` block."""
    table = declaration_table().with_form(form)
    token = _EXTENDED.set(table)
    try:
        yield table
    finally:
        _EXTENDED.reset(token)


def form_of(node: object) -> DeclarationForm[Any]:
    """The form of a declaration, in the table in force."""
    return (_EXTENDED.get() or standard_table()).form_of(node)


def role_of(node: object) -> Role:
    """The role of a declaration."""
    return form_of(node).role
