"""Ranges of expressions by interval arithmetic over the declared ranges."""

from __future__ import annotations

from collections.abc import Mapping

from hl_dsl.grammar.tree.syntax_tree import (
    Apply,
    Boolean,
    Expression,
    Index,
    Name,
    Number,
    Permute,
    Previous,
    Slice,
    Vector,
)
from hl_dsl.language.type_inference import formula_expression
from hl_dsl.operators import OPERATORS, choose_form
from hl_dsl.synth.mutation.scope import Scope

_DEEPEST = 20

Ranged = tuple  # (base, low, high); all components of a vector together


class Ranges:
    """Ranges of a program's expressions; memory has its declared range."""

    def __init__(self, scope: Scope):
        self.scope = scope
        self._lets: dict[str, tuple[Ranged, int]] = {}  # with how many levels its expressions are deep
        self._deepest = 0
        self._fields: dict[str, Ranged] = {}

    def of(self, expression: Expression) -> tuple[float, float] | None:
        """(low, high), or None where it is unbounded, not a number, or not known."""
        self._deepest = 0
        try:
            _, low, high = self._of(expression, {}, 0)
        except (LookupError, ArithmeticError, RecursionError):
            return None
        return (low, high) if -1e15 < low <= high < 1e15 else None

    def _of(self, node: Expression, locals_: Mapping[str, Ranged], depth: int) -> Ranged:
        if depth > self._deepest:
            if depth > _DEEPEST:
                raise LookupError
            self._deepest = depth
        if type(node) is Number:
            return ("int" if type(node.value) is int else "real", node.value, node.value)
        if type(node) is Boolean:
            return ("bool", int(node.value), int(node.value))
        if type(node) is Name:
            return locals_[node.name] if node.name in locals_ else self._named(node.name, depth)
        if isinstance(node, (Index, Slice, Permute)):
            return self._of(node.vector, locals_, depth + 1)
        if type(node) is Previous:
            return self._joined(
                [self._of(node.expression, locals_, depth + 1), self._of(node.start, locals_, depth + 1)]
            )
        if type(node) is Vector:
            return self._joined([self._of(item, locals_, depth + 1) for item in node.items])
        if type(node) is Apply:
            return self._apply(node, locals_, depth)
        raise LookupError

    def _apply(self, node: Apply, locals_: Mapping[str, Ranged], depth: int) -> Ranged:
        row = OPERATORS[node.operator]
        operands = [self._of(operand, locals_, depth + 1) for operand in node.operands]
        if row.formula:
            return self._of(formula_expression(row, row.formula), dict(zip(row.parameters, operands)), depth + 1)
        if row.fold:
            operands, row = [operands[0], operands[0]], OPERATORS[row.fold]
        chosen = choose_form(row, tuple(base for base, _, _ in operands))
        if chosen is None:
            raise LookupError
        form, bases, base = chosen
        given = [
            (float(low), float(high)) if wanted == "real" else (low, high)
            for (_, low, high), wanted in zip(operands, bases)
        ]
        return (base, *form.interval(*given))

    def _named(self, name: str, depth: int) -> Ranged:
        symbol = self.scope.symbols.get(name)
        if symbol is not None and symbol.kind in ("param", "memory") and symbol.type is not None:
            written = symbol.range
            if written is None:
                return (symbol.type.base, 0, 1 if symbol.type.base == "bool" else 20)
            return (symbol.type.base, min(written.values[0]), max(written.values[1]))
        if symbol is not None and symbol.kind == "let":
            return self._let(name, symbol.declaration.expression, depth)
        if symbol is not None and symbol.kind in ("action name", "mode name") and symbol.type is not None:
            return (symbol.type.base, symbol.declaration, symbol.declaration)
        if name in ("action", "mode"):
            names = self.scope.constants.get(name) or ()
            space = self.scope.program.card.action
            return (name, 0, len(names)) if names else ("real", min(space.low), max(space.high))
        if name not in self._fields:
            self._fields[name] = self._observation(name)
        return self._fields[name]

    def _let(self, name: str, expression: Expression, depth: int) -> Ranged:
        known = self._lets.get(name)
        if known is None or depth + known[1] > _DEEPEST:
            outer, self._deepest = self._deepest, depth
            known = self._lets[name] = self._of(expression, {}, depth + 1), self._deepest - depth
            self._deepest = outer
        self._deepest = max(self._deepest, depth + known[1])
        return known[0]

    def _observation(self, name: str) -> Ranged:
        field = self.scope.program.card.fields[name]
        item = self.scope.symbols.observed.get(name)
        if item is not None and item[0].range is not None:
            return (field.base, min(item[0].range.values[0]), max(item[0].range.values[1]))
        return (field.base, min(field.low), max(field.high))

    @staticmethod
    def _joined(parts: list[Ranged]) -> Ranged:
        base = "real" if any(part[0] == "real" for part in parts) else parts[0][0]
        return (base, min(part[1] for part in parts), max(part[2] for part in parts))
