"""The one layout of a program.

Two spaces a level, 100 columns, a declaration on one line where it fits, an empty line between declarations of
different kinds, columns lined up in neighbouring lines, the fewest parentheses that mean the same. There are no
options, so equal programs have equal texts. Comments and single empty lines of the author's stay.
"""

from __future__ import annotations

from hl_dsl.base.source import SourceText
from hl_dsl.grammar.formatter.comments import place_comments
from hl_dsl.grammar.formatter.declarations import PolicyWriter
from hl_dsl.grammar.formatter.document import CELL, DocumentParts
from hl_dsl.grammar.formatter.expressions import number_text, write_expression
from hl_dsl.grammar.formatter.layout import join_lines, lay_out
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.syntax_tree import Expression, PolicyDeclaration

__all__ = ["format_expression", "format_policy", "format_text", "number_text"]


def format_policy(policy: PolicyDeclaration) -> str:
    """The text of a policy, parsed or made in memory. Raises ValueError for a number that is not finite."""
    out = PolicyWriter(policy.after_blank, bool(policy.comments))
    out.policy(policy)
    return join_lines(lay_out(out, place_comments(out, policy.comments), policy.after_blank))


def format_text(text: str | SourceText) -> str:
    """A program's text in the one layout. Raises `ProgramError` where it does not parse."""
    return format_policy(parse(text if isinstance(text, SourceText) else SourceText(text)))


def format_expression(expression: Expression) -> str:
    """An expression on one line, however long. Raises ValueError for a number that is not finite."""
    out = DocumentParts()
    write_expression(out, expression)
    return "".join(out.items).replace(CELL, " ")
