"""Expressions as documents. Parentheses follow from the binding strengths of the operator table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hl_dsl.base.source import NOWHERE
from hl_dsl.grammar.formatter.binding import fold_minus, strength, symbolic_row
from hl_dsl.grammar.formatter.document import (
    CELL,
    CELL_LINE_IN,
    FILL,
    IN,
    LINE,
    LINE_IN,
    OUT,
    SOFT_IN,
    SOFT_OUT,
    Break,
    DocumentParts,
)
from hl_dsl.grammar.tree.syntax_tree import (
    Apply,
    Boolean,
    Expression,
    Index,
    Name,
    Number,
    Permute,
    Previous,
    Range,
    Slice,
    Vector,
)
from hl_dsl.operators import Operator
from hl_dsl.operators.table import CONDITIONAL, LOGIC, POSTFIX, PRODUCT, SUM


def write_expression(out: DocumentParts, node: Expression, least: int = CONDITIONAL, flush: bool = False) -> None:
    """Adds `node`, in parentheses if it binds less than `least`.

    `flush`: the lines after its first one are not indented, because the expression has a line of its own.
    """
    node = fold_minus(node)
    if strength(node) >= least:
        _WRITERS[type(node)](out, node, flush)
        return
    out.open()
    out.add("(")
    out.add(SOFT_IN)
    _WRITERS[type(node)](out, node, True)
    out.add(SOFT_OUT)
    out.add(")")
    out.close()


def write_assigned(out: DocumentParts, node: Expression, is_column: bool = False) -> None:
    """Adds a space and `node`, or, if that is too long, `node` on a line of its own.

    An expression with brackets of its own stays on the line and breaks inside them. `is_column`: the expressions of the
    lines above and below are lined up with it.
    """
    if type(node) in (Vector, Previous) or (type(node) is Apply and node.operands and symbolic_row(node) is None):
        out.add(CELL if is_column else " ")
        write_expression(out, node)
        return
    out.open()
    out.add(CELL_LINE_IN if is_column else LINE_IN)
    write_expression(out, node, flush=True)
    out.add(OUT)
    out.close()


def write_range(out: DocumentParts, range_: Range) -> None:
    """Adds `[low, high]`."""
    start, end = range_.span
    if range_.is_alike:
        out.token("[", start, end and start + 1)
        write_expression(out, range_.low)
        out.add(", ")
        write_expression(out, range_.high)
        out.token("]", end - 1, end)
        return
    out.open()
    out.token("[", start, end and start + 1)
    out.add(SOFT_IN)
    write_expression(out, range_.low)
    out.add(",")
    out.add(LINE)
    write_expression(out, range_.high)
    out.add(SOFT_OUT)
    out.token("]", end - 1, end)
    out.close()


def number_text(value: int | float) -> str:
    """A literal that reads back as the same value of the same type. Raises ValueError for what is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written in a program")
    return repr(value)


def _apply(out: DocumentParts, node: Apply, flush: bool) -> None:
    row = symbolic_row(node)
    if row is None:
        _bracketed(out, node.operator, node, node.operands)
    elif row.syntax.kind == "infix":
        _infix(out, node, row, flush)
    elif row.syntax.kind == "prefix":
        token = row.syntax.token
        out.token(
            token + " " if token.isalpha() else token, node.span.start, node.span.end and node.span.start + len(token)
        )
        write_expression(out, node.operands[0], row.syntax.strength)
    else:
        _SPECIAL[row.syntax.token](out, node, row, flush)


def _infix(out: DocumentParts, node: Apply, row: Operator, flush: bool) -> None:
    level = row.syntax.strength
    tail = []
    while True:
        left, right = node.operands
        tail.append((row.syntax.token + " ", right))
        following = symbolic_row(left) if isinstance(left, Apply) else None
        if (
            following is None
            or not isinstance(left, Apply)
            or following.syntax.strength != level
            or not (level in (SUM, PRODUCT) or (level == LOGIC and following is row))
        ):
            break
        node, row = left, following
    out.open()
    write_expression(out, left, level + 1)
    if not flush:
        out.add(IN)
    for token, right in reversed(tail):
        out.add(LINE)
        out.add(token)
        write_expression(out, right, level + 1)
    if not flush:
        out.add(OUT)
    out.close()


