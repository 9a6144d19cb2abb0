"""Warnings about what a program declares and does not need. They follow from the text, without a proof."""

from __future__ import annotations

from typing import Any

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of
from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.tree.syntax_tree import Declaration, names_used
from hl_dsl.language.checker import CheckedProgram


def unused(checked: CheckedProgram) -> tuple[Diagnostic, ...]:
    """Warnings, in the order of the text. What only unused things use is unused too."""
    uses = Uses(checked)
    warnings = [warning for item in checked.policy.declarations for warning in form_of(item).warn(uses, item)]
    return tuple(sorted(warnings, key=lambda item: item.span))


class Uses:
    """Uses of names in a program (`NameUses` in `hl_dsl/base/declaration_stages.py`).

    Attributes:
        acting: Names that the action depends on, at this tick or a later one.
        directed: Those, without the names that only a plan needs.
        needed: Those that `acting` holds, and those that properties depend on.
        source: The text of the program.
    """

    def __init__(self, checked: CheckedProgram):
        self.source: SourceText = checked.source
        self._policy = checked.policy
        self._defined: dict[str, Declaration] = {
            item.name: item for item in checked.policy.with_role(Role.DEFINITION, Role.STATE)
        }
        self._names = {id(item): frozenset(names_used(item)) for item in checked.policy.declarations}
        # The action itself may be used by its name; it depends on all that decides it.
        self.acting = self._closure(Role.BEHAVIOUR, Role.PLAN)
        self.directed = self._closure(Role.BEHAVIOUR)
        self.needed = self.acting | self._closure(Role.PROPERTY)

    def _closure(self, *roots: Role) -> set[str]:
        """The names that declarations of these roles need, through definitions and memory too."""
        reached: set[str] = set()
        waiting = [name for item in self._policy.with_role(*roots) for name in self._names[id(item)]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                if name in self._defined:
                    waiting.extend(self._names[id(self._defined[name])])
        return reached

    def users(self, name: str) -> list[str]:
        """The definitions and properties that name it, in the order of the text."""
        return [
            item.name
            for item in self._policy.with_role(Role.DEFINITION, Role.STATE, Role.PROPERTY)
            if name in self._names[id(item)]
        ]

    def listed(self, names: list[str]) -> str:
        """Names as a list in a sentence."""
        shown = [name if name == "…" else f"`{name}`" for name in names]
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

    def unused(self, item: Any) -> Diagnostic:
        """The warning about a declaration that nothing needs."""
        form = form_of(item)
        assert form.unused_code is not None
        users = [name for name in self.users(item.name) if name != item.name]
        if users:
            label = f"only {self.listed(users)} {'use' if len(users) > 1 else 'uses'} it, which nothing needs"
        elif form.role is Role.STATE and item.name in self._names[id(item)]:
            label = "only its own next value reads it"
        else:
            label = "nothing uses it"
        place = self.removable(item.span)
        repair = None if users or place is None else Repair(place, "", "leave it out")
        message = f"{form.noun} `{item.name}` is not used"
        return Diagnostic(form.unused_code, message, item.name_span, label, repair=repair, severity="warning")

    def removable(self, span: Span) -> Span | None:
        """The stretch of a declaration, if its text is at hand."""
        return span if self.source.text and span.end > span.start else None
