"""What a search keeps of checking and lowering from one program to the next.

A program that was changed in memory shares most of its declarations with the one it came from: the very same objects.
What was found out about such a declaration is kept under the object and under all that it depends on, which is what
the names in it stand for. So what is found again is what would come out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import Declaration, Expression, PolicyDeclaration, expressions, names_used, walk

if TYPE_CHECKING:
    from hl_dsl.cards import Card
    from hl_dsl.language.symbols import Symbols
    from hl_dsl.language.type_inference import Inference
    from hl_dsl.language.types import Type

_MOST_DECLARATIONS = 20_000


class DeclarationCache:
    """Kept by the caller, and handed to `Program.from_syntax` for each program about one environment. It serves one
    operator table, and starts afresh where it has grown too large. `lowered` is the compiler's."""

    def __init__(self):
        self.card: Card | None = None
        self.lowered: object = None
        self.types: dict[tuple, dict[int, Type]] = {}
        # Under a declaration's identity, with the declaration, so that it lives as long as its entry.
        self._names: dict[int, tuple[Declaration, tuple[str, ...]]] = {}
        self._needed: dict[int, tuple[Declaration, tuple]] = {}

    def begin(self, card: Card) -> None:
        """Called once for each program."""
        if card is not self.card or len(self._names) > _MOST_DECLARATIONS:
            self.__init__()
            self.card = card

    def names(self, declaration: Declaration) -> tuple[str, ...]:
        """All names in a declaration's expressions, each once."""
        known = self._names.get(id(declaration))
        if known is None:
            known = self._names[id(declaration)] = (declaration, tuple(dict.fromkeys(names_used(declaration))))
        return known[1]

    def needed(self, declaration: Declaration, find: Callable[[Declaration], tuple]) -> tuple:
        """What `find` gives for a declaration."""
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
        self._new: dict[int, tuple | None] = {}

    def knows(self, declaration: Declaration) -> bool:
        """Whether there is nothing to be said about a declaration. The types of its nodes are then at hand."""
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

    def _key(self, declaration: Declaration) -> tuple | None:
        """A declaration with all that its check depends on. None where a type it needs is not known yet."""
        form = form_of(declaration)
        if form.depends_on_program:
            return None
        symbols = self._symbols
        meanings = []
        for name in self._reuse.names(declaration):
            symbol = symbols.get(name)
            if symbol is None or symbol.type is None:
                return None
            meanings.append((symbol.kind, symbol.type))
        declared = symbols[declaration.name].type if form.role in (Role.CONSTANT, Role.STATE) else None
        return id(declaration), declared, symbols.modes, tuple(meanings)

    def keep(self) -> None:
        """Keeps what was new in a program in which nothing was found."""
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
