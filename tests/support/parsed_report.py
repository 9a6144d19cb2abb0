"""Parser of a report page."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A page whose elements are all closed in order.

    `elements`: (name, attributes) in order; `texts`: the whole text of each element, by its name.
    """

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, list[str]]] = []
        assert text.startswith("<!DOCTYPE html>\n")
        self.feed(text)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, name, attributes):
        assert len({key for key, _ in attributes}) == len(attributes)
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self._open.append((name, []))

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        opened, said = self._open.pop()
        assert opened == name, f"</{name}> closes <{opened}>"
        self.texts.setdefault(name, []).append("".join(said))

    def handle_data(self, data):
        for _, said in self._open:
            said.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    unknown_decl = handle_pi = handle_comment

    @property
    def text(self) -> str:
        return self.texts["body"][0]

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.elements if one == name]

    def check_self_contained(self) -> None:
        """The page loads no other file and runs no script."""
        names = {name for name, _ in self.elements}
        assert not names & {
            "script",
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "video",
            "audio",
            "foreignobject",
            "use",
            "image",
            "a",
        }
        for name, attributes in self.elements:
            assert not [
                key
                for key in attributes
                if key.startswith("on") or key in ("href", "xlink:href", "srcset", "action", "style", "background")
            ], (name, attributes)
            assert name != "img" or (attributes["src"] or "").startswith("data:image/gif;base64,")
            assert name == "img" or "src" not in attributes
        style = self.texts["style"][0]
        assert len(self.texts["style"]) == 1 and "url(" not in style and "@import" not in style