def _conditional(out: DocumentParts, node: Apply, row: Operator, flush: bool) -> None:
    out.open()
    if not flush:
        out.add(IN)
    while True:
        condition, yes, no = node.operands
        out.token("if ", node.span.start, node.span.end and node.span.start + 2)
        # An `if` needs no parentheses in these two places, but is hard to read there without.
        write_expression(out, condition, CONDITIONAL + 1)
        out.add(" then")
        _branch(out, yes, CONDITIONAL + 1)
        out.add(LINE)
        if type(no) is not Apply or symbolic_row(no) is not row:
            break
        out.add("else ")
        node = no
    out.add("else")
    _branch(out, no, CONDITIONAL)
    if not flush:
        out.add(OUT)
    out.close()


def _branch(out: DocumentParts, node: Expression, least: int) -> None:
    out.open()
    out.add(LINE_IN)
    write_expression(out, node, least, True)
    out.add(OUT)
    out.close()


def _within(out: DocumentParts, node: Apply, row: Operator, flush: bool) -> None:
    value, low, high = node.operands
    out.open()
    write_expression(out, value, row.syntax.strength + 1)
    if not flush:
        out.add(IN)
    out.add(LINE)
    out.add("in [")
    out.add(SOFT_IN)
    write_expression(out, low)
    out.add(",")
    out.add(LINE)
    write_expression(out, high)
    out.add(SOFT_OUT)
    out.token("]", node.span.end - 1, node.span.end)
    if not flush:
        out.add(OUT)
    out.close()


def _bracketed(
    out: DocumentParts,
    name: str,
    node: Expression,
    items: Sequence[Expression],
    brackets: str = "()",
    between: Break = LINE,
) -> None:
    start, end = node.span
    out.open()
    out.token(name + brackets[0], start, end and start + max(1, len(name)))
    if items:
        out.add(SOFT_IN)
        for position, item in enumerate(items):
            if position:
                out.add(",")
                out.add(between)
            write_expression(out, item)
        out.add(SOFT_OUT)
    out.token(brackets[1], end - 1, end)
    out.close()


def _vector(out: DocumentParts, node: Vector, flush: bool) -> None:
    is_plain = all(type(item) in (Number, Boolean, Name) for item in node.items)
    _bracketed(out, "", node, node.items, "[]", FILL if is_plain else LINE)


def _previous(out: DocumentParts, node: Previous, flush: bool) -> None:
    _bracketed(out, "previous", node, (node.expression, node.start))


def _index(out: DocumentParts, node: Index, flush: bool) -> None:
    _subscript(out, node, lambda: write_expression(out, node.index))


def _permute(out: DocumentParts, node: Permute, flush: bool) -> None:
    _subscript(out, node, lambda: _vector(out, Vector(tuple(map(Number, node.indices)), NOWHERE), flush))


def _subscript(out: DocumentParts, node: Index | Permute, write_inside: Callable[[], None]) -> None:
    out.open()
    write_expression(out, node.vector, POSTFIX)
    out.add("[")
    out.add(SOFT_IN)
    write_inside()
    out.add(SOFT_OUT)
    out.token("]", node.span.end - 1, node.span.end)
    out.close()


def _slice(out: DocumentParts, node: Slice, flush: bool) -> None:
    write_expression(out, node.vector, POSTFIX)
    out.token(f"[{node.start}:{node.stop}]", node.span.end - 1, node.span.end)


def _number(out: DocumentParts, node: Number, flush: bool = False) -> None:
    out.token(number_text(node.value), *node.span)


def _boolean(out: DocumentParts, node: Boolean, flush: bool) -> None:
    out.token("true" if node.value else "false", *node.span)


def _name(out: DocumentParts, node: Name, flush: bool) -> None:
    out.token(node.name, *node.span)


_SPECIAL: Mapping[str, Callable[[DocumentParts, Apply, Operator, bool], None]] = MappingProxyType(
    {"if": _conditional, "in": _within}
)
_WRITERS: Mapping[type, Callable[[DocumentParts, Any, bool], None]] = MappingProxyType(
    {
        Apply: _apply,
        Boolean: _boolean,
        Index: _index,
        Name: _name,
        Number: _number,
        Permute: _permute,
        Previous: _previous,
        Slice: _slice,
        Vector: _vector,
    }
)
