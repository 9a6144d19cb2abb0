"""Properties over several ticks, lowered to claims about one tick and ghost cells, which only properties read.

A ghost cell is memory like any other, so that every reader of the graph gives a property the same meaning:

    within N of C: E    waited, at first 0       pending = (waited > 0 or C) and not E
                        waited' = if pending then min(waited + 1, N + 1) else 0          claim: waited' <= N
    after C until D: E  active, at first false   active' = (active or C) and not D       claim: active' implies E
"""

from __future__ import annotations

from collections.abc import Callable

from hl_dsl.compiler.ir.dataflow import Property
from hl_dsl.grammar.tree.syntax_tree import After, Never, PropertyDeclaration, Within

from hl_dsl.language.types import BOOL, INT


def lower_property(lowering, item: PropertyDeclaration) -> Property:
    """The claim of a property. `lowering` is the program's, in which every definition is lowered already.

    A `reachable` claims that what it says never holds: to break that is to reach it.
    """
    if item.kind == "reachable":
        return Property(
            item.kind, item.name, lowering.builder.apply("not", (lowering._scalar(item.expression),)), item.span
        )
    return _PATTERNS[type(item.pattern)](lowering, item)


def _always(lowering, item: PropertyDeclaration) -> Property:
    return Property(item.kind, item.name, lowering._piece(item, lambda: lowering._scalar(item.expression)), item.span)


def _never(lowering, item: PropertyDeclaration) -> Property:
    return Property(
        item.kind, item.name, lowering.builder.apply("not", (lowering._scalar(item.expression),)), item.span
    )


def _within(lowering, item: PropertyDeclaration) -> Property:
    build = lowering.builder
    none, one, most, beyond = (
        build.constant(value, "int") for value in (0, 1, item.pattern.ticks, item.pattern.ticks + 1)
    )
    asked = lowering._scalar(item.pattern.condition)
    waited = lowering._cell(f"{item.name}.waited", INT, 0, item.pattern.ticks + 1, 0, False, item.span, item.name)
    open_ = build.apply("or", (build.apply("less", (none, waited)), asked))
    pending = build.apply("and", (open_, build.apply("not", (_under(lowering, open_, item.expression),))))
    following = build.apply("if", (pending, build.apply("min", (build.apply("add", (waited, one)), beyond)), none))
    lowering._feed(waited, following)
    return Property(item.kind, item.name, build.apply("less_equal", (following, most)), item.span, (asked,), "within")


def _after(lowering, item: PropertyDeclaration) -> Property:
    build = lowering.builder
    begins, ends = (lowering._scalar(condition) for condition in (item.pattern.condition, item.pattern.end))
    stored = lowering._cell(f"{item.name}.active", BOOL, 0, 1, False, False, item.span, item.name)
    active = build.apply("and", (build.apply("or", (stored, begins)), build.apply("not", (ends,))))
    lowering._feed(stored, active)
    return Property(
        item.kind,
        item.name,
        build.apply("implies", (active, _under(lowering, active, item.expression))),
        item.span,
        (begins,),
        "after",
    )


def _under(lowering, condition: int, expression) -> int:
    """An expression that must be well defined only where the condition holds."""
    lowering._also(condition, True)
    node = lowering._scalar(expression)
    lowering.guard = None
    return node


_PATTERNS: dict[type, Callable] = {type(None): _always, Never: _never, Within: _within, After: _after}
