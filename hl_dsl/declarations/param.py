"""`param`: a constant that tuning may change within its range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, ReadRule, Role
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    Explainer,
    NameUses,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import CELL
from hl_dsl.grammar.tree.syntax_tree import Expression, Param, Range, TypeName


class ParamForm(DeclarationForm[Param]):
    """The form of `param`."""

    node = Param
    role = Role.CONSTANT
    words = frozenset(["param"])
    alternatives = ("param",)
    sections = ("Constants, which tuning may move within their ranges",)
    grammar = """
param: PARAM NAME ":" type "=" literal ["in" range]
PARAM: "param"
"""
    noun = "the parameter"
    unused_code = "HL503"

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"param": _read}

    def write(self, out: TextWriter, node: Param) -> None:
        """See the base class."""
        out.open()
        out.keyword("param", node.span)
        out.token(node.name, *node.name_span)
        out.add(":")
        out.add(CELL)
        out.type(node.type)
        out.add(CELL)
        out.add("= ")
        out.expression(node.default)
        if node.range is not None:
            out.add(CELL)
            out.add("in ")
            out.range(node.range)
        out.close()

    def expressions(self, node: Param) -> Iterable[Expression]:
        """See the base class."""
        return (node.default,)

    def declare(self, symbols: SymbolTable, node: Param) -> None:
        """See the base class."""
        type_ = symbols.declared_type(node.type, node.default)
        symbols.define("param", node.name, type_, node, node.name_span, node.range)

    def check(self, checker: DeclarationChecker, node: Param) -> None:
        """See the base class."""
        if not checker.is_second(node):
            checker.require_literal(node.default, "default of a parameter")
            checker.check_initial_value(node, checker.symbols[node.name].type, node.default, "default")

    def warn(self, uses: NameUses, node: Param) -> Iterable[Diagnostic]:
        """See the base class."""
        if node.name not in uses.needed:
            yield uses.unused(node)
        elif node.name not in uses.acting:
            users = uses.users(node.name)
            verb = "use" if len(users) > 1 else "uses"
            yield Diagnostic(
                "HL505",
                f"the parameter `{node.name}` has no effect on the action",
                node.name_span,
                f"only {uses.listed(users)} {verb} it, and the action depends on none of that",
                severity="warning",
            )

    def desugar(self, scope: CoreScope, node: Param) -> Iterable[Param]:
        """See the base class."""
        return (node,)

    def explain(self, explainer: Explainer, node: Param) -> Iterable[str]:
        """See the base class."""
        yield from explainer.before(node)
        within = f", within {explainer.ends(node.range)}" if node.range is not None else ""
        yield f"{node.name} is {explainer.written(node.default)}{within}{explainer.after(node)}"


def _read(
    reader: TreeReader, keyword: Any, name: Any, type_: TypeName, default: Expression, range_: Range | None
) -> Param:
    end = default.span if range_ is None else range_.span
    return Param(reader.name(name), type_, default, range_, Span(keyword.start_pos, end.end), reader.at(name))
