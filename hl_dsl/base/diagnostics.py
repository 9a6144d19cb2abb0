"""Diagnostics of a program text: record, text, JSON, and a collector."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import NOWHERE, SourceText, Span


@dataclass(frozen=True)
class Label:
    """A second place in the text, with its relation to the problem."""

    span: Span
    text: str


@dataclass(frozen=True)
class Repair:
    """An edit that fixes the program: `text` replaces `span`. `says` describes it."""

    span: Span
    text: str
    says: str

    def apply(self, text: str) -> str:
        """Returns the program text with the edit applied."""
        return text[: self.span.start] + self.text + text[self.span.end :]


@dataclass(frozen=True)
class Diagnostic:
    """One problem in a program text.

    Attributes:
        code: Stable code of the problem (`hl explain CODE`).
        message: The problem in one sentence.
        span: Its place in the text.
        label: Text next to the carets under that place.
        others: Related places.
        expected: Tokens that the parser expected there.
        repair: An edit that fixes the problem.
        severity: "error" or "warning".
    """

    code: str
    message: str
    span: Span
    label: str = ""
    others: tuple[Label, ...] = ()
    expected: tuple[str, ...] = ()
    repair: Repair | None = None
    severity: str = "error"

    def to_json(self, source: SourceText) -> dict[str, Any]:
        """Returns the diagnostic as JSON values. Lines and columns are one-based."""
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


MOST_SHOWN = 20  # diagnostics in the message of a ProgramError


class ProgramError(HLError):
    """A program with errors. The message shows the first `MOST_SHOWN` of its diagnostics."""

    exit_code = 1

    def __init__(self, source: SourceText, diagnostics: Iterable[Diagnostic]) -> None:
        self.source = source
        self.diagnostics = tuple(diagnostics)
        shown = [render(source, diagnostic) for diagnostic in self.diagnostics[:MOST_SHOWN]]
        if len(self.diagnostics) > MOST_SHOWN:
            shown.append(f"… and {len(self.diagnostics) - MOST_SHOWN} more")
        super().__init__("\n\n".join(shown))


def render(source: SourceText, diagnostic: Diagnostic) -> str:
    """Returns a diagnostic as text: the line, carets under it, related lines, expected tokens, repair."""
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


_WIDEST = 160  # characters of a source line; a longer line is cut around the problem


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
    """Collects the diagnostics of a check, so that one check reports all of them. Equal ones are reported once."""

    source: SourceText
    items: list[Diagnostic] = field(default_factory=list)
    _known: set[Diagnostic] = field(default_factory=set)

    def add(self, code: str, message: str, span: Span = NOWHERE, **fields: Any) -> None:
        """Adds a diagnostic with further fields."""
        self.append(Diagnostic(code, message, span, **fields))

    def append(self, diagnostic: Diagnostic) -> None:
        """Adds a diagnostic, unless an equal one was added before."""
        if diagnostic not in self._known:
            self._known.add(diagnostic)
            self.items.append(diagnostic)

    def nearest(self, word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
        """Returns the known word most similar to `word`; None if none is similar or the message is already full."""
        if len(self.items) > MOST_SHOWN:
            return None
        return next(iter(difflib.get_close_matches(word, known, 1, cutoff)), None)

    def stop_on_errors(self) -> None:
        """Raises ProgramError if there is an error."""
        if any(item.severity == "error" for item in self.items):
            errors = [self._in_place(item) for item in self.items if item.severity == "error"]
            raise ProgramError(self.source, sorted(errors, key=lambda item: item.span))

    def _in_place(self, item: Diagnostic) -> Diagnostic:
        others = tuple(replace(label, span=self.source.balanced(label.span)) for label in item.others)
        return replace(item, span=self.source.balanced(item.span), others=others)
