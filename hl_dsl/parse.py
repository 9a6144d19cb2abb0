"""Text to abstract syntax."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Iterator

from lark import Lark, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from hl_dsl.diagnostics import Diagnostic, Label, ProgramError, Repair
from hl_dsl.grammar import RESERVED, grammar_text
from hl_dsl.operators import INFIX_BY_TOKEN
from hl_dsl.parse_errors import explain_character, explain_end, explain_token
from hl_dsl.source import Source, Span
from hl_dsl.syntax import (
    Act, Apply, Boolean, Comment, Index, Let, Memory, Mode, Modes, Name, Number, Observe, Observed, Param, Permute,
    Policy, Previous, Property, Range, Rule, Slice, Transition, TypeName, Vector,
)

LONGEST_TEXT = 200_000  # characters; the longest hand-written policy known is under 20,000
DEEPEST_NESTING = 64


class _Problem(Exception):
    def __init__(self, diagnostic: Diagnostic):
        self.diagnostic = diagnostic


def parse(source: Source) -> Policy:
    """Parses a whole program. Raises `ProgramError` with what was wrong, where, and how to mend it."""
    _refuse_oversized(source)
    try:
        policy = _parser().parse(source.text)
    except _Problem as problem:
        raise ProgramError(source, [problem.diagnostic]) from None
    except VisitError as error:
        raise ProgramError(source, [error.orig_exc.diagnostic]) from None
    except UnexpectedCharacters as error:
        raise ProgramError(source, [explain_character(source, error.pos_in_stream)]) from None
    except UnexpectedEOF:
        raise ProgramError(source, [explain_end(source, set())]) from None
    except UnexpectedToken as error:
        finding = explain_end(source, error.expected) if error.token.type == "$END" else explain_token(source, error)
        raise ProgramError(source, [finding]) from None
    policy.comments = tuple(_comments(source.text))
    policy.after_blank = frozenset(match.end() for match in _EMPTY_LINE.finditer(source.text))
    return policy


_COMMENT_OR_STRING = re.compile(r'"[^"\n]*"|#[^\n]*')
_EMPTY_LINE = re.compile(r"\n[ \t\r]*\n[ \t\r\n]*")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        start="policy",
        transformer=_ToSyntax(),
    )


def _comments(text: str) -> Iterator[Comment]:
    for match in _COMMENT_OR_STRING.finditer(text):
        if match.group()[0] == "#":
            start, end = match.span()
            line_start = text.rfind("\n", 0, start) + 1
            yield Comment(match.group().rstrip(), Span(start, end), not text[line_start:start].strip())


def _refuse_oversized(source: Source) -> None:
    text = source.text
    if len(text) > LONGEST_TEXT:
        raise ProgramError(source, [Diagnostic(
            "HL110", f"this text has {len(text):,} characters; a policy may have {LONGEST_TEXT:,}", Span(0, 1),
            "is this a policy file?")])
    if not text.strip():
        raise ProgramError(source, [Diagnostic(
            "HL101", "the file is empty", Span(0, 0), "a policy starts here",
            expected=('policy NAME for "ENVIRONMENT" { … }',))])
    depth = 0
    for offset, character in enumerate(text):
        if character in "([{":
            depth += 1
            if depth > DEEPEST_NESTING:
                raise ProgramError(source, [Diagnostic(
                    "HL111", f"brackets are nested more than {DEEPEST_NESTING} deep", Span(offset, offset + 1),
                    "one too many here: name a part with `let`")])
        elif character in ")]}":
            depth = max(0, depth - 1)


def _at(token) -> Span:
    return Span(token.start_pos, token.end_pos)


def _between(first, last) -> Span:
    return Span(first.start_pos, last.end_pos)


def _name(token) -> str:
    if token.value in RESERVED:
        raise _Problem(Diagnostic("HL107", f"`{token.value}` is a word of the language, not a name", _at(token), "choose another name",
                                  repair=Repair(_at(token), token.value + "_", f"call it `{token.value}_`")))
    return token.value


def _number(token, negative: bool = False, sign=None) -> Number:
    text = token.value
    span = _at(token) if sign is None else _between(sign, token)
    if text.isdigit():
        if len(text) > 300:
            raise _Problem(Diagnostic("HL106", "this number is too large", span, f"{len(text)} digits"))
        value = int(text)
    else:
        value = float(text)
        if not math.isfinite(value):
            raise _Problem(Diagnostic("HL106", f"`{text}` is too large for a real", span, "binary64 ends near 1.8e308",
                                      repair=Repair(_at(token), "1e308", "write a finite number, at most 1.7e308")))
    return Number(-value if negative else value, span)


def _size(token) -> int | None:
    if token is None:
        return None
    if not token.value.isdigit() or not 1 <= int(token.value) <= 4096:
        raise _Problem(Diagnostic("HL109", f"`{token.value}` is no vector length", _at(token), "a whole number from 1 to 4096"))
    return int(token.value)


def _whole(token) -> int:
    if not token.value.isdigit():
        raise _Problem(Diagnostic("HL109", f"`{token.value}` is no index", _at(token), "a whole number is wanted here"))
    return int(token.value)


@v_args(inline=True)
class _ToSyntax(Transformer):
    """Called by the parser at each reduction, so no parse tree is built."""

    def policy(self, name, environment, *declarations):
        *declarations, closing = declarations
        return Policy(_name(name), environment.value[1:-1], tuple(declarations), (), Span(name.start_pos, environment.end_pos),
                      _at(environment), _at(closing))

    # declarations

    def observe(self, keyword, *items):
        return Observe(items, Span(keyword.start_pos, items[-1].span.end))

    def observed(self, name, size, range_):
        end = name.end_pos if range_ is None else range_.span.end
        return Observed(_name(name), _size(size), range_, Span(name.start_pos, end))

    def param(self, keyword, name, type_, default, range_):
        end = default.span if range_ is None else range_.span
        return Param(_name(name), type_, default, range_, Span(keyword.start_pos, end.end), _at(name))

    def let(self, keyword, name, expression):
        return Let(_name(name), expression, Span(keyword.start_pos, expression.span.end), _at(name))

    def memory(self, keyword, name, type_, range_, start, next_, closing):
        return Memory(_name(name), type_, range_, start, next_, _between(keyword, closing), _at(name))

    def property(self, keyword, name, expression):
        return Property(keyword.value, _name(name), expression, Span(keyword.start_pos, expression.span.end), _at(name))

    def type(self, name, size, closing):
        return TypeName(name.value, _size(size), _at(name) if closing is None else _between(name, closing))

    def range(self, opening, low, high, closing):
        return Range(low, high, _between(opening, closing))

    def vector_of_literals(self, opening, *items):
        return Vector(items[:-1], _between(opening, items[-1]))

    # behaviour

    def modes(self, keyword, *modes):
        return Modes(modes[:-1], _between(keyword, modes[-1]))

    def mode(self, start, name, act, *rest):
        *transitions, closing = rest
        return Mode(_name(name), start is not None, act, tuple(transitions), _between(start or name, closing), _at(name))

    def transition(self, when, condition, target):
        return Transition(condition, target.value, _between(when, target), _at(target))

    def decision_list(self, keyword, *rules):
        *rules, closing = rules
        return Act(tuple(rule for rule in rules if rule is not None), _between(keyword, closing))

    def action_expression(self, keyword, expression):
        span = Span(keyword.start_pos, expression.span.end)
        return Act((Rule(None, expression, expression.span),), span)

    def rule(self, when, condition, value):
        return Rule(condition, value, Span(when.start_pos, value.span.end))

    def otherwise(self, keyword, value):
        return Rule(None, value, Span(keyword.start_pos, value.span.end))

    # expressions

    def conditional(self, keyword, condition, yes, no):
        return Apply("if", (condition, yes, no), Span(keyword.start_pos, no.span.end))

    def implication(self, first, *rest):
        if len(rest) > 2:
            raise _Problem(Diagnostic(
                "HL114", "`implies` does not chain: the two readings differ", first.span.to(rest[-1].span),
                "write parentheses: `a implies (b implies c)`, or `(a implies b) implies c`"))
        return Apply("implies", (first, rest[1]), first.span.to(rest[1].span))

    def logic(self, first, *rest):
        words = {token.value for token in rest[::2]}
        if len(words) > 1:
            wrong = next(token for token in rest[::2] if token.value != rest[0].value)
            raise _Problem(_mixed_logic(first, rest, wrong))
        result = first
        for operand in rest[1::2]:
            result = Apply(rest[0].value, (result, operand), result.span.to(operand.span))
        return result

    def negation(self, keyword, operand):
        return Apply("not", (operand,), Span(keyword.start_pos, operand.span.end))

    def comparison(self, first, *tails):
        if len(tails) > 1:
            raise _Problem(Diagnostic(
                "HL112", "comparisons do not chain", first.span.to(tails[-1][-1]), "two comparisons in a row",
                others=(Label(tails[0][-2].span if tails[0][0] != "in" else tails[0][-1], "compare this twice, joined by `and`: `a < b and b < c`"),)))
        operator, *operands, end = tails[0]
        return Apply(operator, (first, *operands), first.span.to(end))

    def compare(self, token, operand):
        return (INFIX_BY_TOKEN[token.value], operand, operand.span)

    def within(self, keyword, opening, low, high, closing):
        return ("in", low, high, _at(closing))

    def binary(self, left, token, right):
        return Apply(INFIX_BY_TOKEN[token.value], (left, right), left.span.to(right.span))

    def negate(self, sign, operand):
        if type(operand) is Number:
            return Number(-operand.value, Span(sign.start_pos, operand.span.end))
        return Apply("negate", (operand,), Span(sign.start_pos, operand.span.end))

    def index(self, vector, opening, index, closing):
        span = Span(vector.span.start, closing.end_pos)
        if type(index) is Vector and all(type(item) is Number and type(item.value) is int for item in index.items):
            return Permute(vector, tuple(item.value for item in index.items), span)
        return Index(vector, index, span)

    def slice(self, vector, opening, start, stop, closing):
        return Slice(vector, _whole(start), _whole(stop), Span(vector.span.start, closing.end_pos))

    def call(self, name, opening, arguments, closing):
        arguments = arguments or ()
        span = _between(name, closing)
        if name.value == "previous":
            if len(arguments) != 2:
                raise _Problem(Diagnostic(
                    "HL115", f"`previous` takes a value and its start, not {len(arguments)} arguments", span,
                    "previous(x, start): x one tick ago, `start` at the first tick"))
            return Previous(arguments[0], arguments[1], span)
        return Apply(name.value, arguments, span)

    def parenthesized(self, opening, expression, closing):
        return expression

    def vector(self, opening, arguments, closing):
        return Vector(arguments, _between(opening, closing))

    def arguments(self, *items):
        return items

    def positive(self, token):
        return _number(token)

    def negative(self, sign, token):
        return _number(token, True, sign)

    def name(self, token):
        return Name(_name(token), _at(token))

    def true(self, token):
        return Boolean(True, _at(token))

    def false(self, token):
        return Boolean(False, _at(token))


def _mixed_logic(first, rest, wrong) -> Diagnostic:
    return Diagnostic(
        "HL113", "`and` and `or` are mixed without parentheses", first.span.to(rest[-1].span),
        "two readings", others=(Label(_at(wrong), f"write `(a {rest[0].value} b) {wrong.value} c` or `a {rest[0].value} (b {wrong.value} c)`"),))
