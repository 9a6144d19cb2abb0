"""A declaration that the language does not have, in one file: `latch NAME: set CONDITION reset CONDITION`.

It is a truth value kept from tick to tick. `with registered(LatchForm()):` adds it to the language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
from hl_dsl.grammar.formatter.document import IN, LINE, OUT
from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Declaration, Expression, Name, span_field
from hl_dsl.language.core import CoreMemory
from hl_dsl.language.types import BOOL


@dataclass(slots=True)
class Latch(Declaration):
    name: str
    set: Expression
    reset: Expression
    span: Span = span_field()
    name_span: Span = span_field()


class LatchForm(DeclarationForm[Latch]):
    node = Latch
    role = Role.STATE
    words = frozenset(["latch", "set", "reset"])
    alternatives = ("latch",)
    sections = ("It remembers from tick to tick",)
    noun = "the latch"
    unused_code = "HL502"
    grammar = """
latch: LATCH NAME ":" SET expression RESET expression
LATCH: "latch"
SET: "set"
RESET: "reset"
"""

    def readers(self) -> Mapping[str, ReadRule]:
        return {"latch": _read}

    def write(self, out: TextWriter, node: Latch) -> None:
        out.open()
        out.keyword("latch", node.span)
        out.token(node.name, *node.name_span)
        out.add(": set ")
        out.expression(node.set)
        out.add(IN)
        out.add(LINE)
        out.add("reset ")
        out.expression(node.reset)
        out.add(OUT)
        out.close()

    def expressions(self, node: Latch) -> Iterable[Expression]:
        return node.set, node.reset

    def declare(self, symbols: SymbolTable, node: Latch) -> None:
        symbols.define("memory", node.name, BOOL, node, node.name_span)

    def check(self, checker: DeclarationChecker, node: Latch) -> None:
        for condition in (node.set, node.reset):
            checker.require_type(condition, BOOL, f"the condition of `{node.name}`", "HL317")

    def desugar(self, scope: CoreScope, node: Latch) -> Iterable[CoreMemory]:
        is_set = Apply("or", (Name(node.name), node.set))
        following = Apply("and", (is_set, Apply("not", (node.reset,))))
        yield CoreMemory(node.name, BOOL, None, Boolean(False), following, node, node.span)

    def explain(self, explainer: Explainer, node: Latch) -> Iterable[str]:
        yield from explainer.before(node)
        yield f"{node.name}, at first false{explainer.after(node)}"
        yield f"  true from where {explainer.words(node.set)} until {explainer.words(node.reset)}"

    def slots(self, node: Latch) -> Iterator[tuple[Slot, Expression]]:
        yield ("set",), node.set
        yield ("reset",), node.reset

    def put(self, node: Latch, slot: Slot, new: Expression) -> Latch:
        return replace(node, set=new) if slot == ("set",) else replace(node, reset=new)

    def describe_slot(self, node: Latch, slot: Slot) -> str:
        return f"the `{slot[0]}` of `{node.name}`"


def _read(reader: TreeReader, keyword: Any, name: Any, set_word: Any, set_: Any, reset_word: Any, reset: Any) -> Latch:
    return Latch(reader.name(name), set_, reset, Span(keyword.start_pos, reset.span.end), reader.at(name))
