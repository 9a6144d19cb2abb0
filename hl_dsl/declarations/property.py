"""`invariant`, `monitor`, `assume` and `reachable`: what a program claims, also over several ticks.

A property over several ticks is desugared to monitor state, which only properties read, and a claim about one tick:

    within N of C: E    waited, at first 0       pending = (waited > 0 or C) and not E
                        waited' = if pending then min(waited + 1, N + 1) else 0          claim: waited' <= N
    after C until D: E  active, at first false   active' = (active or C) and not D       claim: active' implies E

C and D are evaluated at every tick; E must be well defined only if the property evaluates it. So the operators that
join them are `Unconditional`, and E is `Under` its condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, ReadRule, Role
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    Explainer,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import CELL, IN, LINE, OUT
from hl_dsl.grammar.tree.syntax_tree import (
    After,
    Boolean,
    Expression,
    Never,
    Number,
    Pattern,
    PropertyDeclaration,
    Range,
    Within,
    conditions,
)
from hl_dsl.language.core import Bound, CoreMemory, CoreProperty, Unconditional, Under
from hl_dsl.language.types import BOOL, INT

_SECTIONS = {
    "assume": "Taken for granted of the environment, and watched at every tick",
    "invariant": "Proved before it plays, for every observation and constant in the ranges above",
    "monitor": "Watched at every tick, not proved",
    "reachable": "Shown to be possible before it plays, by a run",
}


class PropertyForm(DeclarationForm[PropertyDeclaration]):
    """The form of the four kinds of property."""

    node = PropertyDeclaration
    role = Role.PROPERTY
    words = frozenset(
        ["invariant", "monitor", "assume", "reachable", "never", "within", "of", "after", "until"],
    )
    alternatives = ("property", "reachable")
    sections = tuple(_SECTIONS.values())
    labelled_rules = ("property", "reachable")
    grammar = """
property: (INVARIANT | MONITOR | ASSUME) NAME ":" [pattern] expression
reachable: REACHABLE NAME ":" expression
?pattern: NEVER -> never
        | WITHIN NUMBER "of" expression ":" -> within
        | AFTER expression "until" expression ":" -> after
