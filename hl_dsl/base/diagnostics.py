"""What HL says when something is wrong: one record, several renderers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import NOWHERE, SourceText, Span


@dataclass(frozen=True)
class Label:
    """A second place in the text, with what it has to do with the problem."""

    span: Span
    text: str


@dataclass(frozen=True)
class Repair:
    """An edit that mends the program: put `text` in place of `span`."""

    span: Span
    text: str
    says: str

    def apply(self, text: str) -> str:
        return text[: self.span.start] + self.text + text[self.span.end :]


@dataclass(frozen=True)
class Diagnostic:
    """One finding. `code` is stable (`hl explain CODE`); `label` stands under the carets."""

    code: str
    message: str
    span: Span
    label: str = ""
    others: tuple[Label, ...] = ()
    expected: tuple[str, ...] = ()
    repair: Repair | None = None
    severity: str = "error"

    def to_json(self, source: SourceText) -> dict:
        line, column = source.position(self.span.start)
        end_line, end_column = source.position(self.span.end)
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "label": self.label,
            "file": source.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "expected": list(self.expected),
            "repair": None
            if self.repair is None
            else {
                "start": self.repair.span.start,
                "end": self.repair.span.end,
                "text": self.repair.text,
                "says": self.repair.says,
            },
        }


MOST_SHOWN = 20


class ProgramError(HLError):
    """A program that cannot be used, with all that was found in it. The message shows the first `MOST_SHOWN`."""

    exit_code = 1

    def __init__(self, source: SourceText, diagnostics: Iterable[Diagnostic]):
        self.source = source
        self.diagnostics = tuple(diagnostics)
        shown = [render(source, diagnostic) for diagnostic in self.diagnostics[:MOST_SHOWN]]
        if len(self.diagnostics) > MOST_SHOWN:
            shown.append(f"… and {len(self.diagnostics) - MOST_SHOWN} more")
        super().__init__("\n\n".join(shown))


def render(source: SourceText, diagnostic: Diagnostic) -> str:
    """The finding as text: the line, carets under it, related lines, what was expected, a repair."""
    line, column = source.position(diagnostic.span.start)
    places = [(diagnostic.span, diagnostic.label, "^")]
    places += [(label.span, label.text, "-") for label in diagnostic.others]
    gutter = max(len(str(source.position(span.start)[0])) for span, _, _ in places) + 4
    out = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    out.append(f"{' ' * (gutter - 2)}--> {source.name}:{line}:{column}")
    for span, text, mark in places:
        out += _excerpt(source, span, text, mark, gutter)
    if diagnostic.expected:
        out.append(f"{' ' * gutter}= expected: {', '.join(diagnostic.expected)}")
    if diagnostic.repair is not None:
        out.append(f"{' ' * gutter}= repair: {diagnostic.repair.says}")
    out.append(f"{' ' * gutter}= more: hl explain {diagnostic.code}")
    return "\n".join(out)


_WIDEST = 160


def _excerpt(source: SourceText, span: Span, text: str, mark: str, gutter: int) -> list[str]:
    line, column = source.position(span.start)
    shown = source.line(line)
    length = max(1, min(span.end, span.start + len(shown) - column + 1) - span.start)
    if len(shown) > _WIDEST:
        cut = max(0, min(column - 1 - _WIDEST // 2, len(shown) - _WIDEST))
        ends = ("…" if cut else shown[0], "…" if cut + _WIDEST < len(shown) else shown[-1])
        shown, column = ends[0] + shown[cut + 1 : cut + _WIDEST - 1] + ends[1], column - cut
        length = min(length, _WIDEST - column + 1)
    shown = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in shown)
    lead = "".join("\t" if c == "\t" else " " for c in shown[: column - 1])
    return [f"{line:>{gutter}} | {shown}", f"{' ' * gutter} | {lead}{mark * max(1, length)} {text}".rstrip()]


@dataclass
class DiagnosticCollector:
    """Collects diagnostics while a program is checked, so that one run shows all of them. The same is not said twice."""

    source: SourceText
    items: list[Diagnostic] = field(default_factory=list)
    _known: set[Diagnostic] = field(default_factory=set)

    def add(self, code: str, message: str, span: Span = NOWHERE, **rest) -> None:
        self.append(Diagnostic(code, message, span, **rest))

    def append(self, diagnostic: Diagnostic) -> None:
        if diagnostic not in self._known:
            self._known.add(diagnostic)
            self.items.append(diagnostic)

    def nearest(self, word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
        """The known word most like `word`. None where none is like it, or more was found already than will be shown."""
        if len(self.items) > MOST_SHOWN:
            return None
        return next(iter(difflib.get_close_matches(word, known, 1, cutoff)), None)

    def stop_on_errors(self) -> None:
        if any(item.severity == "error" for item in self.items):
            errors = [self._in_place(item) for item in self.items if item.severity == "error"]
            raise ProgramError(self.source, sorted(errors, key=lambda item: item.span))

    def _in_place(self, item: Diagnostic) -> Diagnostic:
        others = tuple(replace(label, span=self.source.balanced(label.span)) for label in item.others)
        return replace(item, span=self.source.balanced(item.span), others=others)
