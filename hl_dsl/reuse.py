"""What a search keeps of checking and lowering from one program to the next.

A program that was changed in memory shares most of its declarations with the one it came from: the very same objects.
What was found out about such a declaration is kept under the object and under all that it depends on, which is what
the names in it stand for. So what is found again is what would come out anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hl_dsl.syntax import Declaration, Let, Modes, Name, Policy, Previous, children, expressions, walk

if TYPE_CHECKING:
    from hl_dsl.cards import Card
    from hl_dsl.symbols import Symbols

_MOST_DECLARATIONS = 20_000


class Reuse:
    """Kept by the caller, and handed to `Program.from_syntax` for each program about one environment. It starts afresh
    where it has grown too large. `lowered` is the compiler's."""

    def __init__(self):
        self.card: Card | None = None
        self.lowered: object = None
        self._names: dict[int, tuple[Declaration, tuple[str, ...]]] = {}
        self._needed: dict[int, tuple[Declaration, tuple[Name, ...]]] = {}
        self._types: dict[tuple, dict] = {}

    def begin(self, card: "Card") -> None:
        """Called once for each program."""
        if card is not self.card or len(self._names) > _MOST_DECLARATIONS:
            self.__init__()
            self.card = card

    def names(self, declaration: Declaration) -> tuple[str, ...]:
        """All names in a declaration's expressions, each once."""
        known = self._names.get(id(declaration))
        if known is None:
            found = {node.name: None for top in expressions(declaration) for node in walk(top) if type(node) is Name}
            known = self._names[id(declaration)] = (declaration, tuple(found))
        return known[1]
