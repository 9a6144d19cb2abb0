"""Crossover: a rule or a part of another program, with all the definitions it needs."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import (
    Boolean,
    Expression,
    Name,
    Number,
    Rule,
    children,
    expressions,
    walk,
    with_children,
)
from hl_dsl.synth.mutation.draft import Draft, Subject
from hl_dsl.synth.mutation.rules import acts, put_act
from hl_dsl.synth.mutation.tree_paths import TreePath, describe, ordinal

_NAMED = (Role.DEFINITION, Role.STATE, Role.CONSTANT)


def cross_rule(draft: Draft, other: Subject) -> str | None:
    """Inserts a rule of the other program into a decision list."""
    rules = [rule for _, _, act in acts(Draft(other, draft.random)) for rule in act.rules if rule.condition is not None]
    known = {repr(rule) for _, _, act in acts(draft) for rule in act.rules}
    rules = [rule for rule in rules if repr(rule) not in known]
    if not rules:
        return None
    rule = draft.random.choice(rules)
    position, before, act = draft.random.choice(acts(draft))
    number = draft.random.randrange(len(act.rules))
    taken = _Transplant(draft, other)
    assert rule.condition is not None
    condition, value = taken.of(rule.condition), taken.of(rule.value)
    if condition is None or value is None:
        return None
    put_act(
        draft, position, before, replace(act, rules=act.rules[:number] + (Rule(condition, value),) + act.rules[number:])
    )
    return f"a rule of the other parent as the {ordinal(number)}"


def cross_expression(draft: Draft, other: Subject) -> str | None:
    """Replaces a part by a part of the other program of the same type."""
    place, node, type_ = draft.random.choice(draft.scope.places)
    parts = [
        part
        for _, part, held in other.scope.places
        if held is type_ and not isinstance(part, (Number, Boolean)) and part != node
    ]
    if not parts:
        return None
    new = _Transplant(draft, other).of(draft.random.choice(parts))
    if new is None or new == node or _closes_cycle(draft, new, place):
        return None
    draft.put(place, new)
    return f"a part of the other parent in {describe(draft.policy, place)}"


def _closes_cycle(draft: Draft, expression: Expression, place: TreePath) -> bool:
    usable = draft.scope.names(place)
    return any(
        isinstance(node, Name) and node.name in draft.scope.values and node.name not in usable
        for node in walk(expression)
    )


class _Transplant:
    """Copies expressions of another program, with the definitions that they need.

    A definition that this program has too is not copied. A different one of the same name is renamed.
    """

    def __init__(self, draft: Draft, other: Subject):
        self.draft, self.other = draft, other
        self.theirs = {item.name: item for item in other.program.syntax.with_role(*_NAMED)}
        self.ours = {item.name: item for item in draft.policy.with_role(*_NAMED)}
        self.names: dict[str, str] = {}

    def of(self, expression: Expression) -> Expression | None:
        """The expression in terms of this program, or None if it uses a name that has no counterpart here."""
        for name in sorted({node.name for node in walk(expression) if isinstance(node, Name)}):
            if not self._bring(name):
                return None
        return self._renamed(expression)

    def _bring(self, name: str) -> bool:
        if name in self.names:
            return True
        item = self.theirs.get(name)
        if item is None:
            scope = self.draft.scope
            known = name in scope.values or any(name in names for names in scope.constants.values())
            return known and name not in self.ours
        if self.ours.get(name) == item and self._same_below(item):
            self.names[name] = name
            return True
        self.names[name] = self.draft.fresh_name(name)
        for top in expressions(item):
            if any(not self._bring(node.name) for node in walk(top) if isinstance(node, Name)):
                return False
        self._add(item, self.names[name])
        return True

    def _same_below(self, item, seen: frozenset = frozenset()) -> bool:
        """Returns whether every name in the definition has the same definition in both programs."""
        for top in expressions(item):
            for node in walk(top):
                if isinstance(node, Name) and node.name in self.theirs and node.name not in seen:
                    theirs = self.theirs[node.name]
                    if self.ours.get(node.name) != theirs or not self._same_below(theirs, seen | {node.name}):
                        return False
        return True

    def _add(self, item, name: str) -> None:
        form = form_of(item)
        for slot, expression in form.slots(item):
            item = form.put(item, slot, self._renamed(expression))
        if form.role is Role.CONSTANT:
            self.draft.new_params.append(name)
        self.draft.added.append(replace(item, name=name))

    def _renamed(self, expression: Expression) -> Expression:
        if isinstance(expression, Name):
            return Name(self.names.get(expression.name, expression.name))
        return with_children(expression, tuple(self._renamed(child) for child in children(expression)))
