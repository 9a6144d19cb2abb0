"""Building blocks that several sections of a page use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hl_dsl.synth.report.drawing.markup import Markup, element


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Markup:
    """Returns a table. The columns at the positions `numbers` are aligned right."""

    def line(name: str, cells: Sequence[str]) -> Markup:
        return element(
            "tr",
            *(element(name, cell, class_="number" if place in numbers else None) for place, cell in enumerate(cells)),
        )

    return element("table", element("thead", line("th", heads)), element("tbody", *(line("td", row) for row in rows)))


def section(title: str, *content: str | None) -> Markup:
    """Returns a section with a heading."""
    return element("section", element("h2", title), *content)


def soft(text: str) -> Markup:
    """Returns a paragraph in the color of secondary text."""
    return element("p", text, class_="soft")


def number(value: float | int | str | None) -> str:
    """Returns a number with six digits and separated thousands, `–` for None. Infinities are given as words."""
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def diff_lines(lines: Sequence[str]) -> Markup:
    """Returns a unified diff in colors. Added and removed lines also differ in their first character."""
    classes = {"+": "add", "-": "del", "@": "at"}
    shown = [
        element("span", line, class_="at" if place < 2 else classes.get(line[:1])) for place, line in enumerate(lines)
    ]
    return element("pre", *shown, class_="diff")
