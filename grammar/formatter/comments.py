"""Placement of comments at the breaks of a document.

A comment ends its line, so its place is one where a line may end. A comment behind code goes to the next such place, as
the end of that line. A comment on a line of its own goes to the last such place before the code that it precedes. The
same rule finds that place again, so formatting twice changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from hl_dsl.grammar.formatter.document import Break, DocumentParts
from hl_dsl.grammar.tree.syntax_tree import Comment


@dataclass(slots=True)
class Placed:
    """The comments at one break: one that ends the line, and those on lines of their own before the next."""

    trailing: Comment | None = None
    own_lines: list[Comment] = field(default_factory=list)


def place_comments(out: DocumentParts, comments: Sequence[Comment]) -> dict[int, Placed]:
    """Index of a break -> the comments there. Groups around comments are broken over several lines."""
    if not comments:
        return {}
    anchors = _rising(out.anchors)
    ends = [end for _, end, _ in anchors]
    breaks = [index for index, piece in enumerate(out.items) if type(piece) is Break]
    placed: dict[int, Placed] = {}
    for comment in comments:
        following = bisect_right(ends, comment.span.start)
        if not comment.own_line and following:
            at = breaks[bisect_right(breaks, anchors[following - 1][2])]
            here = placed.setdefault(at, Placed())
            if here.trailing is None:
                here.trailing = comment
                continue
        limit = anchors[following][2] if following < len(anchors) else len(out.items)
        at = breaks[bisect_left(breaks, limit) - 1]
        placed.setdefault(at, Placed()).own_lines.append(comment)
    places = sorted(placed)
    out.forced.update(
        start for start, end in out.ends.items() if bisect_right(places, start) < bisect_left(places, end)
    )
    return placed


def _rising(anchors: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The longest sequence of anchors whose offsets rise.

    It holds all anchors of a parsed text. In a tree made from parts of several texts, some anchors point elsewhere.
    """
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for position, (start, end, _) in enumerate(anchors):
        length = bisect_right(tails, start)
        if length == len(tails):
            tails.append(end)
            last.append(position)
        elif end <= tails[length]:
            tails[length], last[length] = end, position
        before.append(last[length - 1] if length else -1)
    kept = []
    position = last[-1] if last else -1
    while position >= 0:
        kept.append(anchors[position])
        position = before[position]
    return kept[::-1]
