"""Policies as documents: the frame of a policy, and the writer that the forms of declarations use."""

from __future__ import annotations

from hl_dsl.base.declaration_table import form_of
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import HARD, HARD_IN, HARD_OUT, DocumentParts
from hl_dsl.grammar.formatter.expressions import write_assigned, write_expression, write_range
from hl_dsl.grammar.tree.syntax_tree import Expression, PolicyDeclaration, Range, TypeName


class PolicyWriter(DocumentParts):
    """A document with the parts that declarations are made of (`TextWriter` in `hl_dsl/base/declaration_stages.py`)."""

    def keyword(self, text: str, span: Span) -> None:
        """Adds the first word of a construct and a space."""
        self.token(text + " ", span.start, span.end and span.start + len(text))

    def expression(self, node: Expression) -> None:
        """Adds an expression."""
        write_expression(self, node)

    def assigned(self, node: Expression, is_column: bool = False) -> None:
        """Adds an expression behind `=` or a word; it moves to the next line if it does not fit."""
        write_assigned(self, node, is_column)

    def range(self, range_: Range) -> None:
        """Adds a range."""
        write_range(self, range_)

    def type(self, type_: TypeName) -> None:
        """Adds a type as written."""
        self.token(type_.base if type_.size is None else f"{type_.base}[{type_.size}]", *type_.span)

    def policy(self, policy: PolicyDeclaration) -> None:
        """Adds a whole policy. An empty line separates declarations of different groups."""
        name_start = policy.span.start
        self.add(HARD)
        self.token(f"policy {policy.name}", name_start, policy.span.end and name_start + len(policy.name))
        self.add(" for ")
        self.token(f'"{policy.environment}"', *policy.environment_span)
        self.add(" {")
        last_group: object = None
        for position, declaration in enumerate(policy.declarations):
            form = form_of(declaration)
            group = form.layout_group(declaration)
            if position and group != last_group:
                self.new_groups.add(len(self.items))
            self.sibling(HARD if position else HARD_IN, declaration.span)
            form.write(self, declaration)
            last_group = group
        if not policy.declarations:
            self.add(HARD_IN)
        self.add(HARD_OUT)
        self.token("}", *policy.end_span)
        self.add(HARD)
