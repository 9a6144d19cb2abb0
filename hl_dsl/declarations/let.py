"""`let`: a value of this tick, defined by an expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, ReadRule, Role, Slot
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    Explainer,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import CELL
from hl_dsl.grammar.tree.syntax_tree import Expression, Let
from hl_dsl.language.core import CoreLet
from hl_dsl.language.types import BOOL


class LetForm(DeclarationForm[Let]):
    """The form of `let`."""

    node = Let
    role = Role.DEFINITION
    words = frozenset(["let"])
    alternatives = ("let",)
    sections = ("At every tick it works out",)
    grammar = """
let: LET NAME "=" expression
LET: "let"
"""
    noun = "the definition"
    unused_code = "HL501"

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"let": _read}

    def write(self, out: TextWriter, node: Let) -> None:
        """See the base class."""
        out.open()
        out.keyword("let", node.span)
        out.token(node.name, *node.name_span)
        out.add(CELL)
        out.add("=")
        out.assigned(node.expression)
        out.close()

    def expressions(self, node: Let) -> Iterable[Expression]:
        """See the base class."""
        return (node.expression,)

    def equations(self, node: Let) -> Iterable[tuple[str, tuple[Expression, ...]]]:
        """See the base class."""
        return ((node.name, (node.expression,)),)

    def declare(self, symbols: SymbolTable, node: Let) -> None:
        """See the base class."""
        symbols.define("let", node.name, None, node, node.name_span)

    def check(self, checker: DeclarationChecker, node: Let) -> None:
        """See the base class. The type of the first of a name is its symbol's."""
        checker.infer(node.expression if checker.is_second(node) else checker.symbols[node.name])

    def desugar(self, scope: CoreScope, node: Let) -> Iterable[CoreLet]:
        """See the base class."""
        return (CoreLet(node.name, node.expression, node),)

    def explain(self, explainer: Explainer, node: Let) -> Iterable[str]:
        """See the base class."""
        yield from explainer.before(node)
        verb = "means" if explainer.checked.symbols[node.name].type is BOOL else "is"
        yield from explainer.equation(f"{node.name} {verb}", node.expression, explainer.after(node))

    def slots(self, node: Let) -> Iterator[tuple[Slot, Expression]]:
        """See the base class."""
        yield ("let",), node.expression

    def put(self, node: Let, slot: Slot, new: Expression) -> Let:
        """See the base class."""
        return replace(node, expression=new)

    def describe_slot(self, node: Let, slot: Slot) -> str:
        """See the base class."""
        return f"`{node.name}`"

    def defined_by(self, node: Let, slot: Slot) -> str:
        """See the base class."""
        return node.name


def _read(reader: TreeReader, keyword: Any, name: Any, expression: Expression) -> Let:
    return Let(reader.name(name), expression, Span(keyword.start_pos, expression.span.end), reader.at(name))