INVARIANT: "invariant"
MONITOR: "monitor"
ASSUME: "assume"
REACHABLE: "reachable"
NEVER: "never"
WITHIN: "within"
AFTER: "after"
"""

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {
            "property": _read,
            "reachable": _read_reachable,
            "never": _read_never,
            "within": _read_within,
            "after": _read_after,
        }

    def write(self, out: TextWriter, node: PropertyDeclaration) -> None:
        """See the base class."""
        out.open()
        out.keyword(node.kind, node.span)
        out.token(node.name, *node.name_span)
        out.add(":")
        if node.pattern is not None:
            out.add(CELL)
            _write_pattern(out, node.pattern)
        out.assigned(node.expression, is_column=node.pattern is None)
        out.close()

    def layout_group(self, node: PropertyDeclaration) -> object:
        """See the base class. Facts about the environment stand apart from claims about the policy."""
        return node.kind == "assume"

    def expressions(self, node: PropertyDeclaration) -> Iterable[Expression]:
        """See the base class."""
        return (*conditions(node.pattern), node.expression)

    def declare(self, symbols: SymbolTable, node: PropertyDeclaration) -> None:
        """See the base class."""
        symbols.define_property(node)

    def check(self, checker: DeclarationChecker, node: PropertyDeclaration) -> None:
        """See the base class."""
        for condition in conditions(node.pattern):
            checker.require_type(condition, BOOL, f"the condition of `{node.name}`", "HL317")
        joined = "any" if isinstance(node.pattern, Never) else "all"
        checker.require_type(node.expression, BOOL, f"the {node.kind} `{node.name}`", "HL317", joined)

    def desugar(self, scope: CoreScope, node: PropertyDeclaration) -> Iterable[CoreProperty]:
        """See the base class.

        A `reachable` claims that its expression never holds: a run that violates the claim is the witness.
        """
        if isinstance(node.pattern, Within):
            return (_within(node, node.pattern),)
        if isinstance(node.pattern, After):
            return (_after(node, node.pattern),)
        is_negated = node.kind == "reachable" or isinstance(node.pattern, Never)
        claim = Unconditional("not", (node.expression,)) if is_negated else node.expression
        return (CoreProperty(node.kind, node.name, claim, node),)

    def section(self, node: PropertyDeclaration) -> str:
        """See the base class."""
        return _SECTIONS[node.kind]

    def explain(self, explainer: Explainer, node: PropertyDeclaration) -> Iterable[str]:
        """See the base class."""
        yield from explainer.before(node)
        lead = _lead(explainer, node.pattern)
        yield f"{node.name}: {lead}{explainer.words(node.expression)}{explainer.after(node)}"


def _read(
    reader: TreeReader, keyword: Any, name: Any, pattern: Pattern | None, expression: Expression
) -> PropertyDeclaration:
    span = Span(keyword.start_pos, expression.span.end)
    return PropertyDeclaration(keyword.value, reader.name(name), expression, pattern, span, reader.at(name))


def _read_reachable(reader: TreeReader, keyword: Any, name: Any, expression: Expression) -> PropertyDeclaration:
    return _read(reader, keyword, name, None, expression)


def _read_never(reader: TreeReader, keyword: Any) -> Never:
    return Never(reader.at(keyword))


def _read_within(reader: TreeReader, keyword: Any, ticks: Any, condition: Expression) -> Within:
    return Within(reader.ticks(ticks), condition, Span(keyword.start_pos, condition.span.end))


def _read_after(reader: TreeReader, keyword: Any, condition: Expression, end: Expression) -> After:
    return After(condition, end, Span(keyword.start_pos, end.span.end))


def _write_pattern(out: TextWriter, pattern: Pattern) -> None:
    span = pattern.span
    if isinstance(pattern, Never):
        out.token("never", *span)
    elif isinstance(pattern, Within):
        out.token(f"within {pattern.ticks} of ", span.start, span.end and span.start + len("within"))
        out.add(IN)
        out.expression(pattern.condition)
        out.add(OUT)
        out.add(":")
    else:
        out.open()
        out.keyword("after", span)
        out.add(IN)
        out.expression(pattern.condition)
        out.add(LINE)
        out.add("until ")
        out.expression(pattern.end)
        out.add(OUT)
        out.add(":")
        out.close()


def _within(node: PropertyDeclaration, pattern: Within) -> CoreProperty:
    waited, pending, following = Bound("waited"), Bound("pending"), Bound("following")
    memory = CoreMemory(
        f"{node.name}.waited",
        INT,
        Range(Number(0), Number(pattern.ticks + 1)),
        Number(0),
        following,
        node,
        node.span,
        is_declared=False,
        property=node.name,
    )
    counted = Unconditional("min", (Unconditional("add", (waited, Bound("one"))), Bound("beyond")))
    is_late = Unconditional("not", (Under(Bound("open"), node.expression),))
    steps = (
        ("none", Number(0)),
        ("one", Number(1)),
        ("most", Number(pattern.ticks)),
        ("beyond", Number(pattern.ticks + 1)),
        ("condition", pattern.condition),
        ("waited", memory),
        ("open", Unconditional("or", (Unconditional("less", (Bound("none"), waited)), Bound("condition")))),
        ("pending", Unconditional("and", (Bound("open"), is_late))),
        ("following", Unconditional("if", (pending, counted, Bound("none")))),
    )
    claim = Unconditional("less_equal", (following, Bound("most")))
    return CoreProperty(node.kind, node.name, claim, node, steps, ("condition",), "within")


def _after(node: PropertyDeclaration, pattern: After) -> CoreProperty:
    active = Bound("active")
    memory = CoreMemory(
        f"{node.name}.active",
        BOOL,
        None,
        Boolean(False),
        active,
        node,
        node.span,
        is_declared=False,
        property=node.name,
    )
    is_open = Unconditional("or", (Bound("stored"), Bound("condition")))
    steps = (
        ("condition", pattern.condition),
        ("end", pattern.end),
        ("stored", memory),
        ("active", Unconditional("and", (is_open, Unconditional("not", (Bound("end"),))))),
    )
    claim = Unconditional("implies", (active, Under(active, node.expression)))
    return CoreProperty(node.kind, node.name, claim, node, steps, ("condition",), "after")


def _lead(explainer: Explainer, pattern: Pattern | None) -> str:
    """The words of a pattern, before the expression."""
    if isinstance(pattern, Never):
        return "never "
    if isinstance(pattern, Within):
        plural = "s" if pattern.ticks > 1 else ""
        ticks = f"within {pattern.ticks} tick{plural}" if pattern.ticks else "at the same tick"
        return f"wherever {explainer.words(pattern.condition, 1)}, {ticks} "
    if isinstance(pattern, After):
        return f"from where {explainer.words(pattern.condition, 1)} until {explainer.words(pattern.end, 1)}: "
    return ""
