"""Binding strength of expressions, from which parentheses follow."""

from __future__ import annotations

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Number
from hl_dsl.operators import OPERATORS, Operator
from hl_dsl.operators.table import POSTFIX, UNARY


def fold_minus(node: Expression) -> Expression:
    """The expression, with a minus sign before a literal as part of the literal."""
    # `-` before a literal is part of the literal in the text, so a tree that negates one reads back as a number.
    if isinstance(node, Apply) and len(node.operands) == 1 and _is_minus(node):
        operand = fold_minus(node.operands[0])
        if isinstance(operand, Number):
            return Number(-operand.value, node.span)
    return node


def _is_minus(node: Apply) -> bool:
    row = OPERATORS.get(node.operator)
    return row is not None and row.syntax.kind == "prefix" and row.syntax.token == "-"


def symbolic_row(node: Apply) -> Operator | None:
    """The operator's row, if it is written with its sign and not as a call."""
    row = OPERATORS.get(node.operator)
    return row if row is not None and row.syntax.kind != "call" and len(node.operands) == row.arity else None


def strength(node: Expression) -> int:
    """How strongly the outermost operator of an expression binds."""
    if isinstance(node, Apply):
        row = symbolic_row(node)
        return POSTFIX if row is None else row.syntax.strength
    return UNARY if isinstance(node, Number) and repr(node.value)[0] == "-" else POSTFIX
