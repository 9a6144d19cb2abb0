"""The author's comments, found by the place of what they stand beside or above."""

from __future__ import annotations

from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration

from hl_dsl.base.source import SourceText

MEASURED = "#:"  # marks the lines of a header that the tool writes: what was measured and proved of a policy


class Comments:
    """The comments of a parsed program. A tree made in memory has none."""

    def __init__(self, source: SourceText, policy: PolicyDeclaration):
        self._source, self._policy = source, policy
        self._beside: dict[int, str] = {}
        self._above: dict[int, str] = {}
        for comment in policy.comments:
            words = "" if comment.text.startswith(MEASURED) else comment.text.lstrip("#").strip()
            (self._above if comment.own_line else self._beside)[self._line(comment)] = words

    def _line(self, item) -> int:
        return self._source.position(item.span.start)[0]

    def opening(self) -> str:
        """What stands above the program, as one line; empty where nothing does."""
        return self._block(self._policy)

    def above(self, item) -> str:
        """The lines of comment right above a declaration or rule, as one line."""
        return self._block(item) if item.span.end else ""

    def beside(self, item) -> str:
        """The comment on the line where a declaration or rule begins."""
        return self._beside.get(self._line(item), "") if item.span.end else ""

    def _block(self, item) -> str:
        line = self._line(item)
        block: list[str] = []
        while line - 1 in self._above:
            line -= 1
            block.insert(0, self._above[line])
        return " ".join(words for words in block if words)
