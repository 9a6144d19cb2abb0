"""Document of a program: tokens, and the places where a line may end.

Every piece is a string, so the one-line form of any stretch is `"".join(pieces)`. The marks between the tokens are
empty strings of their own kinds, which the layout reads (`hl_dsl.grammar.formatter.layout`).
"""

from __future__ import annotations

from typing import Self

from hl_dsl.base.source import Span


class Break(str):
    """A place where a line may end; as a string, the text at this place if the line continues.

    Attributes:
        shift: Levels that a new line adds to the indentation.
        is_hard: Whether the line always ends here.
        fills: Whether the line of a broken group ends here only if the next part does not fit.
        keeps_blank: Whether one empty line of the author's is kept.
    """

    shift: int
    is_hard: bool
    fills: bool
    keeps_blank: bool

    def __new__(
        cls, flat: str, shift: int = 0, is_hard: bool = False, fills: bool = False, keeps_blank: bool = False
    ) -> Self:
        """Makes a break; see the class."""
        self = super().__new__(cls, flat)
        self.shift, self.is_hard, self.fills, self.keeps_blank = shift, is_hard, fills, keeps_blank
        return self


class Mark(str):
    """A piece that is not text: a group's ends, a change of indentation."""


# A space that may be widened to line up columns. No token holds this character.
CELL = "\x1f"

LINE, LINE_IN, LINE_OUT = Break(" "), Break(" ", 1), Break(" ", -1)
SOFT_IN, SOFT_OUT = Break("", 1), Break("", -1)
FILL = Break(" ", fills=True)
CELL_LINE, CELL_LINE_IN = Break(CELL), Break(CELL, 1)
NEXT_RULE, NEXT_SETTING = Break("  ", keeps_blank=True), Break("   ", fills=True)
HARD, HARD_IN, HARD_OUT = (Break("\n", shift, is_hard=True, keeps_blank=True) for shift in (0, 1, -1))
OPEN, PLAIN, CLOSE, IN, OUT = Mark(), Mark(), Mark(), Mark(), Mark()


class DocumentParts:
    """The pieces of a whole text, with the facts that the layout needs.

    Attributes:
        items: The pieces.
        ends: Index of a group's opening piece -> index of its closing one.
        forced: Groups that must be broken over several lines.
        anchors: (start, end, index): the piece at `index` was at these offsets in the text it was parsed from.
        blanks: Hard breaks where the author left an empty line.
        new_groups: Hard breaks between declarations of different kinds.
    """

    def __init__(self, after_blank: frozenset[int] = frozenset(), has_comments: bool = False):
        self.items: list[str] = []
        self.ends: dict[int, int] = {}
        self.forced: set[int] = set()
        self.anchors: list[tuple[int, int, int]] = []
        self.blanks: set[int] = set()
        self.new_groups: set[int] = set()
        self.add = self.items.append
        self._after_blank = after_blank
        self._has_comments = has_comments
        self._open: list[int] = []

    def open(self, mark: Mark = OPEN) -> None:
        """Starts a group, which is one line if it fits."""
        self._open.append(len(self.items))
        self.add(mark)

    def close(self) -> None:
        """Ends the innermost open group."""
        self.ends[self._open.pop()] = len(self.items)
        self.add(CLOSE)

    def force(self) -> None:
        """Breaks the groups that are open here over several lines."""
        self.forced.update(self._open)

    def sibling(self, mark: Break, following: Span) -> None:
        """Adds a break before a part that starts at `following`."""
        if following.start in self._after_blank and following.end:
            self.blanks.add(len(self.items))
        if mark.is_hard:
            self.force()
        self.add(mark)

    def token(self, text: str, start: int, end: int) -> None:
        """Adds text that was at these offsets in the source; an `end` of 0 means that it has no place there."""
        if self._has_comments and end:
            self.anchors.append((start, end, len(self.items)))
        self.add(text)
