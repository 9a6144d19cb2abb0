"""Addresses of expressions in a program, and replacement of an expression at an address.

Trees are never changed: a new tree shares all it can with the old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hl_dsl.base.declaration_form import Slot
from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import Declaration, Expression, PolicyDeclaration, children, with_children

_ORDINALS = ("1st", "2nd", "3rd")


@dataclass(frozen=True)
class TreePath:
    """Address of an expression: position of the declaration, slot in it, operand positions from the top down."""

    declaration: int
    slot: Slot
    path: tuple[int, ...] = ()

    @property
    def top(self) -> TreePath:
        """The address of the whole expression in the slot."""
        return TreePath(self.declaration, self.slot)

    def below(self, operand: int) -> TreePath:
        """The address of an operand."""
        return TreePath(self.declaration, self.slot, (*self.path, operand))


def slots(declaration: Declaration) -> Iterator[tuple[Slot, Expression]]:
    """The expressions of a declaration that a mutation may change. Initial values and properties are not among them."""
    return form_of(declaration).slots(declaration)


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
    changed = form_of(declaration).put(declaration, place.slot, _put_below(top, place.path, new))
    return with_declaration(policy, place.declaration, changed)


def with_declaration(policy: PolicyDeclaration, position: int, declaration) -> PolicyDeclaration:
    """The program with another declaration at a position."""
    declarations = policy.declarations[:position] + (declaration,) + policy.declarations[position + 1 :]
    return replace(policy, declarations=declarations)


def _put_below(node: Expression, path: tuple[int, ...], new: Expression) -> Expression:
    if not path:
        return new
    below = list(children(node))
    below[path[0]] = _put_below(below[path[0]], path[1:], new)
    return with_children(node, tuple(below))


def exchanged(items: tuple, position: int, new) -> tuple:
    """The tuple with another item at a position."""
    return items[:position] + (new,) + items[position + 1 :]


def ordinal(position: int) -> str:
    """`0` is the 1st."""
    return _ORDINALS[position] if position < 3 else f"{position + 1}th"


def describe(policy: PolicyDeclaration, place: TreePath) -> str:
    """An address in words: "the 2nd rule's condition", "`aim`", "the next value of `dry`"."""
    declaration = policy.declarations[place.declaration]
    return form_of(declaration).describe_slot(declaration, place.slot)
