"""Truncation of texts and tables to a number of characters, with a note on what is omitted."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.synth.proposers.prompt.prompt_parts import Table

_WIDEST_CELL = 24  # characters
_MOST_COLUMNS = 40


def truncate_middle(text: str, most: int) -> str:
    """Returns at most `most` characters: the whole text, or its first and last lines with a note between them."""
    text = text.rstrip()
    if len(text) <= most:
        return text
    lines = [truncate(line, most // 4) for line in text.split("\n")]
    first, last = _ends([len(line) + 1 for line in lines], most - len(_omitted_note(len(lines), "lines")) - 2)
    return "\n".join([*lines[:first], _omitted_note(len(lines) - first - last, "lines"), *lines[len(lines) - last :]])


def table_text(table: Table, most: int) -> str:
    """Returns a table as text, in at most `most` characters.

    Values that never change are listed once, the others in columns. If not all rows fit, the first and last are kept.
    """
    title = truncate(" ".join(table.title.split()), most // 4)
    rows = [tuple(truncate(cell, _WIDEST_CELL) for cell in row) for row in table.rows]
    constant, moving = _by_change(table.columns, rows)
    head = [title]
    if constant:
        head.append(truncate("the same at every tick: " + ", ".join(constant), most // 4))
    if len(moving) > _MOST_COLUMNS:
        head.append(f"({len(moving) - _MOST_COLUMNS} of {len(moving)} columns omitted)")
        half = _MOST_COLUMNS // 2
        moving = moving[:half] + moving[-half:]
    lines = align(
        [
            tuple(truncate(table.columns[place], _WIDEST_CELL) for place in moving),
            *(tuple(row[place] for place in moving) for row in rows),
        ]
    )
    left = most - sum(len(line) + 1 for line in head) - len(lines[0]) - 1
    sizes = [len(line) + 1 for line in lines[1:]]
    if sum(sizes) > left:
        first, last = _ends(sizes, left - len(_omitted_note(len(rows), "ticks")) - 2)
        body = [*lines[1 : 1 + first], _omitted_note(len(rows) - first - last, "ticks"), *lines[len(lines) - last :]]
    else:
        body = lines[1:]
    whole = "\n".join([*head, *lines[:1], *body])
    # If the header alone is too wide, return the title only.
    return whole if len(whole) <= most else truncate(title, most)


def _by_change(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
    constant, moving = [], []
    for place, name in enumerate(columns):
        if len(rows) > 1 and len({row[place] for row in rows}) == 1:
            constant.append(f"{name} = {rows[0][place]}")
        else:
            moving.append(place)
    return constant, moving


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns rows of cells as lines, each column aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _ends(sizes: Sequence[int], most: int) -> tuple[int, int]:
    """Number of first and of last lines that fit; the first ones get a third of the room."""
    first, room = 0, most // 3
    while first < len(sizes) and sizes[first] <= room:
        room -= sizes[first]
        first += 1
    last, room = 0, most - sum(sizes[:first])
    while first + last < len(sizes) and sizes[-1 - last] <= room:
        room -= sizes[-1 - last]
        last += 1
    return first, last


def _omitted_note(count: int, unit: str) -> str:
    return f"… {count:,} {unit} omitted …"


def truncate(text: str, most: int) -> str:
    """Returns at most `most` characters of a text, with an ellipsis if it is truncated."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"
