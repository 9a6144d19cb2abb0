"""Lowering a declaration once for all programs that share it.

A *piece* is what lowering one declaration adds to a program: the nodes it asks for, its obligations, the cells of its
`previous`. Nodes have the shared builder's numbers, so the piece fits every program in which the names in the declaration
stand for the same nodes. Lowering the declaration there would ask for the same things in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hl_dsl.compiler.lowering.expressions import Expressions
from hl_dsl.compiler.lowering.leaves import Shared

from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.language.symbols import Symbol

_MOST_NODES = 100_000


class LoweredDeclaration(NamedTuple):
    """`previous`: for each cell of a `previous`, what feeds it, its leaf, its name and what else it is made of."""

    result: object
    used: dict[int, None]
    obligations: dict
    previous: tuple


class IncrementalLowering(Expressions):
    def __init__(self, checked: CheckedProgram, reuse: DeclarationCache | None):
        if reuse is None or reuse.card is not checked.card:
            reuse, shared = None, Shared()
        else:
            shared = reuse.lowered
            if shared is None or len(shared.builder.nodes) > _MOST_NODES:
                shared = reuse.lowered = Shared()
        super().__init__(checked, shared)
        self.reuse = reuse
        self.other_meanings: dict[str, tuple] = {}

    def _piece(self, declaration, make: Callable[[], object], *more: object):
        """What `make` gives, which lowers the declaration and depends on the names in it, and on `more`, only."""
        meanings = None if self.reuse is None else self._meanings(declaration)
        if meanings is None:
            return make()
        key = (id(declaration), self.symbols.modes, more, meanings)
        piece = self.shared.pieces.get(key)
        if piece is None or not self._fits(piece):
            piece = self.shared.pieces[key] = self._recorded(make)
        self._take(piece)
        return piece.result

    def _meanings(self, declaration) -> tuple | None:
        """What the names in a declaration stand for. None where one of them is not lowered yet."""
        values, others, found = self.values, self.other_meanings, []
        for name in self.reuse.names(declaration):
            value = values.get(name) or others.get(name)
            if value is None:
                value = self._other_meaning(self.symbols[name])
                if value is None:
                    return None
                others[name] = value
            found.append(value)
        return tuple(found)

    def _other_meaning(self, symbol: Symbol) -> tuple | None:
        """What is meant by a name that has no nodes of its own."""
        if symbol.kind == "observation":
            written = symbol.declaration.range
            return symbol.type, None if written is None else repr(written.values)
        return (symbol.type, symbol.declaration) if symbol.kind in ("action name", "mode name") else None

    def _recorded(self, make: Callable[[], object]) -> LoweredDeclaration:
        builder = self.builder
        outer = builder.used, self.obligations, self.previous_met
        builder.used, self.obligations, self.previous_met = {}, {}, []
        try:
            result = make()
            previous = tuple(
                (key, leaf, {**self.cells[builder.nodes[leaf].value], "span": span})
                for key, leaf, span in self.previous_met
            )
            return LoweredDeclaration(result, builder.used, self.obligations, previous)
        finally:
            builder.used, self.obligations, self.previous_met = outer

    def _fits(self, piece: LoweredDeclaration) -> bool:
        """Whether the cells of its `previous` are the ones that this program has, or would make, for it."""
        count, made = self.previous_count, set()
        for key, leaf, cell in piece.previous:
            known = self.previous_cells.get(key)
            if known is None and key not in made:
                count += 1
                made.add(key)
                if cell["name"] != f"previous_{count}":
                    return False
            elif known is not None and known != leaf:
                return False
        return True

    def _take(self, piece: LoweredDeclaration) -> None:
        """Adds a piece to the program."""
        self.builder.used.update(piece.used)
        if self.obligations.keys().isdisjoint(piece.obligations):
            self.obligations.update(piece.obligations)
        else:
            for key, item in piece.obligations.items():
                self.obligations.setdefault(key, item)
        for key, leaf, cell in piece.previous:
            if key not in self.previous_cells:
                self.previous_count += 1
                self.previous_cells[key] = leaf
                self.cells[self.builder.nodes[leaf].value] = dict(cell)
            self.previous_met.append((key, leaf, cell["span"]))
