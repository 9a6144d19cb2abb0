"""The author's comments, by the place of the declaration that they annotate."""

from __future__ import annotations

from typing import Protocol

from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration

MEASURED = "#:"  # marks the lines of a header that the tool writes: what was measured and proved of a policy


class Placed(Protocol):
    """A node with a place in the text."""

    @property
    def span(self) -> Span:
        """Its place."""


class Comments:
    """The comments of a parsed program. A tree made in memory has none."""

    def __init__(self, source: SourceText, policy: PolicyDeclaration):
        self._source, self._policy = source, policy
        self._on_line: dict[int, str] = {}
        self._above: dict[int, str] = {}
        for comment in policy.comments:
            words = "" if comment.text.startswith(MEASURED) else comment.text.lstrip("#").strip()
            (self._above if comment.own_line else self._on_line)[self._line(comment)] = words

    def _line(self, item: Placed) -> int:
        return self._source.position(item.span.start)[0]

    def opening(self) -> str:
        """The comment above the program, as one line; empty if there is none."""
        return self._block(self._policy)

    def above(self, item: Placed) -> str:
        """The lines of comment right above a declaration or rule, as one line."""
        return self._block(item) if item.span.end else ""

    def on_line_of(self, item: Placed) -> str:
        """The comment on the first line of a declaration or rule."""
        return self._on_line.get(self._line(item), "") if item.span.end else ""

    def _block(self, item: Placed) -> str:
        line = self._line(item)
        block: list[str] = []
        while line - 1 in self._above:
            line -= 1
            block.insert(0, self._above[line])
        return " ".join(words for words in block if words)
