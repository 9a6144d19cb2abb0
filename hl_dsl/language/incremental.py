"""Cache of checked declarations, for programs that share declarations.

A program that was changed in memory shares most of its declarations with its origin: the same objects. The result of
checking a declaration is stored under the object and under the meaning of each name in it. So a cached result equals
the result of a new check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import (
    Declaration,
    Expression,
    Name,
    PolicyDeclaration,
    expressions,
    names_used,
    walk,
)

if TYPE_CHECKING:
    from hl_dsl.cards import Card
    from hl_dsl.language.symbols import Symbols
    from hl_dsl.language.type_inference import Inference
    from hl_dsl.language.types import Type

_MOST_DECLARATIONS = 20_000
Key = tuple[Any, ...]
Needs = tuple[tuple[str, list[Name]], ...]  # names that a declaration defines, each with those that its value needs


class DeclarationCache:
    """Results of checking and lowering, kept by the caller for programs about one environment.

    It is valid for one operator table and one table of declarations. It empties itself when it grows too large.
    `lowered` belongs to the compiler.
    """

    def __init__(self) -> None:
        self.card: Card | None = None
        self.lowered: Any = None
        self._clear()

    def _clear(self) -> None:
        self.lowered = None
        self.types: dict[Key, dict[int, Type]] = {}
        # Under a declaration's identity, with the declaration, so that it lives as long as its entry.
        self._names: dict[int, tuple[Declaration, tuple[str, ...]]] = {}
        self._needed: dict[int, tuple[Declaration, Needs]] = {}

    def start_program(self, card: Card) -> None:
        """Called once for each program, before it is checked."""
        if card is not self.card or len(self._names) > _MOST_DECLARATIONS:
            self._clear()
            self.card = card

    def names(self, declaration: Declaration) -> tuple[str, ...]:
        """All names in a declaration's expressions, each once."""
        known = self._names.get(id(declaration))
        if known is None:
            known = self._names[id(declaration)] = (declaration, tuple(dict.fromkeys(names_used(declaration))))
        return known[1]

    def needed(self, declaration: Declaration, find: Callable[[Declaration], Needs]) -> Needs:
        """The result of `find` for a declaration."""
        known = self._needed.get(id(declaration))
        if known is None:
            known = self._needed[id(declaration)] = (declaration, find(declaration))
        return known[1]


class DeclarationLookup:
    """Declarations of one program whose check, without a finding, is known from an earlier program."""

    def __init__(
        self, policy: PolicyDeclaration, symbols: Symbols, inference: Inference, reuse: DeclarationCache | None
    ):
        self._policy, self._symbols, self._inference, self._reuse = policy, symbols, inference, reuse
        self._known: set[int] = set()
        self._new: dict[int, Key | None] = {}

    def knows(self, declaration: Declaration) -> bool:
        """Whether a declaration is known to have no finding. The types of its nodes are then available."""
        if self._reuse is None:
            return False
        if id(declaration) in self._known:
            return True
        if id(declaration) in self._new:
            return False
        key = self._key(declaration)
        types = None if key is None else self._reuse.types.get(key)
        if types is None:
            self._new[id(declaration)] = key
            return False
        self._known.add(id(declaration))
        self._inference.types.update(types)
        for name, (expression, *_) in self._inferred(declaration):
            symbol = self._symbols[name]
            if symbol.declaration is declaration:
                symbol.type = types[id(expression)]
        return True

    @staticmethod
    def _inferred(declaration: Declaration) -> Iterable[tuple[str, tuple[Expression, ...]]]:
        """The names whose type is that of their expression."""
        form = form_of(declaration)
        return form.equations(declaration) if form.role is Role.DEFINITION else ()

    def _key(self, declaration: Declaration) -> Key | None:
        """A declaration with all that its check depends on. None if a type that it needs is not known yet."""
        form = form_of(declaration)
        if form.depends_on_program:
            return None
        symbols = self._symbols
        meanings = []
        assert self._reuse is not None
        for name in self._reuse.names(declaration):
            symbol = symbols.get(name)
            if symbol is None or symbol.type is None:
                return None
            meanings.append((symbol.kind, symbol.type))
        has_type = form.role in (Role.CONSTANT, Role.STATE)
        declared = symbols[form.name_of(declaration)].type if has_type else None
        return id(declaration), declared, symbols.modes, tuple(meanings)

    def keep(self) -> None:
        """Stores the new declarations of a program without findings."""
        if self._reuse is None:
            return
        types = self._inference.types
        for declaration in self._policy.declarations:
            key = self._new.get(id(declaration))
            if key is not None:
                self._reuse.types[key] = {
                    id(node): types[id(node)]
                    for top in expressions(declaration)
                    for node in walk(top)
                    if id(node) in types
                }
