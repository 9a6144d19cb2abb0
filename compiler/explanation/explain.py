"""Explanation of a policy in English: its observations, definitions, memory, behaviour and properties."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill, wrap

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import declaration_table
from hl_dsl.compiler.explanation.expression_text import choices, words
from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.author_comments import Comments
from hl_dsl.grammar.tree.syntax_tree import Declaration, Expression, Range
from hl_dsl.language.checker import CheckedProgram

WIDTH = 100  # characters in a line
_SHORT = 16  # characters of a value that may stand before its condition


def explain_program(checked: CheckedProgram) -> str:
    """The strategy of a checked program as text to read aloud."""
    policy, card = checked.policy, checked.card
    explainer = ProgramExplainer(checked)
    opening = [f"{policy.name} is a policy for {card.environment}. {card.says}", explainer.comments.opening()]
    sections = [_section(title, lines) for title, lines in explainer.sections().items()]
    parts = ["\n".join(fill(line, WIDTH) for line in opening if line), *(section for section in sections if section)]
    return "\n\n".join(parts) + "\n"


class ProgramExplainer:
    """Functions for the forms of declarations (`Explainer` in `hl_dsl/base/declaration_stages.py`)."""

    def __init__(self, checked: CheckedProgram):
        self.checked = checked
        self.comments = Comments(checked.source, checked.policy)

    def sections(self) -> dict[str, list[str]]:
        """Lines by the title of their section, in the order of the table of declarations."""
        forms = declaration_table().forms
        sections: dict[str, list[str]] = {title: [] for form in forms for title in form.sections}
        order = {name: position for position, name in enumerate(self.checked.order)}
        for form in forms:
            declarations = list(self.checked.policy.of(form.node))
            if form.role is Role.DEFINITION:
                declarations.sort(key=lambda item: order[item.name])
            for item in declarations:
                sections[form.section(item)].extend(form.explain(self, item))
        return sections

    def before(self, item: Declaration) -> Iterable[str]:
        """The author's comment above an item, as a line."""
        text = self.comments.above(item)
        return [f"({text})"] if text else []

    def after(self, item: Declaration) -> str:
        """The author's comment on the line of an item, as the end of a line."""
        text = self.comments.on_line_of(item)
        return f"  ({text})" if text else ""

    def words(self, expression: Expression, depth: int = 0) -> str:
        """An expression as a phrase."""
        return words(expression, depth)

    def written(self, expression: Expression) -> str:
        """An expression as in a program."""
        return format_expression(expression)

    def ends(self, range_: Range) -> str:
        """A range as in a program."""
        return f"[{format_expression(range_.low)}, {format_expression(range_.high)}]"

    def equation(self, lead: str, expression: Expression, after: str = "") -> Iterable[str]:
        """On one line, or with a line for each case."""
        *cases, (_, last) = choices(expression)
        if not cases:
            yield f"{lead} {last}{after}"
        elif len(cases) == 1 and len(cases[0][1]) <= _SHORT:
            yield f"{lead} {cases[0][1]} where {cases[0][0]}, else {last}{after}"
        else:
            yield f"{lead}{after}"
            for position, (condition, value) in enumerate(cases):
                yield f"  {'else ' if position else ''}where {condition}: {value}"
            yield f"  else: {last}"


def _section(title: str, lines: Iterable[str]) -> str:
    shown = [_filled(line, "  ") for line in lines]
    return "\n".join([title + ":", *shown]) if shown else ""


def _filled(line: str, margin: str) -> str:
    """Wrapped to the width, with what follows indented below what is said."""
    inner = line[: len(line) - len(line.lstrip())]
    return "\n".join(
        wrap(
            line.strip(),
            WIDTH,
            initial_indent=margin + inner,
            subsequent_indent=margin + inner + "    ",
            break_long_words=False,
        )
    )
