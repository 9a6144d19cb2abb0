"""Source text of a program, and spans of it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of character offsets in a source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Returns the span from the start of this one to the end of `other`."""
        return Span(self.start, other.end)


NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class SourceText:
    """Text of a program and its name in messages (a path, or `<text>`)."""

    text: str
    name: str = "<text>"

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for offset, character in enumerate(self.text):
            if character == "\n":
                starts.append(offset + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Returns the one-based line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Returns the text of a one-based line, without its line end."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")

    def balanced(self, span: Span) -> Span:
        """Returns `span` extended over the matching parentheses of those it contains.

        The span of the tree of `(a + b) * c` starts at `a`.
        """
        start, end = span
        depth = lowest = 0
        for character in self.text[start:end]:
            depth += (character == "(") - (character == ")")
            lowest = min(lowest, depth)
        return Span(self._over(start - 1, -1, "(", -lowest) + 1, self._over(end, 1, ")", depth - lowest))

    def _over(self, offset: int, step: int, bracket: str, count: int) -> int:
        """Returns the offset after `count` brackets that only white space separates from `offset` and each other."""
        reached = offset
        while (
            count > 0 and 0 <= offset < len(self.text) and (self.text[offset] == bracket or self.text[offset].isspace())
        ):
            if self.text[offset] == bracket:
                count -= 1
                reached = offset + step
            offset += step
        return reached

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return len(self._line_starts)
