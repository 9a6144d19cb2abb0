"""Layout of a document: a group that fits is one line, another breaks at its outermost places first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hl_dsl.grammar.formatter.comments import Placed
from hl_dsl.grammar.formatter.document import CELL, IN, OPEN, OUT, PLAIN, Break, DocumentParts

WIDTH = 100  # characters in a line
INDENTATION = "  "


@dataclass(slots=True)
class Line:
    """A line of the result. `code` has `CELL` where columns may be lined up; `blank`: an empty line comes before."""

    level: int
    code: str
    comment: str = ""
    blank: bool = False


def lay_out(out: DocumentParts, placed: dict[int, Placed], after_blank: frozenset[int]) -> list[Line]:
    """The lines of a whole text. The pieces start and end with a hard break."""
    items, ends, forced = out.items, out.ends, out.forced
    lines: list[Line] = []
    current: list[str] = []
    level = line_level = index = column = 0
    blank = False
    while index < len(items):
        piece = items[index]
        if type(piece) is str:
            current.append(piece)
            column += len(piece)
        elif isinstance(piece, Break):
            comments = placed.get(index)
            if piece.fills and comments is None and column + 1 + _width_to_break(items, index + 1) <= WIDTH:
                current.append(piece)
                column += 1
                index += 1
                continue
            if current:
                lines.append(Line(line_level, "".join(current), "", blank))
                if comments and comments.trailing:
                    lines[-1].comment = comments.trailing.text
                current = []
            inner = level + max(0, piece.shift)
            level += piece.shift
            blank = _separate(lines, out, index, comments, inner, after_blank)
            line_level, column = level, level * len(INDENTATION)
        elif piece is OPEN or piece is PLAIN:
            if index not in forced:
                end = ends[index]
                text = "".join(items[index:end])
                if column + len(text) + _width_to_break(items, end) <= WIDTH:
                    current.append(text.replace(CELL, " ") if piece is PLAIN else text)
                    column += len(text)
                    index = end
        elif piece is IN:
            level += 1
        elif piece is OUT:
            level -= 1
        index += 1
    return lines


def _separate(
    lines: list[Line],
    out: DocumentParts,
    index: int,
    comments: Placed | None,
    level: int,
    after_blank: frozenset[int],
) -> bool:
    """Adds the comments that have lines of their own at this break. Returns whether an empty line follows them."""
    mark = out.items[index]
    assert isinstance(mark, Break)
    own_lines = comments.own_lines if comments else ()
    is_first = mark.shift > 0 or index == 0
    blanks = [mark.keeps_blank and comment.span.start in after_blank for comment in own_lines]
    blanks.append(index in out.blanks and mark.shift == 0)
    if index in out.new_groups and not any(blanks):
        blanks[0] = True
    if is_first:
        blanks[0] = False
    lines += [Line(level, "", comment.text, blank) for comment, blank in zip(own_lines, blanks)]
    return blanks[-1] and mark.keeps_blank


def _width_to_break(items: list[str], index: int) -> int:
    width = 0
    while type(items[index]) is not Break and width <= WIDTH:
        width += len(items[index])
        index += 1
    return width


def join_lines(lines: list[Line]) -> str:
    """The text, with columns and comments of neighbouring lines lined up."""
    codes = [INDENTATION * line.level + line.code for line in lines]
    for first, last in _runs(lines, _share_columns):
        codes[first:last] = _columns(codes[first:last])
    for first, last in _runs(lines, _share_comments):
        width = max(map(len, codes[first:last]))
        codes[first:last] = [
            code.ljust(width) if line.comment else code for code, line in zip(codes[first:last], lines[first:last])
        ]
    text = []
    for line, code in zip(lines, codes):
        if line.blank:
            text.append("")
        text.append((code + "  " if line.code else code) + line.comment if line.comment else code)
    return "\n".join(text) + "\n"


def _share_columns(first: Line, second: Line) -> bool:
    return CELL in first.code and CELL in second.code and first.level == second.level


def _share_comments(first: Line, second: Line) -> bool:
    return first.level == second.level and all((first.code, second.code, first.comment, second.comment))


def _runs(lines: list[Line], belong: Callable[[Line, Line], bool]) -> Iterator[tuple[int, int]]:
    """Stretches of lines without an empty one between, in which each line belongs to the one before."""
    first = 0
    for position in range(1, len(lines) + 1):
        if position == len(lines) or lines[position].blank or not belong(lines[position - 1], lines[position]):
            yield first, position
            first = position


def _columns(codes: list[str]) -> list[str]:
    rows = [code.split(CELL) for code in codes]
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), len(cell))
    padded = [" ".join([cell.ljust(widths[column]) for column, cell in enumerate(row[:-1])] + row[-1:]) for row in rows]
    if max(map(len, padded)) <= WIDTH:
        return padded
    return [" ".join(row) for row in rows]
