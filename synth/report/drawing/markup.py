"""HTML and SVG whose text cannot become markup: only what this module made is taken as it is."""

from __future__ import annotations

import html
import re

_VOID = frozenset(("meta", "img", "br", "line", "circle", "path", "polyline", "rect"))
# What may stand in no HTML text: control characters, and halves of pairs that no encoding has.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already."""


def element(name: str, /, *children: str | None, **attributes: object) -> Markup:
    """An element. Children that are no Markup are escaped; None is left out. An attribute's name is taken without its last
    underscore, with hyphens for the others; None and False leave it out, True gives it no value."""
    shown = "".join(
        _attribute(key.removesuffix("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID and not any(children):
        return Markup(f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{joined(*children)}</{name}>")


def joined(*children: str | None) -> Markup:
    """Children next to each other."""
    return Markup(
        "".join(child if type(child) is Markup else escaped(child) for child in children if child is not None)
    )


def escaped(text: str) -> Markup:
    """A text as HTML shows it."""
    return Markup(html.escape(_NOT_TEXT.sub("\ufffd", text)))


def _attribute(name: str, value: object) -> str:
    if value is True:
        return f" {name}"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name}="{escaped(text)}"'
