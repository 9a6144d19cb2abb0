"""What a program declares and does not need: definitions nothing uses, memory nothing reads, parameters that change
nothing, observations nobody looks at. All of it is plain from the text, no proof is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of, role_of
from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Declaration, Observe, Observed, PlanDeclaration, names_used
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.unused_plan_settings import idle_settings


def unused(checked: CheckedProgram) -> tuple[Diagnostic, ...]:
    """Warnings, in the order of the text. What only unused things use is unused too."""
    found = list(_Uses(checked).warnings())
    return tuple(sorted(found, key=lambda item: item.span))


class _Uses:
    """`acting`: names that the action hangs on, at this tick or a later one; `needed`: those, and what properties speak of."""

    def __init__(self, checked: CheckedProgram):
        self.checked = checked
        declarations = checked.policy.declarations
        self.defined: dict[str, Declaration] = {
            item.name: item for item in checked.policy.with_role(Role.DEFINITION, Role.STATE)
        }
        self.names = {id(item): frozenset(names_used(item)) for item in declarations}
        # The action itself may be used by its name; it depends on all that decides it.
        self.acting = self._closure(Role.BEHAVIOUR, Role.PLAN)
        self.directed = self._closure(Role.BEHAVIOUR)
        self.needed = self.acting | self._closure(Role.PROPERTY)

    def _closure(self, *roots: Role) -> set[str]:
        """The names that declarations of these roles need, through definitions and memory too."""
        reached: set[str] = set()
        waiting = [name for item in self.checked.policy.with_role(*roots) for name in self.names[id(item)]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                if name in self.defined:
                    waiting.extend(self.names[id(self.defined[name])])
        return reached

    def warnings(self) -> Iterator[Diagnostic]:
        """The warnings, in the order of the declarations."""
        for item in self.checked.policy.declarations:
            role = role_of(item)
            if isinstance(item, Observe):
                yield from self._observed(item)
            elif isinstance(item, PlanDeclaration):
                yield from self._plan(item)
            elif form_of(item).unused_code is not None and item.name not in self.needed:
                yield self._unused(item)
            elif role is Role.CONSTANT and item.name not in self.acting:
                yield self._without_effect(item)

    def _plan(self, item: PlanDeclaration) -> Iterator[Diagnostic]:
        if item.name in self.directed:
            yield from idle_settings(item)
        else:
            yield Diagnostic(
                "HL506",
                f"the plan `{item.name}` is not used",
                item.name_span,
                "the action does not hang on it: add it to one",
                severity="warning",
            )

    def _without_effect(self, item: Any) -> Diagnostic:
        users = self._users(item.name)
        verb = "use" if len(users) > 1 else "uses"
        return Diagnostic(
            "HL505",
            f"the parameter `{item.name}` has no effect on the action",
            item.name_span,
            f"only {_listed(users)} {verb} it, and the action hangs on none of that",
            severity="warning",
        )

    def _unused(self, item: Any) -> Diagnostic:
        form = form_of(item)
        assert form.unused_code is not None
        users = [name for name in self._users(item.name) if name != item.name]
        if users:
            label = f"only {_listed(users)} {'use' if len(users) > 1 else 'uses'} it, which nothing needs"
        elif form.role is Role.STATE and item.name in self.names[id(item)]:
            label = "only its own next value reads it"
        else:
            label = "nothing uses it"
        place = self._whole_lines(item.span)
        repair = None if users or place is None else Repair(place, "", "leave it out")
        message = f"{form.noun} `{item.name}` is not used"
        return Diagnostic(form.unused_code, message, item.name_span, label, repair=repair, severity="warning")

    def _users(self, name: str) -> list[str]:
        """The definitions and properties that name it, in the order of the text."""
        return [
            item.name
            for item in self.checked.policy.with_role(Role.DEFINITION, Role.STATE, Role.PROPERTY)
            if name in self.names[id(item)]
        ]

    def _observed(self, item: Observe) -> Iterator[Diagnostic]:
        idle = [one for one in item.items if one.name not in self.needed]
        if not idle:
            return
        first, *others = idle
        shown = _listed([one.name for one in idle[:6]] + (["…"] if len(idle) > 6 else []))
        everything = len(idle) == len(item.items)
        yield Diagnostic(
            "HL504",
            f"observed and not used: {shown}",
            self._own(first),
            "nothing looks at it",
            severity="warning",
            others=tuple(
                Label(self._own(one), "nor at this") for one in others[:3] if self._line(one) != self._line(first)
            ),
            repair=Repair(item.span, "", "leave the `observe` out")
            if everything and self._whole_lines(item.span)
            else self._without(item, idle),
        )

    def _own(self, one: Observed) -> Span:
        return Span(one.span.start, one.span.start + len(one.name))

    def _line(self, one: Observed) -> int:
        return self.checked.source.position(one.span.start)[0]

    def _without(self, item: Observe, idle: list[Observed]) -> Repair | None:
        text = self.checked.source.text
        kept = [text[one.span.start : one.span.end] for one in item.items if one not in idle]
        if not text or not kept:
            return None
        return Repair(
            Span(item.items[0].span.start, item.items[-1].span.end), ", ".join(kept), "observe only what is used"
        )

    def _whole_lines(self, span: Span) -> Span | None:
        """The declaration, if its text is at hand."""
        return span if self.checked.source.text and span.end > span.start else None


def _listed(names: list[str]) -> str:
    shown = [name if name == "…" else f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
