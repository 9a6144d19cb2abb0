"""Findings of type inference: operands that do not fit an operator, calls of what is not a function."""

from __future__ import annotations

from typing import Any

from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Apply, Index, Name
from hl_dsl.language.symbols import Symbols
from hl_dsl.language.types import Type
from hl_dsl.operators import OPERATORS, Operator


class TypeProblem(Exception):
    """An expression without a type, with the finding that says why."""

    def __init__(self, diagnostic: Diagnostic):
        self.diagnostic = diagnostic


class Unresolved(Exception):
    """The type depends on a definition with an error, which has been reported."""


def problem(code: str, message: str, span: Span, label: str = "", **rest: Any) -> TypeProblem:
    """A finding as an exception."""
    return TypeProblem(Diagnostic(code, message, span, label, **rest))


def written_operator(operator: Operator) -> str:
    """The operator as it is written."""
    return operator.syntax.token or operator.name


def mismatch(operator: Operator, operands: list[Type], node: Apply) -> TypeProblem:
    """The finding about operands whose types no form of the operator takes."""
    wanted = operator.forms[0].operands if operator.forms else ()
    for operand, type_, base in zip(node.operands, operands, wanted):
        if base == "bool" and type_.base != "bool":
            is_simple = (
                type(operand) in (Name, Index)
                and type_.base in ("int", "real")
                and not type_.is_vector
                and operand.span.end
            )
            end = operand.span.end
            return problem(
                "HL303",
                f"`{written_operator(operator)}` wants a truth value here, not `{type_}`",
                operand.span,
                f"this is `{type_}`",
                repair=Repair(Span(end, end), " != 0", "compare it: `… != 0`") if is_simple else None,
            )
    pairs = [
        (operand, type_)
        for operand, type_, base in zip(node.operands, operands, wanted or ["any"] * len(operands))
        if base != "bool"
    ]
    bases = {type_.base for _, type_ in pairs}
    hint = "these types do not go together"
    if any(form.operands == ("int",) * len(operands) for form in operator.forms) and bases <= {"int", "real"}:
        hint = "whole numbers are wanted: round with `floor(…)` or `round(…)`"
    elif "bool" in bases and bases & {"int", "real"}:
        hint = "write `if b then 1 else 0` to count with a truth value"
    shown = " and ".join(f"`{type_}`" for _, type_ in pairs)
    labels = tuple(Label(operand.span, f"this is `{type_}`") for operand, type_ in pairs if operand.span.end)
    return problem(
        "HL303", f"`{written_operator(operator)}` cannot be applied to {shown}", node.span, hint, others=labels
    )


def unknown_function(symbols: Symbols, node: Apply) -> TypeProblem:
    """The finding about a call of something that is not a function."""
    place = Span(node.span.start, node.span.start + len(node.operator))
    symbol = symbols.get(node.operator)
    if symbol is not None:
        is_vector = symbol.type is not None and symbol.type.is_vector and len(node.operands) == 1
        label = "components are named in square brackets: `x[0]`" if is_vector else "a value, not a function"
        return problem(
            "HL217",
            f"`{node.operator}` is not a function",
            place,
            label,
            repair=_indexed(symbols, node) if is_vector else None,
        )
    names = [row.name for row in OPERATORS.values() if row.syntax.kind == "call" and not row.internal] + ["previous"]
    near = symbols.findings.nearest(node.operator, names)
    return problem(
        "HL203",
        f"unknown function `{node.operator}`",
        place,
        "not in the language",
        expected=tuple(sorted(names)),
        repair=Repair(place, near, f"did you mean `{near}`?") if near else None,
    )


def _indexed(symbols: Symbols, node: Apply) -> Repair | None:
    text = symbols.findings.source.text[node.span.start : node.span.end]
    inside = text[len(node.operator) :].strip()
    if not (inside.startswith("(") and inside.endswith(")")):
        return None
    written = f"{node.operator}[{inside[1:-1]}]"
    return Repair(node.span, written, f"write `{written}`")
