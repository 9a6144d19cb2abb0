"""Builds the syntax tree while the parser reduces: one method for each rule of `hl.lark`.

The rules of the declarations have their functions in the table of declarations.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
from lark import Transformer, v_args

from hl_dsl.base.declaration_form import ReadRule
from hl_dsl.base.declaration_table import DeclarationTable
from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.operators import INFIX_BY_TOKEN


class _Comparison(NamedTuple):
    """What follows the first operand of a comparison."""

    operator: str
    operands: tuple
    sign: Span
    span: Span


@v_args(inline=True)
class TreeBuilder(Transformer):
    """Called by the parser at each reduction, so no parse tree is built."""

    def policy(self, name: Any, environment: Any, *declarations: Any) -> Any:
        *declarations, closing = declarations
        return PolicyDeclaration(
            read_name(name),
            environment.value[1:-1],
            tuple(declarations),
            (),
            Span(name.start_pos, environment.end_pos),
            place(environment),
            place(closing),
        )

    def type(self, name: Any, size: Any, closing: Any) -> Any:
        return TypeName(name.value, read_size(size), place(name) if closing is None else between(name, closing))

    def range(self, opening: Any, low: Any, high: Any, closing: Any) -> Any:
        return Range(low, high, between(opening, closing))

    def vector_of_literals(self, opening: Any, *items: Any) -> Any:
        return Vector(items[:-1], between(opening, items[-1]))

    # expressions

    def conditional(self, keyword: Any, condition: Any, yes: Any, no: Any) -> Any:
        return Apply("if", (condition, yes, no), Span(keyword.start_pos, no.span.end))

    def implication(self, first: Any, *rest: Any) -> Any:
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

    def logic(self, first: Any, *rest: Any) -> Any:
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

    def negation(self, keyword: Any, operand: Any) -> Any:
        return Apply("not", (operand,), Span(keyword.start_pos, operand.span.end))

    def comparison(self, first: Any, *tails: Any) -> Any:
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
                rewrite(first.span, [tail.sign for tail in tails], tails[-1].span, compared_twice)
                if is_plain
                else None,
            )
        (tail,) = tails
        return Apply(tail.operator, (first, *tail.operands), first.span.to(tail.span))

    def compare(self, token: Any, operand: Any) -> Any:
        return _Comparison(INFIX_BY_TOKEN[token.value], (operand,), place(token), operand.span)

    def inside(self, keyword: Any, opening: Any, low: Any, high: Any, closing: Any) -> Any:
        return _Comparison("in", (low, high), place(keyword), place(closing))

    def binary(self, left: Any, token: Any, right: Any) -> Any:
        return Apply(INFIX_BY_TOKEN[token.value], (left, right), left.span.to(right.span))

    def negate(self, sign: Any, operand: Any) -> Any:
        if type(operand) is Number:
            return Number(-operand.value, Span(sign.start_pos, operand.span.end))
        return Apply("negate", (operand,), Span(sign.start_pos, operand.span.end))

    def index(self, vector: Any, opening: Any, index: Any, closing: Any) -> Any:
        span = Span(vector.span.start, closing.end_pos)
        if type(index) is Vector and all(type(item) is Number and type(item.value) is int for item in index.items):
            return Permute(vector, tuple(item.value for item in index.items), span)
        return Index(vector, index, span)

    def slice(self, vector: Any, opening: Any, start: Any, stop: Any, closing: Any) -> Any:
        return Slice(vector, read_index(start), read_index(stop), Span(vector.span.start, closing.end_pos))

    def call(self, name: Any, opening: Any, arguments: Any, closing: Any) -> Any:
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
                        repair=Repair(
                            Span(closing.start_pos, closing.start_pos), ", 0", "begin with 0: `previous(…, 0)`"
                        )
                        if len(arguments) == 1
                        else None,
                    )
                )
            return Previous(arguments[0], arguments[1], span)
        return Apply(read_name(name), arguments, span)

    def parenthesized(self, opening: Any, expression: Any, closing: Any) -> Any:
        return expression

    def vector(self, opening: Any, arguments: Any, closing: Any) -> Any:
        return Vector(arguments, between(opening, closing))

    def arguments(self, *items: Any) -> Any:
        return items

    def positive(self, token: Any) -> Any:
        return read_number(token)

    def negative(self, sign: Any, token: Any) -> Any:
        return read_number(token, sign)

    def name(self, token: Any) -> Any:
        return Name(read_name(token), place(token))

    def true(self, token: Any) -> Any:
        return Boolean(True, place(token))

    def false(self, token: Any) -> Any:
        return Boolean(False, place(token))


def tree_builder(table: DeclarationTable) -> TreeBuilder:
    """A builder that also has the rules of the declarations of a table. The parser calls it at each reduction."""
    builder = TreeBuilder()
    reader = TokenReader()
    for form in table.forms:
        for rule, read in form.readers().items():
            setattr(builder, rule, _called_with(reader, read))
    return builder


def _called_with(reader: TokenReader, read: ReadRule) -> ReadRule:
    return lambda children: read(reader, *children)
