"""Checks of a `plan`: the environment has a model, the model predicts the observations, the settings are valid."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.diagnostics import DiagnosticCollector, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.cards import Card, Field
from hl_dsl.grammar.tree.plan_settings import SETTINGS, PlanSetting
from hl_dsl.grammar.tree.syntax_tree import (
    Expression,
    Index,
    Name,
    Number,
    Param,
    PlanDeclaration,
    PolicyDeclaration,
    Setting,
    children,
    expressions,
)
from hl_dsl.language.symbols import Symbols


class PlanChecks:
    """Checks of one plan, except the types of its scores."""

    def __init__(self, policy: PolicyDeclaration, symbols: Symbols, findings: DiagnosticCollector):
        self.policy, self.symbols, self.findings, self.card = policy, symbols, findings, symbols.card

    def run(self, plan: PlanDeclaration) -> None:
        """Reports what is wrong with the plan."""
        first = next(self.policy.of(PlanDeclaration))
        if plan is not first:
            self.findings.add(
                "HL218",
                "a policy has one `plan`",
                plan.name_span,
                label="second plan",
                others=(Label(first.name_span, "the first"),),
            )
            return
        if self.card.model is None:
            self.findings.add(
                "HL219",
                f"{self.card.environment} cannot be planned in: nothing here can simulate it",
                plan.name_span,
                label="a plan needs the environment's own model, and its observation must show the model's state",
                others=(Label(self.policy.environment_span, "for this environment"),),
            )
            return
        self._observations(plan)
        self._range(plan)
        seen: dict[str, Setting] = {}
        for setting in plan.settings:
            self._setting(setting, seen)

    def _range(self, plan: PlanDeclaration) -> None:
        action = self.card.action
        if action.is_discrete:
            return
        size = plan.type.size or 1
        written = [tuple(end.value for end in plan.range.of(component)) for component in range(size)]
        bounds = (
            list(zip(action.low, action.high))
            if size == len(action.low)
            else [(min(action.low), max(action.high))] * size
        )
        held = [
            tuple(min(max(end, least - most), most - least) for end in ends)
            for ends, (least, most) in zip(written, bounds)
        ]
        wide = [component for component in range(size) if held[component] != written[component]]
        if not wide:
            return
        name = plan.name if len(wide) == size else f"{plan.name}[{wide[0]}]"
        least, most = bounds[wide[0]]
        ends = ", ".join(_end(numbers) for numbers in zip(*held))
        self.findings.add(
            "HL408",
            f"`{name}` may be larger than any difference of two actions",
            plan.range.span,
            label=f"actions lie in [{least:g}, {most:g}]",
            repair=Repair(plan.range.span, f"[{ends}]", "plan no more than that"),
        )

    def _setting(self, setting: Setting, seen: dict[str, Setting]) -> None:
        known = SETTINGS.get(setting.name)
        if known is None:
            near = self.findings.nearest(setting.name, SETTINGS)
            self.findings.add(
                "HL220",
                f"a plan has no setting `{setting.name}`",
                setting.name_span,
                label="unknown setting",
                expected=tuple(SETTINGS),
                repair=Repair(setting.name_span, near, f"did you mean `{near}`?") if near else None,
            )
            return
        if setting.name in seen:
            self.findings.add(
                "HL201",
                f"`{setting.name}` is set twice",
                setting.name_span,
                label="second time",
                others=(Label(seen[setting.name].name_span, "first here"),),
                repair=Repair(setting.span, "", "leave this one out"),
            )
            return
        seen[setting.name] = setting
        if isinstance(setting.value, Number):
            self._literal(setting, known, setting.value.value)
        else:
            self._named(setting, known, setting.value)

    def _literal(self, setting: Setting, known: PlanSetting, value: int | float) -> None:
        if known.base == "int" and type(value) is not int:
            self.findings.add(
                "HL319",
                f"`{known.name}` is a whole number",
                setting.value.span,
                label="a real",
                repair=Repair(setting.value.span, str(int(_within(known, round(value)))), "write a whole one"),
            )
        elif not known.low <= value <= known.high:
            nearest = _within(known, value)
            self.findings.add(
                "HL407",
                f"`{known.name}` cannot be {value!r}: it is {_bounds(known)}",
                setting.value.span,
                label=known.says,
                repair=Repair(setting.value.span, repr(nearest), f"write `{nearest!r}`"),
            )

    def _named(self, setting: Setting, known: PlanSetting, name: Name) -> None:
        symbol = self.symbols.get(name.name)
        if symbol is None:
            self.findings.append(self.symbols.unknown(name.name, name.span))
        elif symbol.kind != "param":
            self.findings.add(
                "HL319",
                f"`{known.name}` is a number or a parameter, and `{name.name}` is neither",
                name.span,
                label="settings hold for a whole episode",
            )
        elif symbol.type is not None and (
            symbol.type.is_vector
            or symbol.type.base not in ("int", "real")
            or (known.base == "int" and symbol.type.base != "int")
        ):
            self.findings.add(
                "HL319",
                f"`{known.name}` is a single {known.base}, and the parameter `{name.name}` is `{symbol.type}`",
                name.span,
                label=f"this is `{symbol.type}`",
                others=(Label(symbol.span, "declared here"),),
            )
        else:
            self._parameter(setting, known, symbol.declaration)

    def _parameter(self, setting: Setting, known: PlanSetting, param: Param) -> None:
        if param.range is None or not param.range.is_alike:
            return
        low, high = (end.value for end in param.range.of(0))
        if not (known.low <= low and high <= known.high):
            self.findings.add(
                "HL407",
                f"the parameter `{param.name}` may be what `{known.name}` cannot: it is {_bounds(known)}",
                setting.value.span,
                label=known.says,
                others=(Label(param.range.span, "its range"),),
                repair=Repair(
                    param.range.span, f"[{_within(known, low)!r}, {_within(known, high)!r}]", "narrow its range"
                ),
            )

    def _observations(self, plan: PlanDeclaration) -> None:
        """Reports observations that the policy depends on and the model does not predict."""
        reported: set[str] = set()
        for name, component in self._looked_at():
            if name in reported or name not in self.symbols.observed:
                continue
            item, field = self.symbols.observed[name]
            if not set(_columns(field, component)) <= predicted_columns(self.card, field):
                reported.add(name)
                self.findings.add(
                    "HL221",
                    f"the plan cannot predict `{name}`",
                    Span(item.span.start, item.span.start + len(name)),
                    label="the model predicts positions and velocities, and this is neither"
                    if field.source == "observation"
                    else f"the model does not predict the {field.source}",
                    others=(Label(plan.name_span, "a plan simulates the whole policy, and what it is scored by"),),
                )

    def _looked_at(self) -> Iterator[tuple[str, int | None]]:
        """Observations that the action, the scores and their memory use, with the component if it is a literal."""
        defined = {item.name: item for item in self.policy.with_role(Role.DEFINITION, Role.STATE)}
        waiting = list(self.policy.with_role(Role.BEHAVIOUR, Role.PLAN))
        met: set[str] = set()
        while waiting:
            for name, component in (use for top in expressions(waiting.pop()) for use in _uses(top)):
                if name in defined and name not in met:
                    met.add(name)
                    waiting.append(defined[name])
                elif name not in defined:
                    yield name, component


def predicted_columns(card: Card, field: Field) -> set[int]:
    """The columns of the field's source that the card's model predicts."""
    if field.source == "step":
        return {0}
    if field.source != "observation" or card.model is None:
        return set()
    return {column for column in (*card.model.qpos, *card.model.qvel) if column is not None}


def _columns(field: Field, component: int | None) -> tuple[int, ...]:
    return field.index if component is None or component >= len(field.index) else (field.index[component],)


def _uses(top: Expression) -> Iterator[tuple[str, int | None]]:
    stack = [top]
    while stack:
        node = stack.pop()
        if type(node) is Name:
            yield node.name, None
        elif isinstance(node, Index) and isinstance(node.vector, Name) and isinstance(node.index, Number):
            yield node.vector.name, int(node.index.value)
        else:
            stack.extend(children(node))


def _end(numbers: tuple[int | float, ...]) -> str:
    """One end of a range: a number, or one for each component."""
    return repr(numbers[0]) if len(set(numbers)) == 1 else f"[{', '.join(map(repr, numbers))}]"


def _within(known: PlanSetting, value: int | float) -> int | float:
    nearest = min(max(value, known.low), known.high)
    return int(nearest) if known.base == "int" else float(nearest)


def _bounds(known: PlanSetting) -> str:
    return f"{known.low:g} or more" if known.high == math.inf else f"from {known.low:g} to {known.high:g}"
