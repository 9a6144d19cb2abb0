"""Symbol table: the meaning of each name of a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import declaration_table
from hl_dsl.base.diagnostics import Diagnostic, DiagnosticCollector, Label, Repair
from hl_dsl.base.source import NOWHERE, Span
from hl_dsl.cards import Card, Field
from hl_dsl.grammar.tree.syntax_tree import (
    Declaration,
    Expression,
    Observe,
    Observed,
    PolicyDeclaration,
    PropertyDeclaration,
    Range,
    TypeName,
    Vector,
)
from hl_dsl.language.types import Type, scalar, vector


@dataclass(slots=True)
class Symbol:
    """The meaning of one name.

    Attributes:
        kind: observation, planned, param, let, memory, mode name, action name, mode or action.
        name: The name.
        type: Its type; None for a let until it is inferred.
        declaration: The node that declares it; for the name of an enumeration's value, its position.
        span: The place of the declaration; `NOWHERE` for a name of the environment.
        range: The range that its declaration states, if any.
    """

    kind: str
    name: str
    type: Type | None
    declaration: Any
    span: Span = NOWHERE
    range: Range | None = None


def field_type(field: Field) -> Type:
    """The type of an observation."""
    return scalar(field.base) if field.size is None else vector(field.base, field.size)


def action_type(card: Card) -> Type:
    """An enumeration where actions are named; else real, as a vector where there is more than one component."""
    if card.action.names is not None:
        return scalar("action")
    return scalar("real") if card.action.size == 1 else vector("real", card.action.size)


_TYPES_ELSEWHERE = {
    "float": "real",
    "double": "real",
    "number": "real",
    "float64": "real",
    "float32": "real",
    "decimal": "real",
    "integer": "int",
    "long": "int",
    "int64": "int",
    "uint": "int",
    "boolean": "bool",
    "truth": "bool",
    "vector": "vec",
    "array": "vec",
    "list": "vec",
}


# A name of the environment or of a mode is taken before others, so that the other one is the second.
_ORDER = {
    Role.BEHAVIOUR: 0,
    Role.INPUT: 1,
    Role.CONSTANT: 2,
    Role.DEFINITION: 2,
    Role.STATE: 2,
    Role.PLAN: 3,
    Role.PROPERTY: 4,
}


class Symbols(dict[str, Symbol]):
    """Name to `Symbol`, filled from a program and its environment's card."""

    def __init__(self, policy: PolicyDeclaration, card: Card, findings: DiagnosticCollector):
        super().__init__()
        self.policy = policy
        self.card = card
        self.findings = findings
        self.observed: dict[str, tuple[Observed, Field]] = {}
        self.modes: tuple[str, ...] = ()
        self._properties: dict[str, PropertyDeclaration] = {}
        self.define("action", "action", action_type(card), None, NOWHERE)
        for position, name in enumerate(card.action.names or ()):
            self.define("action name", name, scalar("action"), position, NOWHERE)
        table = declaration_table()
        for declaration in sorted(policy.declarations, key=lambda item: _ORDER[table.form_of(item).role]):
            table.form_of(declaration).declare(self, declaration)

    def define(
        self,
        kind: str,
        name: str,
        type_: Type | None,
        declaration: object,
        span: Span,
        range_: Range | None = None,
    ) -> None:
        """Adds a name. Reports one that is taken. `kind` is one of those listed at `Symbol`."""
        self._add(Symbol(kind, name, type_, declaration, span, range_))

    def define_mode(self, name: str, span: Span, declaration: Declaration) -> None:
        """Adds the name of a mode."""
        self.define("mode name", name, scalar("mode"), len(self.modes), span)
        self.modes += (name,)

    def type_of(self, name: str) -> Type:
        """The type of a name in a checked program."""
        type_ = self[name].type
        assert type_ is not None
        return type_

    def _add(self, symbol: Symbol) -> None:
        other = self.get(symbol.name)
        if other is None:
            self[symbol.name] = symbol
            return
        if other.span is NOWHERE:
            self.findings.add(
                "HL202",
                f"`{symbol.name}` is already a name of the environment ({other.kind})",
                symbol.span,
                label="choose another name",
                repair=Repair(symbol.span, symbol.name + "_", f"call it `{symbol.name}_`, here and where it is used"),
            )
        else:
            self._report_second(symbol.name, symbol.span, other.span)

    def _report_second(self, name: str, span: Span, first: Span) -> None:
        self.findings.add(
            "HL201",
            f"`{name}` is defined twice",
            span,
            label="second definition",
            others=(Label(first, "first defined here"),),
            repair=Repair(span, name + "_2", f"give this one its own name, such as `{name}_2`"),
        )

    def observe(self, item: Observed) -> None:
        """Adds an observation. Reports one that the environment does not have, and a wrong length."""
        field = self.card.fields.get(item.name)
        if field is None:
            near = self.findings.nearest(item.name, self.card.fields)
            self.findings.add(
                "HL206",
                f"{self.card.environment} has no observation `{item.name}`",
                item.span,
                label="not shown by this environment",
                expected=tuple(sorted(self.card.fields)),
                repair=Repair(Span(item.span.start, item.span.start + len(item.name)), near, f"did you mean `{near}`?")
                if near
                else None,
            )
            return
        if item.size is not None and item.size != field.size:
            shape = "a single value" if field.size is None else f"a vector of {field.size}"
            end = item.span.end if item.range is None else self.findings.source.text.find("]", item.span.start) + 1
            place = Span(item.span.start, end)
            self.findings.add(
                "HL207",
                f"`{item.name}` is {shape} in {self.card.environment}, not a vector of {item.size}",
                place,
                label="drop the length, or write the right one",
                repair=Repair(place, item.name, f"write `{item.name}`"),
            )
        self._add(Symbol("observation", item.name, field_type(field), item, item.span))
        self.observed.setdefault(item.name, (item, field))

    def declared_type(self, written: TypeName, sample: Expression | Range, size: int = 2) -> Type:
        """The type that a declaration names. Reports a wrong one; `sample` and `size` give the length to suggest."""
        base = {"vec": "real"}.get(written.base, written.base)
        known = (
            ["real", "int", "bool", "vec"]
            + (["action"] if self.card.action.names else [])
            + (["mode"] if self.modes else [])
        )
        if written.base not in known:
            near = (
                _TYPES_ELSEWHERE.get(written.base.lower())
                or self.findings.nearest(written.base.lower(), known)
                or "real"
            )
            self.findings.add(
                "HL301",
                f"`{written.base}` is not a type",
                written.span,
                label="unknown type",
                expected=tuple(known),
                repair=Repair(
                    Span(written.span.start, written.span.start + len(written.base)), near, f"did you mean `{near}`?"
                ),
            )
            return scalar("real")
        if written.base != "vec" and written.size is not None:
            self.findings.add(
                "HL302",
                f"`{written.base}` has no length",
                written.span,
                label="only `vec` has one",
                repair=Repair(written.span, f"vec[{written.size}]", f"write `vec[{written.size}]`"),
            )
        if written.base == "vec" and written.size is None:
            size = len(sample.items) if isinstance(sample, Vector) else size
            self.findings.add(
                "HL302",
                "a vector type needs its length",
                written.span,
                label="of what length?",
                repair=Repair(written.span, f"vec[{size}]", f"write `vec[{size}]`"),
            )
            return vector("real", size)
        return scalar(base) if written.size is None else vector("real", written.size)

    def define_property(self, item: PropertyDeclaration) -> None:
        """Adds the name of a property, which is in a space of its own. Reports one that is taken."""
        first = self._properties.setdefault(item.name, item)
        if first is not item:
            self._report_second(item.name, item.name_span, first.name_span)

    def unknown(self, name: str, span: Span) -> Diagnostic:
        """The finding for a name that nothing defines, with the nearest one that something does."""
        if name in self.card.fields:
            return Diagnostic(
                "HL205",
                f"`{name}` is not observed",
                span,
                "the policy must say that it observes this",
                repair=self._observing(name),
            )
        constant = name.lower() if name.lower() in ("true", "false") else None
        near = constant or self.findings.nearest(name, {**self, **self.card.fields})
        if near is None:
            return Diagnostic(
                "HL204",
                f"unknown name `{name}`",
                span,
                "not defined in this policy: define it with `let`, or observe it",
            )
        symbol = self.get(near)
        others = (
            (Label(symbol.span, "did you mean this?"),) if symbol is not None and symbol.span is not NOWHERE else ()
        )
        return Diagnostic(
            "HL204",
            f"unknown name `{name}`",
            span,
            "not defined in this policy",
            others,
            repair=Repair(span, near, f"write `{near}`"),
        )

    def _observing(self, name: str) -> Repair | None:
        for observe in self.policy.of(Observe):
            end = observe.items[-1].span.end
            return Repair(Span(end, end), f", {name}", f"write `{name}` behind what is observed already")
        for declaration in self.policy.declarations[:1]:
            start = declaration.span.start
            return Repair(Span(start, start), f"observe {name}\n  ", f"start with `observe {name}`")
        return None
