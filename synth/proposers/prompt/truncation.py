"""Texts and tables that are kept within a number of characters, and say what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.synth.proposers.prompt.prompt_parts import Table

_WIDEST_CELL = 24
_MOST_COLUMNS = 40


def elided(text: str, most: int) -> str:
    """The text in at most `most` characters: whole, or its first and last lines around a line that counts the others."""
    text = text.rstrip()
    if len(text) <= most:
        return text
    lines = [clipped(line, most // 4) for line in text.split("\n")]
    first, last = _ends([len(line) + 1 for line in lines], most - len(_left_out(len(lines), "lines")) - 2)
    return "\n".join([*lines[:first], _left_out(len(lines) - first - last, "lines"), *lines[len(lines) - last :]])


def table_text(table: Table, most: int) -> str:
    """The table in at most `most` characters: what never changes said once, the rest in columns, the first and the last
    rows where not all fit."""
    title = clipped(" ".join(table.title.split()), most // 4)
    rows = [tuple(clipped(cell, _WIDEST_CELL) for cell in row) for row in table.rows]
    constant, moving = _by_change(table.columns, rows)
    head = [title]
    if constant:
        head.append(clipped("the same at every tick: " + ", ".join(constant), most // 4))
    if len(moving) > _MOST_COLUMNS:
        head.append(f"({len(moving) - _MOST_COLUMNS} of {len(moving)} columns left out)")
        half = _MOST_COLUMNS // 2
        moving = moving[:half] + moving[-half:]
    lines = aligned(
        [
            tuple(clipped(table.columns[place], _WIDEST_CELL) for place in moving),
            *(tuple(row[place] for place in moving) for row in rows),
        ]
    )
    left = most - sum(len(line) + 1 for line in head) - len(lines[0]) - 1
    sizes = [len(line) + 1 for line in lines[1:]]
    if sum(sizes) > left:
        first, last = _ends(sizes, left - len(_left_out(len(rows), "ticks")) - 2)
        body = [*lines[1 : 1 + first], _left_out(len(rows) - first - last, "ticks"), *lines[len(lines) - last :]]
    else:
        body = lines[1:]
    whole = "\n".join([*head, *lines[:1], *body])
    # A header wider than all there may be: the title alone.
    return whole if len(whole) <= most else clipped(title, most)


def _by_change(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
    constant, moving = [], []
    for place, name in enumerate(columns):
        if len(rows) > 1 and len({row[place] for row in rows}) == 1:
            constant.append(f"{name} = {rows[0][place]}")
        else:
            moving.append(place)
    return constant, moving


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column flush right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows]


def _ends(sizes: Sequence[int], most: int) -> tuple[int, int]:
    """How many of the first and of the last fit: a third of the room for the first."""
    first, room = 0, most // 3
    while first < len(sizes) and sizes[first] <= room:
        room -= sizes[first]
        first += 1
    last, room = 0, most - sum(sizes[:first])
    while first + last < len(sizes) and sizes[-1 - last] <= room:
        room -= sizes[-1 - last]
        last += 1
    return first, last


def _left_out(count: int, what: str) -> str:
    return f"… {count:,} {what} left out …"


def clipped(text: str, most: int) -> str:
    """The text in at most `most` characters, an ellipsis in the place of its end."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"
