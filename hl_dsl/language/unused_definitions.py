"""What a program declares and does not need: definitions nothing uses, memory nothing reads, parameters that change
nothing, observations nobody looks at. All of it is plain from the text, no proof is needed."""

from __future__ import annotations

from collections.abc import Iterator

from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    Declaration,
    Let,
    Memory,
    Modes,
    Name,
    Observe,
    Observed,
    Param,
    PlanDeclaration,
    PropertyDeclaration,
    expressions,
    walk,
)
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
        self.defined: dict[str, Declaration] = {item.name: item for item in declarations if type(item) in (Let, Memory)}
        self.names = {id(item): _names(item) for item in declarations}
        # The action itself may be asked for by name, and hangs on all that decides it.
        self.acting = self._closure([item for item in declarations if type(item) in (Act, Modes, PlanDeclaration)])
        self.directed = self._closure([item for item in declarations if type(item) in (Act, Modes)])
        self.needed = self.acting | self._closure([item for item in declarations if type(item) is PropertyDeclaration])

    def _closure(self, roots: list[Declaration]) -> set[str]:
        reached: set[str] = set()
        waiting = [name for item in roots for name in self.names[id(item)]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                if name in self.defined:
                    waiting.extend(self.names[id(self.defined[name])])
        return reached

    def warnings(self) -> Iterator[Diagnostic]:
        for item in self.checked.policy.declarations:
            if type(item) is Observe:
                yield from self._observed(item)
            elif type(item) is PlanDeclaration and item.name not in self.directed:
                yield Diagnostic(
                    "HL506",
                    f"the plan `{item.name}` is not used",
                    item.name_span,
                    "the action does not hang on it: add it to one",
                    severity="warning",
                )
            elif type(item) is PlanDeclaration:
                yield from idle_settings(item)
            elif type(item) in (Let, Memory, Param) and item.name not in self.needed:
                yield self._unused(item)
            elif type(item) is Param and item.name not in self.acting:
                users = self._users(item.name)
                yield Diagnostic(
                    "HL505",
                    f"the parameter `{item.name}` has no effect on the action",
                    item.name_span,
                    severity="warning",
                    label=f"only {_listed(users)} {'use' if len(users) > 1 else 'uses'} it, and the action hangs on none of that",
                )

    def _unused(self, item: Let | Memory | Param) -> Diagnostic:
        users = [name for name in self._users(item.name) if name != item.name]
        code, what = {
            Let: ("HL501", "the definition"),
            Memory: ("HL502", "the memory"),
            Param: ("HL503", "the parameter"),
        }[type(item)]
        if users:
            says = f"only {_listed(users)} {'use' if len(users) > 1 else 'uses'} it, which nothing needs"
        elif type(item) is Memory and item.name in self.names[id(item)]:
            says = "only its own next value reads it"
        else:
            says = "nothing uses it"
        place = self._whole_lines(item.span)
        repair = None if users or place is None else Repair(place, "", "leave it out")
        return Diagnostic(
            code, f"{what} `{item.name}` is not used", item.name_span, says, repair=repair, severity="warning"
        )

    def _users(self, name: str) -> list[str]:
        """The definitions and properties that name it, in the order of the text."""
        return [
            item.name
            for item in self.checked.policy.declarations
            if type(item) in (Let, Memory, PropertyDeclaration) and name in self.names[id(item)]
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


def _names(item: Declaration) -> frozenset[str]:
    return frozenset(node.name for top in expressions(item) for node in walk(top) if type(node) is Name)


def _listed(names: list[str]) -> str:
    shown = [name if name == "…" else f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
