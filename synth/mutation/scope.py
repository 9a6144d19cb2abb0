"""Names that may be used and expressions that may be changed at each place of a program."""

from __future__ import annotations

from functools import cached_property

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of, role_of
from hl_dsl.grammar.tree.keywords import reserved_words
from hl_dsl.grammar.tree.syntax_tree import (
    Expression,
    Index,
    Name,
    Number,
    PolicyDeclaration,
    Previous,
    children,
    names_used,
)
from hl_dsl.language.dependencies import needs
from hl_dsl.language.plan_checks import predicted_columns
from hl_dsl.language.symbols import field_type
from hl_dsl.language.types import BOOL, Type
from hl_dsl.operators import OPERATORS
from hl_dsl.program import Program
from hl_dsl.synth.mutation.tree_paths import TreePath, walk_places

_DEFINED = (Role.DEFINITION, Role.STATE)


class Scope:
    """A checked program as mutations see it.

    `places` are the expressions that may be changed, with their types. What a property says must not change with
    the policy, so these definitions are left alone: all that an `assume` speaks of, however indirectly; truth values
    that a property names, however indirectly; and whatever only properties use. A number that an invariant bounds
    may change: the invariant still bounds it.
    """

    def __init__(self, program: Program):
        self.program = program
        self.policy: PolicyDeclaration = program.syntax
        self.symbols = program.checked.symbols
        self.types = program.checked.types

    @cached_property
    def places(self) -> list[tuple[TreePath, Expression, Type]]:
        """Every expression that may be changed: address, node and type."""
        found, literal = [], set()
        for place, node in walk_places(self.policy):
            declaration = self.policy.declarations[place.declaration]
            if role_of(declaration) in _DEFINED and form_of(declaration).name_of(declaration) in self.frozen:
                continue
            # A literal component and a start are one with their node: anything else there would rarely be well-formed.
            if isinstance(node, Previous):
                literal.add(id(node.start))
            elif isinstance(node, Index) and isinstance(node.index, Number):
                literal.update(id(child) for child in children(node) if isinstance(child, (Number, Name)))
            if id(node) not in literal:
                found.append((place, node, self.types[id(node)]))
        return found

    @cached_property
    def components(self) -> list[tuple[TreePath, Index]]:
        """Where a literal component of a vector is read."""
        return [
            (place, node)
            for place, node, _ in self.places
            if isinstance(node, Index) and isinstance(node.index, Number)
        ]

    def names_in(self, declaration) -> frozenset[str]:
        """All names a declaration's expressions hold; quick for the program's own declarations, which mutants share."""
        known = self._names_by_id.get(id(declaration))
        if known is None or known[0] is not declaration:
            return frozenset(names_used(declaration))
        return known[1]

    @cached_property
    def _names_by_id(self) -> dict[int, tuple[object, frozenset[str]]]:
        return {id(item): (item, frozenset(names_used(item))) for item in self.policy.declarations}

    @cached_property
    def uses(self) -> dict[str, set[str]]:
        """For each let and memory: the names its expressions hold."""
        return {item.name: set(self.names_in(item)) for item in self.policy.with_role(*_DEFINED)}

    @cached_property
    def frozen(self) -> frozenset[str]:
        """Names of definitions that a mutation must leave as they are."""
        properties = list(self.policy.with_role(Role.PROPERTY))
        if not properties:
            return frozenset()
        assumed = self._closure({name for item in properties if item.kind == "assume" for name in self.names_in(item)})
        spoken = self._closure({name for item in properties for name in self.names_in(item)})
        top = [item for item in self.policy.declarations if role_of(item) not in (*_DEFINED, Role.PROPERTY)]
        acting = self._closure({name for item in top for name in self.names_in(item)})
        truths = {name for name in spoken if name in self.uses and self.symbols[name].type is BOOL}
        return frozenset(assumed | truths | (spoken - acting))

    def _closure(self, names: set[str]) -> set[str]:
        reached, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(self.uses.get(name, ()))
        return reached

    def names(self, place: TreePath) -> dict[str, Type]:
        """The names that may be used at a place without a cycle in one tick, with their types.

        Names of enumerations are not among them.
        """
        banned = self._banned(place)
        return {name: type_ for name, type_ in self.values.items() if name not in banned}

    @cached_property
    def values(self) -> dict[str, Type]:
        """Names that have a value, with their types; also fields that the program does not observe yet.

        The step count is not among them: a rule on it memorizes one episode. Nor are fields that a plan cannot predict.
        """
        card, plans = self.program.card, any(self.policy.with_role(Role.PLAN))
        fields = {
            name: field_type(field)
            for name, field in card.fields.items()
            if name not in self._taken_by_program
            and field.source != "step"
            and (not plans or set(field.index) <= predicted_columns(card, field))
        }
        return fields | {
            name: symbol.type
            for name, symbol in self.symbols.items()
            if symbol.type is not None and symbol.kind in ("observation", "param", "let", "memory", "mode", "action")
        }

    @cached_property
    def constants(self) -> dict[str, tuple[str, ...]]:
        """The names of each enumeration."""
        return {"action": tuple(self.program.card.action.names or ()), "mode": tuple(self.symbols.modes)}

    def _banned(self, place: TreePath) -> frozenset[str]:
        declaration, slot = self.policy.declarations[place.declaration], place.slot
        defined = form_of(declaration).defined_by(declaration, slot)
        return frozenset() if defined is None else self._needing(defined)

    def _needing(self, name: str) -> frozenset[str]:
        """Everything that needs `name` in the same tick, itself included."""
        if name not in self._dependants:
            reached, waiting = set(), [name]
            while waiting:
                one = waiting.pop()
                if one not in reached:
                    reached.add(one)
                    waiting.extend(self._needed_by.get(one, ()))
            self._dependants[name] = frozenset(reached)
        return self._dependants[name]

    @cached_property
    def _dependants(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _needed_by(self) -> dict[str, set[str]]:
        back: dict[str, set[str]] = {}
        for name, used in needs(self.policy).items():
            for one in used:
                back.setdefault(one.name, set()).add(name)
        return back

    def fresh_name(self, wanted: str) -> str:
        """The wanted name, numbered where it is taken."""
        taken = self._taken
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        return name

    @cached_property
    def _taken(self) -> set[str]:
        return {*self._taken_by_program, *self.program.card.fields, *reserved_words(), *OPERATORS}

    @cached_property
    def _taken_by_program(self) -> set[str]:
        return {*self.symbols, *(item.name for item in self.policy.with_role(Role.PROPERTY))}
