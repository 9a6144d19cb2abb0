"""A program under mutation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of, role_of
from hl_dsl.grammar.tree.syntax_tree import (
    Expression,
    Let,
    Memory,
    Name,
    Number,
    Observe,
    Observed,
    Param,
    PolicyDeclaration,
    Range,
    TypeName,
    walk,
)
from hl_dsl.language.types import Type
from hl_dsl.program import Program
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.number_literals import round_range, short
from hl_dsl.synth.mutation.recorded_values import Columns
from hl_dsl.synth.mutation.scope import Scope
from hl_dsl.synth.mutation.static_ranges import Ranges
from hl_dsl.synth.mutation.tree_paths import TreePath, put

_EVERYWHERE = 0.7


@dataclass
class Subject:
    """A program to be mutated, with facts from its recorded episodes. It is made once and mutated often.

    `no_reward_steps`: for a program whose episode was truncated without reward, the longest time without a reward
    before that, and the time without a reward at which it was truncated, in ticks. `find_forecasts` finds predictions
    in its recorded episodes. `measure` returns the usual size of each signal, by field and component (see
    `hl_dsl.synth.proposers.local.signal_scales`).
    """

    program: Program
    columns: Columns | None = None
    no_reward_steps: tuple[int, int] | None = None
    find_forecasts: Callable[[], Sequence[Forecast]] = tuple
    measure: Callable[[], Mapping[tuple[str, int | None], float]] = dict

    def __post_init__(self):
        self.policy = self.program.syntax
        self.scope = Scope(self.program)
        self.ranges = Ranges(self.scope)

    @cached_property
    def sizes(self) -> Mapping[tuple[str, int | None], float]:
        """The usual size of each signal, by field and component."""
        return self.measure()

    @cached_property
    def forecasts(self) -> Sequence[Forecast]:
        """Predictions from the recorded episodes."""
        return self.find_forecasts()


@dataclass
class Draft:
    """One mutation in progress. Addresses are of the initial `policy`; new declarations are added by `finish`."""

    subject: Subject
    random: Random
    policy: PolicyDeclaration = field(init=False)
    added: list = field(default_factory=list, init=False)
    new_params: list[str] = field(default_factory=list, init=False)

    def __post_init__(self):
        self.policy = self.subject.program.syntax
        self._names: set[str] = set()

    @property
    def scope(self) -> Scope:
        """The names and places of the program."""
        return self.subject.scope

    def put(self, place: TreePath, new: Expression) -> None:
        """Replaces the expression at a place."""
        self.policy = put(self.policy, place, new)

    def put_alike(self, place: TreePath, old: Expression, new: Expression, wanted: str) -> None:
        """Replaces the expression at a place, and mostly its other occurrences too, by a new name.

        A value that is better for one comparison is mostly better for the others.
        """
        places = [other for other, node, _ in self.scope.places if node == old and self.fits(new, other)]
        if len(places) < 2 or self.random.random() > _EVERYWHERE:
            self.put(place, new)
            return
        name = self.new_let(wanted, new)
        for other in places:
            self.put(other, name)

    def fits(self, expression: Expression, place: TreePath) -> bool:
        """Returns whether all known names of the expression may be used at the place."""
        usable = self.scope.names(place)
        return all(
            node.name in usable or node.name not in self.scope.values
            for node in walk(expression)
            if isinstance(node, Name)
        )

    def values(self, expression: Expression) -> list | None:
        """The expression's values on recorded ticks, or None without a recording."""
        return None if self.subject.columns is None else self.subject.columns.of(expression)

    def fresh_name(self, wanted: str) -> str:
        """A name that is not taken, from the wanted one."""
        name = self.scope.fresh_name(wanted)
        number = 1
        while name in self._names:
            number += 1
            name = self.scope.fresh_name(f"{wanted}_{number}")
        self._names.add(name)
        return name

    def new_param(self, wanted: str, base: str, low: float, high: float, default: float) -> Name:
        """Declares a parameter with a round range around [low, high] and returns its name."""
        low, high = round_range(min(low, default), max(high, default), base)
        name = self.fresh_name(wanted)
        value = short(default, low, high, base)
        self.added.append(Param(name, TypeName(base, None), Number(value), Range(Number(low), Number(high))))
        self.new_params.append(name)
        return Name(name)

    def new_let(self, wanted: str, expression: Expression) -> Name:
        """Declares a let and returns its name."""
        name = self.fresh_name(wanted)
        self.added.append(Let(name, expression))
        return Name(name)

    def new_memory(
        self,
        wanted: str,
        type_: Type,
        range_: tuple | None,
        start: Expression,
        next_: Expression,
        name: str | None = None,
    ) -> Name:
        """Declares a memory and returns its name."""
        name = name or self.fresh_name(wanted)
        written = None if range_ is None else Range(Number(range_[0]), Number(range_[1]))
        self.added.append(Memory(name, TypeName(type_.base, None), written, start, next_))
        return Name(name)

    def finish(self) -> PolicyDeclaration:
        """The changed program: with the additions, without unused definitions, observing what is used."""
        policy = self.policy
        declarations = list(policy.declarations)
        for item in self.added:
            declarations.insert(_position(declarations, role_of(item)), item)
        return tidied(replace(policy, declarations=tuple(declarations)), self.scope)


_ORDER = (Role.INPUT, Role.CONSTANT, Role.DEFINITION, Role.STATE)
_NAMED = (Role.CONSTANT, Role.DEFINITION, Role.STATE)


def _position(declarations: list, role: Role) -> int:
    """The position after the last of its kind; the order of kinds is observe, param, let, memory, the rest."""
    before = _ORDER[: _ORDER.index(role) + 1]
    last = [position for position, item in enumerate(declarations) if role_of(item) in before]
    return last[-1] + 1 if last else 0


def tidied(policy: PolicyDeclaration, scope: Scope) -> PolicyDeclaration:
    """The policy without unused definitions, observing exactly what is used."""
    defined = {item.name: item for item in policy.with_role(*_NAMED)}
    used: set[str] = set()
    waiting = [name for item in policy.declarations if role_of(item) not in _NAMED for name in scope.names_in(item)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            if name in defined:
                waiting.extend(scope.names_in(defined[name]))
    kept = [item for item in policy.declarations if role_of(item) not in _NAMED or form_of(item).name_of(item) in used]
    return replace(policy, declarations=tuple(_observing(kept, used, scope)))


def _observing(declarations: list, used: set[str], scope: Scope) -> list:
    result: list = []
    observed: set[str] = set()
    for item in declarations:
        if isinstance(item, Observe):
            items = tuple(one for one in item.items if one.name in used)
            observed.update(one.name for one in items)
            item = item if len(items) == len(item.items) else replace(item, items=items)
            if not items:
                continue
        result.append(item)
    missing = [
        name
        for name in scope.program.card.fields
        if name in used and name not in observed and name not in scope.symbols
    ]
    if missing:
        result = _with_observed(result, tuple(Observed(name, None, None) for name in missing))
    return result


def _with_observed(declarations: list, items: tuple[Observed, ...]) -> list:
    for position, item in enumerate(declarations):
        if isinstance(item, Observe):
            return declarations[:position] + [replace(item, items=item.items + items)] + declarations[position + 1 :]
    return [Observe(items), *declarations]
