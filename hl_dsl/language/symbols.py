"""What each name of a program stands for."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.diagnostics import Diagnostic, DiagnosticCollector, Label, Repair
from hl_dsl.base.source import NOWHERE, Span
from hl_dsl.cards import Card, Field
from hl_dsl.grammar.tree.syntax_tree import (
    Let,
    Memory,
    Modes,
    Observe,
    Observed,
    Param,
    PlanDeclaration,
    PolicyDeclaration,
    PropertyDeclaration,
    Vector,
)
from hl_dsl.language.types import Type, scalar, vector


@dataclass(slots=True)
class Symbol:
    """`kind`: observation, planned, param, let, memory, mode name, action name, mode, action. `declaration` is what made it:
    the syntax node, or for an enumeration's name its position."""

    kind: str
    name: str
    type: Type | None
    declaration: object
    span: Span = NOWHERE


def field_type(field: Field) -> Type:
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


class Symbols(dict):
    """Name to `Symbol`, filled from a program and its environment's card."""

    def __init__(self, policy: PolicyDeclaration, card: Card, findings: DiagnosticCollector):
        super().__init__()
        self.policy = policy
        self.card = card
        self.findings = findings
        self.observed: dict[str, tuple[Observed, Field]] = {}
        self.modes: tuple[str, ...] = ()
        self._add(Symbol("action", "action", action_type(card), None))
        for position, name in enumerate(card.action.names or ()):
            self._add(Symbol("action name", name, scalar("action"), position))
        for modes in policy.of(Modes):
            if not self.modes:
                self._add(Symbol("mode", "mode", scalar("mode"), modes, modes.span))
            for mode in modes.modes:
                self._add(Symbol("mode name", mode.name, scalar("mode"), len(self.modes), mode.name_span))
                self.modes += (mode.name,)
        for observe in policy.of(Observe):
            for item in observe.items:
                self._observe(item)
        for declaration in policy.declarations:
            if isinstance(declaration, Let):
                self._add(Symbol("let", declaration.name, None, declaration, declaration.name_span))
            elif isinstance(declaration, (Param, Memory)):
                kind = "param" if isinstance(declaration, Param) else "memory"
                self._add(
                    Symbol(kind, declaration.name, self._declared_type(declaration), declaration, declaration.name_span)
                )
        for plan in policy.of(PlanDeclaration):
            self._add(Symbol("planned", plan.name, self._declared_type(plan), plan, plan.name_span))
        self._property_names(policy)

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
            self.findings.add(
                "HL201",
                f"`{symbol.name}` is defined twice",
                symbol.span,
                label="second definition",
                others=(Label(other.span, "first defined here"),),
                repair=Repair(
                    symbol.span, symbol.name + "_2", f"give this one its own name, such as `{symbol.name}_2`"
                ),
            )

    def _observe(self, item: Observed) -> None:
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

    def _declared_type(self, declaration: Param | Memory | PlanDeclaration) -> Type:
        written = declaration.type
        sample = {Param: "default", Memory: "start"}.get(type(declaration), "range")
        sample = getattr(declaration, sample)
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
                f"`{written.base}` is no type",
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
            size = (
                len(sample.items)
                if type(sample) is Vector
                else self.card.action.size
                if type(declaration) is PlanDeclaration
                else 2
            )
            self.findings.add(
                "HL302",
                "a vector type needs its length",
                written.span,
                label="of what length?",
                repair=Repair(written.span, f"vec[{size}]", f"write `vec[{size}]`"),
            )
            return vector("real", size)
        return scalar(base) if written.size is None else vector("real", written.size)

    def _property_names(self, policy: PolicyDeclaration) -> None:
        seen: dict[str, PropertyDeclaration] = {}
        for item in policy.of(PropertyDeclaration):
            if item.name in seen:
                self.findings.add(
                    "HL201",
                    f"`{item.name}` is defined twice",
                    item.name_span,
                    label="second definition",
                    others=(Label(seen[item.name].name_span, "first defined here"),),
                    repair=Repair(
                        item.name_span, item.name + "_2", f"give this one its own name, such as `{item.name}_2`"
                    ),
                )
            seen.setdefault(item.name, item)

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
            return Repair(Span(start, start), f"observe {name}\n  ", f"begin with `observe {name}`")
        return None
