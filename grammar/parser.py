"""Text to syntax tree."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zlib import crc32

from lark import Lark
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.lexer import PatternStr

from hl_dsl.base.cache_folder import cache_file
from hl_dsl.base.declaration_table import DeclarationTable, declaration_table
from hl_dsl.base.diagnostics import Diagnostic, ProgramError, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.tokens import SyntaxProblem
from hl_dsl.grammar.tree.input_limits import require_program_text, require_shallow_expressions
from hl_dsl.grammar.tree.keywords import grammar_text
from hl_dsl.grammar.tree.syntax_tree import Comment, PolicyDeclaration
from hl_dsl.grammar.tree_builder import TreeBuilder

_MOST_REPAIRS = 5


def parse(source: SourceText, repairs: int = _MOST_REPAIRS) -> PolicyDeclaration:
    """Parses a whole program. Raises `ProgramError` with what is wrong, where, and how to fix it.

    A repair is offered only if it leads to a program: the repaired text parses, or its first finding has such a repair
    in turn, for `repairs` steps at most.
    """
    try:
        require_program_text(source)
    except ProgramError as error:
        raise ProgramError(
            source, [validate_repair(source, finding, repairs) for finding in error.diagnostics]
        ) from None
    try:
        policy = _build(source.text)
    except SyntaxProblem as problem:
        raise ProgramError(source, [validate_repair(source, problem.finding(source.text), repairs)]) from None
    except UnexpectedInput as error:
        from hl_dsl.grammar.syntax_errors.explain import explain_error  # only wrong programs need it

        offset, accepts = _stopped_at(source.text, error)
        raise ProgramError(
            source, [validate_repair(source, explain_error(source, offset, accepts, _first_error), repairs)]
        ) from None
    require_shallow_expressions(source, policy)
    policy.comments = tuple(_comments(source.text))
    policy.after_blank = frozenset(match.end() for match in _EMPTY_LINE.finditer(source.text))
    return policy


def _build(text: str) -> PolicyDeclaration:
    """The tree of a text. Raises `SyntaxProblem` or `UnexpectedInput`."""
    try:
        policy: Any = _parser().parse(text)
    except VisitError as error:
        if isinstance(error.orig_exc, SyntaxProblem):
            raise error.orig_exc from None
        raise
    assert isinstance(policy, PolicyDeclaration)
    return policy


def validate_repair(source: SourceText, finding: Diagnostic, repairs: int = 1) -> Diagnostic:
    """The finding, without a repair that does not lead to a program.

    After the repair, the text parses, or the next finding has a repair in turn and is not this one again.
    """
    if finding.repair is None:
        return finding
    if repairs > 0:
        try:
            parse(SourceText(finding.repair.apply(source.text), source.name), repairs - 1)
            return finding
        except ProgramError as error:
            following = error.diagnostics[0]
            if following.repair is not None and not _is_repeated(finding, finding.repair, following):
                return finding
    return replace(finding, repair=None)


def _is_repeated(finding: Diagnostic, repair: Repair, following: Diagnostic) -> bool:
    """Whether the finding after a repair says the same of the same place."""
    moved = len(repair.text) - (repair.span.end - repair.span.start)
    is_same_place = following.span.start in (finding.span.start, finding.span.start + moved)
    return is_same_place and (following.code, following.message) == (finding.code, finding.message)


_COMMENT_OR_STRING = re.compile(r'"[^"\n]*"|#[^\n]*')
_EMPTY_LINE = re.compile(r"\n[ \t\r]*\n[ \t\r\n]*")


def _parser() -> Lark:
    return _parser_of(declaration_table())


@lru_cache(maxsize=4)
def _parser_of(table: DeclarationTable) -> Lark:
    text = grammar_text()
    # Lark takes longer to make the tables than most programs take to parse, so it keeps those of the language on disk.
    name = f"grammar-{sys.implementation.cache_tag}-{crc32(text.encode()):08x}.tables"
    tables = cache_file(name) if table.is_standard else None
    return Lark(
        text, parser="lalr", lexer="basic", start="policy", transformer=TreeBuilder(table), cache=tables or False
    )


@lru_cache(maxsize=4)
def _spellings(table: DeclarationTable) -> dict[str, str]:
    """Terminals of the grammar as they are written; those with many spellings keep their names."""
    names = {
        terminal.name: terminal.pattern.value
        for terminal in _parser_of(table).terminals
        if isinstance(terminal.pattern, PatternStr)
    }
    return {**names, "$END": "END"}


def _stopped_at(text: str, error: UnexpectedInput) -> tuple[int, set[str]]:
    """The offset where the parser stopped, and the tokens that it accepts there."""
    if isinstance(error, UnexpectedToken):
        at_end = error.token.type == "$END"
        offset, accepts = len(text) if at_end else error.token.start_pos, set(error.accepts)
    else:
        offset = error.pos_in_stream
        before = _parser().parse_interactive(text[:offset])
        try:
            before.exhaust_lexer()
            accepts = set(before.accepts())  # type: ignore[no-untyped-call]  # Lark has no annotation here
        except (UnexpectedInput, SyntaxProblem, VisitError):
            accepts = set()
    spellings = _spellings(declaration_table())
    return offset, {spellings.get(name, name) for name in accepts}


def _first_error(text: str) -> int | None:
    """The offset where a text first fails to parse; None if it parses."""
    try:
        _build(text)
    except UnexpectedToken as error:
        return len(text) if error.token.type == "$END" else error.token.start_pos
    except UnexpectedInput as error:
        return error.pos_in_stream
    except SyntaxProblem as problem:
        return problem.diagnostic.span.start
    return None


def _comments(text: str) -> Iterator[Comment]:
    for match in _COMMENT_OR_STRING.finditer(text):
        if match.group()[0] == "#":
            start, end = match.span()
            line_start = text.rfind("\n", 0, start) + 1
            yield Comment(match.group().rstrip(), Span(start, end), not text[line_start:start].strip())
