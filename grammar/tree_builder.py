"""Construction of the syntax tree: one function for each rule of `hl.lark`.

The functions for the rules of the declarations are in the table of declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from lark import Transformer

from hl_dsl.base.declaration_table import DeclarationTable
from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.rewrites import and_first, compared_twice, rewrite, right_first
from hl_dsl.grammar.tokens import (
    SyntaxProblem,
    TokenReader,
    between,
    place,
    read_index,
    read_name,
    read_number,
    read_size,
)
from hl_dsl.grammar.tree.syntax_tree import (
    Apply,
    Boolean,
    Expression,
    Index,
    Name,
    Number,
    Permute,
    PolicyDeclaration,
    Previous,
    Range,
    Slice,
    TypeName,
    Vector,
)
from hl_dsl.operators import INFIX_BY_TOKEN


class _Comparison(NamedTuple):
    """A comparison without its first operand."""

    operator: str
    operands: tuple[Expression, ...]
    sign: Span
    span: Span


def _policy(name: Any, environment: Any, *declarations: Any) -> PolicyDeclaration:
    *listed, closing = declarations
    return PolicyDeclaration(
        read_name(name),
        environment.value[1:-1],
        tuple(listed),
        (),
        Span(name.start_pos, environment.end_pos),
        place(environment),
        place(closing),
    )


def _type(name: Any, size: Any, closing: Any) -> TypeName:
    return TypeName(name.value, read_size(size), place(name) if closing is None else between(name, closing))


def _range(opening: Any, low: Number | Vector, high: Number | Vector, closing: Any) -> Range:
    return Range(low, high, between(opening, closing))


def _vector_of_literals(opening: Any, *items: Any) -> Vector:
    return Vector(items[:-1], between(opening, items[-1]))


def _conditional(keyword: Any, condition: Expression, yes: Expression, no: Expression) -> Apply:
    return Apply("if", (condition, yes, no), Span(keyword.start_pos, no.span.end))


def _implication(first: Expression, *rest: Any) -> Apply:
    if len(rest) > 2:
        raise SyntaxProblem(
            Diagnostic(
                "HL114",
                "`implies` does not chain: the two readings differ",
                first.span.to(rest[-1].span),
                "write `a implies (b implies c)` or `(a implies b) implies c`",
            ),
            rewrite(first.span, [place(token) for token in rest[::2]], rest[-1].span, right_first),
        )
    return Apply("implies", (first, rest[1]), first.span.to(rest[1].span))


def _logic(first: Expression, *rest: Any) -> Expression:
    wrong = next((token for token in rest[::2] if token.value != rest[0].value), None)
    if wrong is not None:
        raise SyntaxProblem(
            Diagnostic(
                "HL113",
                "`and` and `or` are mixed without parentheses",
                first.span.to(rest[-1].span),
                "two readings",
                others=(
                    Label(
                        place(wrong),
                        f"`(a {rest[0].value} b) {wrong.value} c`, or `a {rest[0].value} (b {wrong.value} c)`?",
                    ),
                ),
            ),
            rewrite(first.span, [place(token) for token in rest[::2]], rest[-1].span, and_first),
        )
    result = first
    for operand in rest[1::2]:
        result = Apply(rest[0].value, (result, operand), result.span.to(operand.span))
    return result


def _negation(keyword: Any, operand: Expression) -> Apply:
    return Apply("not", (operand,), Span(keyword.start_pos, operand.span.end))


def _comparison(first: Expression, *tails: _Comparison) -> Apply:
    if len(tails) > 1:
        is_plain = all(len(tail.operands) == 1 for tail in tails)
        raise SyntaxProblem(
            Diagnostic(
                "HL112",
                "comparisons do not chain",
                first.span.to(tails[-1].span),
                "two comparisons in a row",
                others=(Label(tails[1].sign, "the second one"),),
            ),
            rewrite(first.span, [tail.sign for tail in tails], tails[-1].span, compared_twice) if is_plain else None,
        )
    (tail,) = tails
    return Apply(tail.operator, (first, *tail.operands), first.span.to(tail.span))


def _compare(token: Any, operand: Expression) -> _Comparison:
    return _Comparison(INFIX_BY_TOKEN[token.value], (operand,), place(token), operand.span)


def _inside(keyword: Any, opening: Any, low: Expression, high: Expression, closing: Any) -> _Comparison:
    return _Comparison("in", (low, high), place(keyword), place(closing))


def _binary(left: Expression, token: Any, right: Expression) -> Apply:
    return Apply(INFIX_BY_TOKEN[token.value], (left, right), left.span.to(right.span))


def _negate(sign: Any, operand: Expression) -> Expression:
    if isinstance(operand, Number):
        return Number(-operand.value, Span(sign.start_pos, operand.span.end))
    return Apply("negate", (operand,), Span(sign.start_pos, operand.span.end))


def _index(vector: Expression, opening: Any, index: Expression, closing: Any) -> Expression:
    span = Span(vector.span.start, closing.end_pos)
    if isinstance(index, Vector):
        literals = [item.value for item in index.items if isinstance(item, Number)]
        positions = tuple(value for value in literals if isinstance(value, int))
        if len(positions) == len(index.items):
            return Permute(vector, positions, span)
    return Index(vector, index, span)


def _slice(vector: Expression, opening: Any, start: Any, stop: Any, closing: Any) -> Slice:
    return Slice(vector, read_index(start), read_index(stop), Span(vector.span.start, closing.end_pos))


def _call(name: Any, opening: Any, arguments: Any, closing: Any) -> Expression:
    arguments = arguments or ()
    span = between(name, closing)
    if name.value == "previous":
        if len(arguments) != 2:
            raise SyntaxProblem(
                Diagnostic(
                    "HL115",
                    f"`previous` takes a value and its start, not {len(arguments)} arguments",
                    span,
                    "previous(x, start): x one tick ago, `start` at the first tick",
                    repair=Repair(Span(closing.start_pos, closing.start_pos), ", 0", "start with 0: `previous(…, 0)`")
                    if len(arguments) == 1
                    else None,
                )
            )
        return Previous(arguments[0], arguments[1], span)
    return Apply(read_name(name), arguments, span)


def _parenthesized(opening: Any, expression: Expression, closing: Any) -> Expression:
    return expression


def _vector(opening: Any, arguments: Any, closing: Any) -> Vector:
    return Vector(arguments, between(opening, closing))


def _arguments(*items: Expression) -> tuple[Expression, ...]:
    return items


def _positive(token: Any) -> Number:
    return read_number(token)


def _negative(sign: Any, token: Any) -> Number:
    return read_number(token, sign)


def _name(token: Any) -> Name:
    return Name(read_name(token), place(token))


def _true(token: Any) -> Boolean:
    return Boolean(True, place(token))


def _false(token: Any) -> Boolean:
    return Boolean(False, place(token))


# The function for each rule, or alias of a rule, of `hl.lark`.
_RULES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "policy": _policy,
        "type": _type,
        "range": _range,
        "vector_of_literals": _vector_of_literals,
        "conditional": _conditional,
        "implication": _implication,
        "logic": _logic,
        "negation": _negation,
        "comparison": _comparison,
        "compare": _compare,
        "inside": _inside,
        "binary": _binary,
        "negate": _negate,
        "index": _index,
        "slice": _slice,
        "call": _call,
        "parenthesized": _parenthesized,
        "vector": _vector,
        "arguments": _arguments,
        "positive": _positive,
        "negative": _negative,
        "name": _name,
        "true": _true,
        "false": _false,
    }
)


class TreeBuilder(Transformer[Any, Any]):
    """Builds the tree at each reduction of the parser, so that there is no parse tree. Each rule is an attribute."""

    def __init__(self, table: DeclarationTable):
        super().__init__()
        reader = TokenReader()
        for rule, build in _RULES.items():
            setattr(self, rule, _with_children(build))
        for form in table.forms:
            for rule, read in form.readers().items():
                setattr(self, rule, _with_children(partial(read, reader)))


def _with_children(build: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    return lambda children: build(*children)
