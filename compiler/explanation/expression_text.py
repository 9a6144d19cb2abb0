"""Expressions in English. Arithmetic keeps its signs; other operators have the phrase of their row of the table."""

from __future__ import annotations

import re

from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Previous, Vector
from hl_dsl.operators import OPERATORS, Operator
from hl_dsl.operators.table import COMPARISON, CONDITIONAL, POSTFIX, SUM

_MOST_WORDED = 2  # levels of phrases inside phrases; a deeper expression is shown as in the program
_IN_PARENTHESES_FOR_NOTHING = re.compile(r"(?<![\w\]])\(([\w.]+(?:\[\d+\])?)\)")


def words(node: Expression, depth: int = 0) -> str:
    """The expression as a phrase, read aloud in one breath if it is not deep."""
    if isinstance(node, Apply):
        return _operator(node, depth)
    if isinstance(node, Previous):
        return f"{_part(node.expression, depth)} one tick ago (at first {words(node.start, depth + 1)})"
    if isinstance(node, Vector):
        return f"[{', '.join(words(item, depth + 1) for item in node.items)}]"
    return format_expression(node)


def choices(node: Expression) -> list[tuple[str | None, str]]:
    """A conditional as its cases, (condition, value) with None for the last condition; any other value is one case."""
    cases: list[tuple[str | None, str]] = []
    while isinstance(node, Apply) and OPERATORS[node.operator].syntax.strength == CONDITIONAL:
        condition, value, node = node.operands
        cases.append((words(condition), words(value)))
    return [*cases, (None, words(node))]


def _operator(node: Apply, depth: int) -> str:
    row = OPERATORS[node.operator]
    if depth > _MOST_WORDED and row.syntax.strength > COMPARISON:
        return format_expression(node)
    if row.syntax.kind != "call" and SUM <= row.syntax.strength < POSTFIX:
        return _arithmetic(node, row, depth)
    if row.syntax.kind == "call":
        operands = [_part(operand, depth) for operand in node.operands]
    else:
        operands = [_operand(operand, row.syntax.strength, depth) for operand in node.operands]
    return _IN_PARENTHESES_FOR_NOTHING.sub(r"\1", row.says.format(*operands))


def _arithmetic(node: Apply, row: Operator, depth: int) -> str:
    """With the operator's sign, as in the program."""
    if row.syntax.kind == "prefix":
        return row.syntax.token + _in_arithmetic(node.operands[0], row.syntax.strength, depth)
    left, right = node.operands
    return (
        f"{_in_arithmetic(left, row.syntax.strength - 1, depth)} {row.syntax.token} "
        f"{_in_arithmetic(right, row.syntax.strength, depth)}"
    )


def _in_arithmetic(node: Expression, strength: int, depth: int) -> str:
    """An operand of arithmetic, in parentheses if it is a phrase or binds no more than `strength`."""
    text = words(node, depth + 1)
    symbols = isinstance(node, Apply) and SUM <= OPERATORS[node.operator].syntax.strength < POSTFIX
    loose = symbols and isinstance(node, Apply) and OPERATORS[node.operator].syntax.strength <= strength
    worded = not symbols and " " in text and not isinstance(node, Vector)
    return f"({text})" if loose or (worded and not _is_call(node, text)) else text


def _is_call(node: Expression, text: str) -> bool:
    """Whether the text is a call as in the program, which needs no parentheses."""
    return (
        isinstance(node, Apply) and OPERATORS[node.operator].syntax.kind == "call" and text == format_expression(node)
    )


def _operand(node: Expression, strength: int, depth: int) -> str:
    """An operand of a comparison, a connective or a conditional."""
    text = words(node, depth + 1)
    loose = isinstance(node, Apply) and OPERATORS[node.operator].syntax.strength <= strength
    paused = ", " in text and isinstance(node, Apply) and not _is_call(node, text)
    return f"({text})" if loose or paused else text


def _part(node: Expression, depth: int) -> str:
    """An operand inside a phrase."""
    text = words(node, depth + 1)
    return f"({text})" if " " in text and not _is_call(node, text) and not isinstance(node, Vector) else text
