"""HTML and SVG elements. Text is escaped unless this module made it as markup."""

from __future__ import annotations

import html
import re

_VOID = frozenset(("meta", "img", "br", "line", "circle", "path", "polyline", "rect"))
# Characters that HTML text cannot hold: control characters, lone surrogates and noncharacters.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup."""


def element(name: str, /, *children: str | None, **attributes: object) -> Markup:
    """Returns an element.

    Args:
        name: Name of the element.
        children: Contents. A child that is not Markup is escaped; None is omitted.
        attributes: Attributes. A trailing underscore of a name is removed, other underscores become hyphens. None and
            False omit the attribute, True omits its value.
    """
    shown = "".join(
        _attribute(key.removesuffix("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID and not any(children):
        return Markup(f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{joined(*children)}</{name}>")


def joined(*children: str | None) -> Markup:
    """Returns the children in sequence; a child that is not Markup is escaped, None is omitted."""
    return Markup(
        "".join(child if type(child) is Markup else escaped(child) for child in children if child is not None)
    )


def escaped(text: str) -> Markup:
    """Returns a text with the special characters of HTML escaped."""
    return Markup(html.escape(_NOT_TEXT.sub("\ufffd", text)))


def _attribute(name: str, value: object) -> str:
    if value is True:
        return f" {name}"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name}="{escaped(text)}"'
