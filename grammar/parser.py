"""Text to abstract syntax."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from hl_dsl.grammar.syntax_errors.error_context import LATER, kept_for_later
from hl_dsl.grammar.syntax_errors.rewrites import and_first, compared_twice, rewrite, right_first
from hl_dsl.grammar.tree.input_limits import MOST_TICKS, refuse_deep_expressions, refuse_what_is_no_program
from hl_dsl.grammar.tree.keywords import RESERVED, grammar_text
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Apply,
    Boolean,
    Comment,
    Index,
    Let,
    Memory,
    Mode,
    Modes,
    Name,
    Never,
    Number,
    Observe,
    Observed,
    Param,
    Permute,
    PlanDeclaration,
    PolicyDeclaration,
    Previous,
    PropertyDeclaration,
    Range,
    Rule,
    Setting,
    Slice,
    Transition,
    TypeName,
    Vector,
    Within,
)
from lark import Lark, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.lexer import PatternStr

from hl_dsl.base.cache_folder import cache_file
from hl_dsl.base.diagnostics import Diagnostic, Label, ProgramError, Repair
from hl_dsl.base.source import NOWHERE, SourceText, Span
from hl_dsl.operators import INFIX_BY_TOKEN


class _Problem(Exception):
    """Found while the tree is made. `rewrite` gives the repair, once the text is at hand."""

    def __init__(self, diagnostic: Diagnostic, rewrite: Callable[[str], Repair | None] | None = None):
        self.diagnostic, self.rewrite = diagnostic, rewrite

    def finding(self, text: str) -> Diagnostic:
        if self.rewrite is None:
            return self.diagnostic
        return replace(self.diagnostic, repair=self.rewrite(text))


_MOST_REPAIRS = 5


def parse(source: SourceText, repairs: int = _MOST_REPAIRS) -> PolicyDeclaration:
    """Parses a whole program. Raises `ProgramError` with what was wrong, where, and how to mend it.

    A repair is offered where the text then parses, or what is wrong next has such a repair in turn: who follows them comes
    to a program, after `repairs` of them at most.
    """
    try:
        refuse_what_is_no_program(source)
    except ProgramError as error:
        raise ProgramError(source, [sound(source, finding, repairs) for finding in error.diagnostics]) from None
    try:
        policy = _parser().parse(source.text)
    except (_Problem, VisitError) as error:
        problem = error.orig_exc if isinstance(error, VisitError) else error
        raise ProgramError(source, [sound(source, problem.finding(source.text), repairs)]) from None
    except UnexpectedInput as error:
        from hl_dsl.grammar.syntax_errors.explain import explain_error  # a good program has no use for it

        offset, accepts = _stopped_at(source.text, error)
        raise ProgramError(
            source, [sound(source, explain_error(source, offset, accepts, _first_error), repairs)]
        ) from None
    refuse_deep_expressions(source, policy)
    policy.comments = tuple(_comments(source.text))
    policy.after_blank = frozenset(match.end() for match in _EMPTY_LINE.finditer(source.text))
    return policy


def sound(source: SourceText, finding: Diagnostic, repairs: int = 1) -> Diagnostic:
    """The finding, without a repair that leads to no program."""
    if finding.repair is None:
        return finding
    if repairs > 0:
        try:
            parse(SourceText(finding.repair.apply(source.text), source.name), repairs - 1)
            return finding
        except ProgramError as error:
            if error.diagnostics[0].repair is not None:
                return finding
    return replace(finding, repair=None)


_COMMENT_OR_STRING = re.compile(r'"[^"\n]*"|#[^\n]*')
_EMPTY_LINE = re.compile(r"\n[ \t\r]*\n[ \t\r\n]*")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    # Making the tables takes longer than most programs take to parse, so Lark keeps them, under a hash of the grammar.
    tables = cache_file(f"grammar-{sys.implementation.cache_tag}.tables")
    return Lark(
        grammar_text(), parser="lalr", lexer="basic", start="policy", transformer=_ToSyntax(), cache=tables or False
    )


@lru_cache(maxsize=1)
def _written() -> dict[str, str]:
    """Terminals of the grammar as they are written; those with many spellings keep their names."""
    names = {
        terminal.name: terminal.pattern.value
        for terminal in _parser().terminals
        if isinstance(terminal.pattern, PatternStr)
    }
    return {**names, "$END": "END"}


def _stopped_at(text: str, error: UnexpectedInput) -> tuple[int, set[str]]:
    """The offset where the parser stopped, and what it would have taken there."""
    if isinstance(error, UnexpectedToken):
        at_end = error.token.type == "$END"
        offset, accepts = len(text) if at_end else error.token.start_pos, error.accepts
    else:
        offset = error.pos_in_stream
        before = _parser().parse_interactive(text[:offset])
        try:
            before.exhaust_lexer()
            accepts = before.accepts()
        except (UnexpectedInput, _Problem, VisitError):
            accepts = set()
    return offset, {_written().get(name, name) for name in accepts}


def _first_error(text: str) -> int | None:
    """Where a text first fails to parse; None where it does not."""
    try:
        _parser().parse(text)
    except UnexpectedToken as error:
        return len(text) if error.token.type == "$END" else error.token.start_pos
    except UnexpectedInput as error:
        return error.pos_in_stream
    except _Problem as problem:
        return problem.diagnostic.span.start
    except VisitError as error:
        return error.orig_exc.diagnostic.span.start
    return None


def _comments(text: str) -> Iterator[Comment]:
    for match in _COMMENT_OR_STRING.finditer(text):
        if match.group()[0] == "#":
            start, end = match.span()
            line_start = text.rfind("\n", 0, start) + 1
            yield Comment(match.group().rstrip(), Span(start, end), not text[line_start:start].strip())


def _at(token) -> Span:
    return Span(token.start_pos, token.end_pos)


def _between(first, last) -> Span:
    return Span(first.start_pos, last.end_pos)


class _Comparison(NamedTuple):
    """What follows the first operand of a comparison."""

    operator: str
    operands: tuple
    sign: Span
    span: Span


def _name(token) -> str:
    if token.value in LATER:
        raise _Problem(kept_for_later(_at(token), token.value))
    if token.value in RESERVED:
        raise _Problem(
            Diagnostic(
                "HL107",
                f"`{token.value}` is a word of the language, not a name",
                _at(token),
                "choose another name",
                repair=Repair(_at(token), token.value + "_", f"call it `{token.value}_`"),
            )
        )
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
            raise _Problem(
                Diagnostic(
                    "HL106",
                    f"`{text}` is too large for a real",
                    span,
                    "binary64 ends near 1.8e308",
                    repair=Repair(_at(token), "1e308", "write a finite number, at most 1.7e308"),
                )
            )
    return Number(-value if negative else value, span)


def _size(token) -> int | None:
    if token is None:
        return None
    if not token.value.isdigit() or not 1 <= int(token.value) <= 4096:
        raise _Problem(
            Diagnostic("HL109", f"`{token.value}` is no vector length", _at(token), "a whole number from 1 to 4096")
        )
    return int(token.value)


def _whole(token) -> int:
    if not token.value.isdigit():
        raise _Problem(Diagnostic("HL109", f"`{token.value}` is no index", _at(token), "a whole number is wanted here"))
    return int(token.value)


def _ticks(token) -> int:
    if not token.value.isdigit() or int(token.value) > MOST_TICKS:
        raise _Problem(
            Diagnostic(
                "HL150",
                f"`{token.value}` is no number of ticks",
                _at(token),
                f"a whole number from 0 to {MOST_TICKS}",
                repair=Repair(_at(token), whole, f"write `{whole}`") if (whole := _rounded(token.value)) else None,
            )
        )
    return int(token.value)


def _rounded(text: str) -> str | None:
    number = float(text)
    return str(round(number)) if number <= MOST_TICKS else None


@v_args(inline=True)
class _ToSyntax(Transformer):
    """Called by the parser at each reduction, so no parse tree is built."""

    def policy(self, name, environment, *declarations):
        *declarations, closing = declarations
        return PolicyDeclaration(
            _name(name),
            environment.value[1:-1],
            tuple(declarations),
            (),
            Span(name.start_pos, environment.end_pos),
            _at(environment),
            _at(closing),
        )

    # declarations

    def observe(self, keyword, *items):
        return Observe(items, Span(keyword.start_pos, items[-1].span.end))

    def observed(self, name, size, closing, range_):
        end = range_.span.end if range_ is not None else (closing or name).end_pos
        return Observed(_name(name), _size(size), range_, Span(name.start_pos, end))

    def param(self, keyword, name, type_, default, range_):
        end = default.span if range_ is None else range_.span
        return Param(_name(name), type_, default, range_, Span(keyword.start_pos, end.end), _at(name))

    def let(self, keyword, name, expression):
        return Let(_name(name), expression, Span(keyword.start_pos, expression.span.end), _at(name))

    def memory(self, keyword, name, type_, range_, start, next_, closing):
        return Memory(_name(name), type_, range_, start, next_, _between(keyword, closing), _at(name))

    def property(self, keyword, name, pattern, expression):
        return PropertyDeclaration(
            keyword.value, _name(name), expression, pattern, Span(keyword.start_pos, expression.span.end), _at(name)
        )

    def reachable(self, keyword, name, expression):
        return self.property(keyword, name, None, expression)

    def never(self, keyword):
        return Never(_at(keyword))

    def within(self, keyword, ticks, condition):
        return Within(_ticks(ticks), condition, Span(keyword.start_pos, condition.span.end))

    def after(self, keyword, condition, end):
        return After(condition, end, Span(keyword.start_pos, end.span.end))

    def plan(self, keyword, name, type_, range_, *rest):
        *settings, each_word, each, final_word, final, closing = rest
        return PlanDeclaration(
            _name(name),
            type_,
            range_,
            tuple(settings),
            each,
            final,
            _between(keyword, closing),
            _at(name),
            _at(each_word),
            NOWHERE if final is None else _at(final_word),
        )

    def setting(self, name, value):
        return Setting(name.value, value, Span(name.start_pos, value.span.end), _at(name))

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
        return Mode(
            _name(name), start is not None, act, tuple(transitions), _between(start or name, closing), _at(name)
        )

    def transition(self, when, condition, target):
        return Transition(condition, _name(target), _between(when, target), _at(target))

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
            raise _Problem(
                Diagnostic(
                    "HL114",
                    "`implies` does not chain: the two readings differ",
                    first.span.to(rest[-1].span),
                    "write `a implies (b implies c)` or `(a implies b) implies c`",
                ),
                rewrite(first.span, [_at(token) for token in rest[::2]], rest[-1].span, right_first),
            )
        return Apply("implies", (first, rest[1]), first.span.to(rest[1].span))

    def logic(self, first, *rest):
        wrong = next((token for token in rest[::2] if token.value != rest[0].value), None)
        if wrong is not None:
            raise _Problem(
                Diagnostic(
                    "HL113",
                    "`and` and `or` are mixed without parentheses",
                    first.span.to(rest[-1].span),
                    "two readings",
                    others=(
                        Label(
                            _at(wrong),
                            f"`(a {rest[0].value} b) {wrong.value} c`, or `a {rest[0].value} (b {wrong.value} c)`?",
                        ),
                    ),
                ),
                rewrite(first.span, [_at(token) for token in rest[::2]], rest[-1].span, and_first),
            )
        result = first
        for operand in rest[1::2]:
            result = Apply(rest[0].value, (result, operand), result.span.to(operand.span))
        return result

    def negation(self, keyword, operand):
        return Apply("not", (operand,), Span(keyword.start_pos, operand.span.end))

    def comparison(self, first, *tails):
        if len(tails) > 1:
            is_plain = all(len(tail.operands) == 1 for tail in tails)
            raise _Problem(
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

    def compare(self, token, operand):
        return _Comparison(INFIX_BY_TOKEN[token.value], (operand,), _at(token), operand.span)

    def inside(self, keyword, opening, low, high, closing):
        return _Comparison("in", (low, high), _at(keyword), _at(closing))

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
                raise _Problem(
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
        return Apply(_name(name), arguments, span)

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
