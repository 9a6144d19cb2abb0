"""Checks of a range: it has the right number of ends, and they suit its type."""

from __future__ import annotations

from hl_dsl.base.diagnostics import DiagnosticCollector, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Number, Range, Vector
from hl_dsl.operators.scalar import LARGEST_INT


def write_instead(span: Span, text: str) -> Repair:
    """The repair that puts `text` in place of a stretch."""
    return Repair(span, text, f"write `{text}`")


def check_range(written: Range, base: str, size: int | None, findings: DiagnosticCollector) -> bool:
    """Whether a range is well formed for a type. Reports what is wrong."""
    for end in (written.low, written.high):
        if isinstance(end, Vector) and len(end.items) != size:
            held, count = "a single value" if size is None else f"a vector of {size}", len(end.items)
            values = [item.value for item in end.items if isinstance(item, Number)]
            first = repr(values[0])
            findings.add(
                "HL409",
                f"an end of the range has {count} component{'s' if count > 1 else ''}, for {held}",
                end.span,
                label="a single value has single ends"
                if size is None
                else f"one number for all components, or one for each of the {size}",
                repair=Repair(end.span, first, f"write `{first}`") if len(set(values)) == 1 else None,
            )
            return False
    components = range(1 if written.is_alike else size or 1)
    # Every component is checked, also after a wrong one.
    return min([_check_component(written, base, component, findings) for component in components])


def _check_component(written: Range, base: str, component: int, findings: DiagnosticCollector) -> bool:
    low, high = written.of(component)
    for end in (low, high):
        if base == "int" and type(end.value) is float:
            whole = min(max(int(end.value), -LARGEST_INT), LARGEST_INT)
            findings.add(
                "HL402",
                "the range of an int has whole ends",
                end.span,
                label="a real",
                repair=write_instead(end.span, str(whole)),
            )
            return False
        if base == "int" and abs(end.value) > LARGEST_INT:
            findings.add(
                "HL403",
                "ints stay within ±2^53, so that binary64 holds them exactly",
                end.span,
                label="too large",
                repair=Repair(
                    end.span, str(LARGEST_INT if end.value > 0 else -LARGEST_INT), "write the largest there is"
                ),
            )
            return False
    if low.value > high.value:
        which = "" if written.is_alike else f" of component {component}"
        findings.add(
            "HL401",
            f"the range{which} is empty",
            written.span if written.is_alike else low.span,
            label=f"{low.value} is above {high.value}",
            repair=Repair(written.span, f"[{high.value}, {low.value}]", "swap the ends") if written.is_alike else None,
        )
        return False
    return True
