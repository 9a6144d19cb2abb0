"""Addresses of expressions in a program, and putting another expression there.

Trees are never changed: a new tree shares all it can with the old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    Expression,
    Let,
    Memory,
    Mode,
    Modes,
    PolicyDeclaration,
    children,
    with_children,
)

Slot = tuple  # ("let",), ("next",), ("rule", 0, "condition"), ("mode", 1, "rule", 0, "value"), ("mode", 1, "transition", 0)
_ORDINALS = ("1st", "2nd", "3rd")


@dataclass(frozen=True)
class TreePath:
    """An expression's address: the declaration's position, the slot in it, operand positions from the slot's top down."""

    declaration: int
    slot: Slot
    path: tuple[int, ...] = ()

    @property
    def top(self) -> TreePath:
        return TreePath(self.declaration, self.slot)

    def below(self, operand: int) -> TreePath:
        return TreePath(self.declaration, self.slot, (*self.path, operand))


def slots(declaration) -> Iterator[tuple[Slot, Expression]]:
    """The expressions of a declaration that say what the policy does. Literals of a declaration and properties are none."""
    kind = type(declaration)
    if kind is Let:
        yield ("let",), declaration.expression
    elif kind is Memory:
        yield ("next",), declaration.next
    elif kind is Act:
        yield from _rule_slots((), declaration)
    elif kind is Modes:
        for position, mode in enumerate(declaration.modes):
            here = ("mode", position)
            if mode.act is not None:
                yield from _rule_slots(here, mode.act)
            for number, transition in enumerate(mode.transitions):
                yield (*here, "transition", number), transition.condition


def _rule_slots(before: Slot, act: Act) -> Iterator[tuple[Slot, Expression]]:
    for number, rule in enumerate(act.rules):
        if rule.condition is not None:
            yield (*before, "rule", number, "condition"), rule.condition
        yield (*before, "rule", number, "value"), rule.value


def walk_places(policy: PolicyDeclaration) -> Iterator[tuple[TreePath, Expression]]:
    """Every expression that says what the policy does, with its address, a parent before its operands."""
    for position, declaration in enumerate(policy.declarations):
        for slot, top in slots(declaration):
            stack = [(TreePath(position, slot), top)]
            while stack:
                place, node = stack.pop()
                yield place, node
                below = [(place.below(operand), child) for operand, child in enumerate(children(node))]
                stack.extend(reversed(below))


def at(policy: PolicyDeclaration, place: TreePath) -> Expression:
    """The expression at an address. Raises LookupError where there is none."""
    node = dict(slots(policy.declarations[place.declaration]))[place.slot]
    for operand in place.path:
        node = children(node)[operand]
    return node


def put(policy: PolicyDeclaration, place: TreePath, new: Expression) -> PolicyDeclaration:
    """The program with another expression at an address."""
    declaration = policy.declarations[place.declaration]
    top = dict(slots(declaration))[place.slot]
    changed = _put_in_declaration(declaration, place.slot, _put_below(top, place.path, new))
    return with_declaration(policy, place.declaration, changed)


def with_declaration(policy: PolicyDeclaration, position: int, declaration) -> PolicyDeclaration:
    declarations = policy.declarations[:position] + (declaration,) + policy.declarations[position + 1 :]
    return replace(policy, declarations=declarations)


def _put_below(node: Expression, path: tuple[int, ...], new: Expression) -> Expression:
    if not path:
        return new
    below = list(children(node))
    below[path[0]] = _put_below(below[path[0]], path[1:], new)
    return with_children(node, tuple(below))


def _put_in_declaration(declaration, slot: Slot, new: Expression):
    kind = slot[0]
    if kind == "let":
        return replace(declaration, expression=new)
    if kind == "next":
        return replace(declaration, next=new)
    if kind == "mode":
        mode = declaration.modes[slot[1]]
        return replace(declaration, modes=exchanged(declaration.modes, slot[1], _put_in_mode(mode, slot[2:], new)))
    return _put_in_act(declaration, slot, new)


def _put_in_mode(mode: Mode, slot: Slot, new: Expression) -> Mode:
    if slot[0] == "transition":
        changed = replace(mode.transitions[slot[1]], condition=new)
        return replace(mode, transitions=exchanged(mode.transitions, slot[1], changed))
    return replace(mode, act=_put_in_act(mode.act, slot, new))


def _put_in_act(act: Act, slot: Slot, new: Expression) -> Act:
    _, number, part = slot
    return replace(act, rules=exchanged(act.rules, number, replace(act.rules[number], **{part: new})))


def exchanged(items: tuple, position: int, new) -> tuple:
    """The tuple with another item at a position."""
    return items[:position] + (new,) + items[position + 1 :]


def ordinal(position: int) -> str:
    """`0` is the 1st."""
    return _ORDINALS[position] if position < 3 else f"{position + 1}th"


def describe(policy: PolicyDeclaration, place: TreePath) -> str:
    """An address in words: "the 2nd rule's condition", "`aim`", "the next value of `dry`"."""
    declaration, slot = policy.declarations[place.declaration], place.slot
    if slot[0] == "let":
        return f"`{declaration.name}`"
    if slot[0] == "next":
        return f"the next value of `{declaration.name}`"
    where = ""
    if slot[0] == "mode":
        mode = declaration.modes[slot[1]]
        where, slot = f" in mode `{mode.name}`", slot[2:]
        if slot[0] == "transition":
            return f"the transition from `{mode.name}` to `{mode.transitions[slot[1]].target}`"
    return f"the {ordinal(slot[1])} rule's {'condition' if slot[2] == 'condition' else 'action'}{where}"
