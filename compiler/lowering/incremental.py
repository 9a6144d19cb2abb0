"""Cache of lowered declarations, for programs that share declarations.

A lowered declaration records what the declaration adds to a program: the nodes it uses, its obligations, the cells of
its `previous`. Nodes have the shared builder's numbers, so the record is valid for every program in which the names in
the declaration mean the same nodes. There, lowering would use the same nodes in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from hl_dsl.compiler.ir.dataflow import Obligation
from hl_dsl.compiler.lowering.expressions import Expressions
from hl_dsl.compiler.lowering.leaves import Shared
from hl_dsl.grammar.tree.syntax_tree import Declaration
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.language.symbols import Symbol

_MOST_NODES = 100_000  # of the shared builder; then it starts empty again
Result = TypeVar("Result")


class LoweredDeclaration(NamedTuple):
    """The record of one declaration. `previous`: for each cell of a `previous`, its key, its leaf and its fields."""

    result: Any
    used: dict[int, None]
    obligations: dict[tuple[Any, ...], Obligation]
    previous: tuple[tuple[Any, int, dict[str, Any]], ...]


class IncrementalLowering(Expressions):
    """Lowering that reads and fills the cache."""

    def __init__(self, checked: CheckedProgram, reuse: DeclarationCache | None):
        if reuse is None or reuse.card is not checked.card:
            reuse, shared = None, Shared()
        else:
            shared = reuse.lowered
            if shared is None or len(shared.builder.nodes) > _MOST_NODES:
                shared = reuse.lowered = Shared()
        super().__init__(checked, shared)
        self.reuse = reuse
        self.other_meanings: dict[str, tuple[Any, ...]] = {}

    def _piece(self, declaration: Declaration, make: Callable[[], Result], *more: object) -> Result:
        """The result of `make`, which lowers the declaration and depends only on the names in it and on `more`."""
        meanings = None if self.reuse is None else self._meanings(declaration, self.reuse)
        if meanings is None:
            return make()
        key = (id(declaration), self.symbols.modes, more, meanings)
        record: LoweredDeclaration | None = self.shared.lowered.get(key)
        if record is None or not self._fits(record):
            record = self.shared.lowered[key] = self._recorded(make)
        self._take(record)
        result: Result = record.result
        return result

    def _meanings(self, declaration: Declaration, reuse: DeclarationCache) -> tuple[Any, ...] | None:
        """The meanings of the names in a declaration. None if one of them is not lowered yet."""
        values, others = self.values, self.other_meanings
        meanings: list[tuple[Any, ...]] = []
        value: tuple[Any, ...] | None
        for name in reuse.names(declaration):
            value = values.get(name) or others.get(name)
            if value is None:
                value = self._other_meaning(self.symbols[name])
                if value is None:
                    return None
                others[name] = value
            meanings.append(value)
        return tuple(meanings)

    def _other_meaning(self, symbol: Symbol) -> tuple[Any, ...] | None:
        """The meaning of a name that has no nodes of its own."""
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

    def _fits(self, record: LoweredDeclaration) -> bool:
        """Whether the cells of its `previous` are those that this program has, or would make, for it."""
        count, made = self.previous_count, set()
        for key, leaf, cell in record.previous:
            known = self.previous_cells.get(key)
            if known is None and key not in made:
                count += 1
                made.add(key)
                if cell["name"] != f"previous_{count}":
                    return False
            elif known is not None and known != leaf:
                return False
        return True

    def _take(self, record: LoweredDeclaration) -> None:
        """Adds a lowered declaration to the program."""
        self.builder.used.update(record.used)
        if self.obligations.keys().isdisjoint(record.obligations):
            self.obligations.update(record.obligations)
        else:
            for key, item in record.obligations.items():
                self.obligations.setdefault(key, item)
        for key, leaf, cell in record.previous:
            if key not in self.previous_cells:
                self.previous_count += 1
                self.previous_cells[key] = leaf
                self.cells[self.builder.nodes[leaf].value] = dict(cell)
            self.previous_met.append((key, leaf, cell["span"]))
