"""`observe`: the observations that a policy uses, with the ranges that they are taken to stay in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, ReadRule, Role
from hl_dsl.base.declaration_stages import (
    DeclarationChecker,
    DecoderWords,
    Explainer,
    NameUses,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import FILL, IN, OUT
from hl_dsl.grammar.tree.syntax_tree import Observe, Observed, Range

_MOST_NAMES = 6  # in a warning


class ObserveForm(DeclarationForm[Observe]):
    """The form of `observe`."""

    node = Observe
    role = Role.INPUT
    words = frozenset(["observe"])
    alternatives = ("observe",)
    sections = ("It looks at",)
    grammar = """
observe: OBSERVE observed ("," observed)*
observed: NAME ["[" NUMBER RSQB] ["in" range]
OBSERVE: "observe"
"""

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"observe": _read, "observed": _read_item}

    def write(self, out: TextWriter, node: Observe) -> None:
        """See the base class."""
        out.open()
        out.keyword("observe", node.span)
        out.add(IN)
        for position, item in enumerate(node.items):
            if position:
                out.add(",")
                out.add(FILL)
            size = "" if item.size is None else f"[{item.size}]"
            out.token(item.name + size, item.span.start, item.span.end and item.span.start + len(item.name))
            if item.range is not None:
                out.add(" in ")
                out.range(item.range)
        out.add(OUT)
        out.close()

    def decoder_edits(self, words: DecoderWords) -> Iterable[tuple[str, str, str]]:
        """See the base class."""
        yield "observed", 'NAME ["[" NUMBER RSQB]', "observation"

    def declare(self, symbols: SymbolTable, node: Observe) -> None:
        """See the base class."""
        for item in node.items:
            symbols.observe(item)

    def check(self, checker: DeclarationChecker, node: Observe) -> None:
        """See the base class."""
        for item in node.items:
            if item.range is not None and item.name in checker.symbols.observed:
                field = checker.symbols.observed[item.name][1]
                checker.check_range(item.range, field.base, field.size)

    def explain(self, explainer: Explainer, node: Observe) -> Iterable[str]:
        """See the base class."""
        for item in node.items:
            yield _observation(item, explainer.checked.card.fields[item.name], explainer)

    def warn(self, uses: NameUses, node: Observe) -> Iterable[Diagnostic]:
        """See the base class."""
        unused = [item for item in node.items if item.name not in uses.needed]
        if unused:
            yield _unused(uses, node, unused)


def _read(reader: TreeReader, keyword: Any, *items: Observed) -> Observe:
    return Observe(items, Span(keyword.start_pos, items[-1].span.end))


def _read_item(reader: TreeReader, name: Any, size: Any, closing: Any, range_: Range | None) -> Observed:
    end = range_.span.end if range_ is not None else (closing or name).end_pos
    return Observed(reader.name(name), reader.size(size), range_, Span(name.start_pos, end))


def _observation(item: Observed, field: Any, explainer: Explainer) -> str:
    unit = f" {field.unit}" if field.unit else ""
    if item.range is not None:
        taken = f", taken to stay in {explainer.ends(item.range)}{unit}"
    elif field.base == "bool":
        taken = ""
    else:
        taken = f", from {min(field.low):g} to {max(field.high):g}{unit}"
    count = f" ({field.size} numbers)" if field.size else ""
    return f"{item.name}{count}: {field.says}{taken}"


def _unused(uses: NameUses, node: Observe, unused: list[Observed]) -> Diagnostic:
    first, *others = unused
    names = [item.name for item in unused[:_MOST_NAMES]] + (["…"] if len(unused) > _MOST_NAMES else [])
    line = _line(uses, first)
    if len(unused) == len(node.items) and uses.removable(node.span):
        repair: Repair | None = Repair(node.span, "", "remove the `observe`")
    else:
        repair = _without(uses, node, unused)
    return Diagnostic(
        "HL504",
        f"observed and not used: {uses.listed(names)}",
        _name_place(first),
        "nothing reads it",
        severity="warning",
        others=tuple(Label(_name_place(item), "nor at this") for item in others[:3] if _line(uses, item) != line),
        repair=repair,
    )


def _without(uses: NameUses, node: Observe, unused: list[Observed]) -> Repair | None:
    text = uses.source.text
    kept = [text[item.span.start : item.span.end] for item in node.items if item not in unused]
    if not text or not kept:
        return None
    span = Span(node.items[0].span.start, node.items[-1].span.end)
    return Repair(span, ", ".join(kept), "observe only what is used")


def _name_place(item: Observed) -> Span:
    return Span(item.span.start, item.span.start + len(item.name))


def _line(uses: NameUses, item: Observed) -> int:
    line: int = uses.source.position(item.span.start)[0]
    return line
