"""`memory`: a value kept from one tick to the next."""

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
from hl_dsl.grammar.formatter.document import CELL, LINE_IN, LINE_OUT
from hl_dsl.grammar.tree.syntax_tree import Expression, Memory, Range, TypeName
from hl_dsl.language.core import CoreMemory


class MemoryForm(DeclarationForm[Memory]):
    """The form of `memory`."""

    node = Memory
    role = Role.STATE
    words = frozenset(["memory", "next"])
    alternatives = ("memory",)
    sections = ("It remembers from tick to tick",)
    grammar = """
memory: MEMORY NAME ":" type ["in" range] "=" literal "{" "next" "=" expression RBRACE
MEMORY: "memory"
"""
    noun = "the memory"
    unused_code = "HL502"

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"memory": _read}

    def write(self, out: TextWriter, node: Memory) -> None:
        """See the base class."""
        out.open()
        out.keyword("memory", node.span)
        out.token(node.name, *node.name_span)
        out.add(":")
        out.add(CELL)
        out.type(node.type)
        if node.range is not None:
            out.add(" in ")
            out.range(node.range)
        out.add(CELL)
        out.add("= ")
        out.expression(node.start)
        out.add(" {")
        out.add(LINE_IN)
        out.add("next =")
        out.assigned(node.next)
        out.add(LINE_OUT)
        out.token("}", node.span.end - 1, node.span.end)
        out.close()

    def expressions(self, node: Memory) -> Iterable[Expression]:
        """See the base class."""
        return node.start, node.next

    def declare(self, symbols: SymbolTable, node: Memory) -> None:
        """See the base class."""
        type_ = symbols.declared_type(node.type, node.start)
        symbols.define("memory", node.name, type_, node, node.name_span, node.range)

    def check(self, checker: DeclarationChecker, node: Memory) -> None:
        """See the base class."""
        if checker.is_second(node):
            return
        wanted = checker.symbols[node.name].type
        checker.require_literal(node.start, "start of a memory")
        checker.check_initial_value(node, wanted, node.start, "start")
        checker.require_type(node.next, wanted, f"the next value of `{node.name}`", "HL314")

    def desugar(self, scope: CoreScope, node: Memory) -> Iterable[CoreMemory]:
        """See the base class."""
        type_ = scope.symbols[node.name].type
        return (CoreMemory(node.name, type_, node.range, node.start, node.next, node, node.span),)

    def explain(self, explainer: Explainer, node: Memory) -> Iterable[str]:
        """See the base class."""
        yield from explainer.before(node)
        within = f" and always in {explainer.ends(node.range)}" if node.range is not None else ""
        yield f"{node.name}, at first {explainer.written(node.start)}{within}{explainer.after(node)}"
        yield from (f"  {line}" for line in explainer.equation("its next value is", node.next))

    def slots(self, node: Memory) -> Iterator[tuple[Slot, Expression]]:
        """See the base class."""
        yield ("next",), node.next

    def put(self, node: Memory, slot: Slot, new: Expression) -> Memory:
        """See the base class."""
        return replace(node, next=new)

    def describe_slot(self, node: Memory, slot: Slot) -> str:
        """See the base class."""
        return f"the next value of `{node.name}`"


def _read(
    reader: TreeReader,
    keyword: Any,
    name: Any,
    type_: TypeName,
    range_: Range | None,
    start: Expression,
    next_: Expression,
    closing: Any,
) -> Memory:
    return Memory(reader.name(name), type_, range_, start, next_, reader.between(keyword, closing), reader.at(name))
