"""Parts that several sections of a page are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hl_dsl.synth.report.drawing.markup import Markup, element


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Markup:
    """A table; the columns whose places are in `numbers` are set flush right."""

    def line(name: str, cells: Sequence[str]) -> Markup:
        return element(
            "tr",
            *(element(name, cell, class_="number" if place in numbers else None) for place, cell in enumerate(cells)),
        )

    return element("table", element("thead", line("th", heads)), element("tbody", *(line("td", row) for row in rows)))


def section(title: str, *content: str | None) -> Markup:
    return element("section", element("h2", title), *content)


def soft(text: str) -> Markup:
    return element("p", text, class_="soft")


def number(value: float | int | str | None) -> str:
    """Six digits, thousands apart; `–` where there is none. Infinities come as words."""
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def diff_lines(lines: Sequence[str]) -> Markup:
    """A unified diff in colours; what was added and left out can be told without them."""
    kinds = {"+": "add", "-": "del", "@": "at"}
    shown = [
        element("span", line, class_="at" if place < 2 else kinds.get(line[:1])) for place, line in enumerate(lines)
    ]
    return element("pre", *shown, class_="diff")
