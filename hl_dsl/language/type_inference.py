"""Type inference of expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from hl_dsl.base.diagnostics import Repair
from hl_dsl.base.source import SourceText, Span
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
from hl_dsl.language.symbols import Symbol, Symbols
from hl_dsl.language.type_problems import (
    TypeProblem,
    Unresolved,
    mismatch,
    problem,
    unknown_function,
    written_operator,
)
from hl_dsl.language.types import BOOL, INT, REAL, Type, scalar, vector, widens
from hl_dsl.operators import OPERATORS, Operator, choose_form
from hl_dsl.operators.scalar import LARGEST_INT

Locals = Mapping[str, Type] | None


@cache
def formula_expression(operator: Operator, text: str) -> Expression:
    """A formula of the operator table, parsed. Names in it are the operator's parameters."""
    from hl_dsl.grammar.parser import parse
    from hl_dsl.grammar.tree.syntax_tree import Let

    policy = parse(SourceText(f'policy f for "f" {{ let f = {text} }}', f"<formula of {operator.name}>"))
    return next(policy.of(Let)).expression


class _Pending(Unresolved):
    """Needs the definition `name`, whose type is being found."""

    def __init__(self, name: str):
        self.name = name


class Inference:
    """Types of a program's expressions. `types` maps `id(node)` to `Type` for all nodes visited."""

    def __init__(self, symbols: Symbols, in_error: Iterable[str] = ()):
        """`in_error`: names of definitions that have no type because they need themselves."""
        self.symbols = symbols
        self.types: dict[int, Type] = {}
        self._pending: set[str] = set(in_error)
        self._results: dict[tuple[Any, ...], Type] = {}
        self._guessed: set[str] = set()

    def of(self, node: Expression, locals_: Mapping[str, Type] | None = None) -> Type:
        """The type of `node`. Raises `TypeProblem`, or `Unresolved` if the cause is elsewhere."""
        result = _RULES[type(node)](self, node, locals_)
        if locals_ is None:
            self.types[id(node)] = result
        return result

    def _name(self, node: Name, locals_: Locals) -> Type:
        if locals_ is not None and node.name in locals_:
            return locals_[node.name]
        symbol = self.symbols.get(node.name)
        if symbol is None:
            raise TypeProblem(self.symbols.unknown(node.name, node.span))
        if symbol.type is None:
            if symbol.name in self._pending:
                raise _Pending(symbol.name)
            try:
                return self.definition(symbol)
            except TypeProblem:
                raise Unresolved from None
        return symbol.type

    def definition(self, symbol: Symbol) -> Type:
        """The type of a let, which its symbol then has. Raises as `of` does.

        If it needs its own last value, the type of that is first the type of the start, and then the inferred type,
        until nothing changes.
        """
        if symbol.name in self._pending:
            return self.of(symbol.declaration.expression)
        self._pending.add(symbol.name)
        try:
            found = self.of(symbol.declaration.expression)
            taken = None
            while symbol.name in self._guessed and found is not taken:
                taken = symbol.type = found
                found = self.of(symbol.declaration.expression)
        finally:
            symbol.type = None
            self._pending.discard(symbol.name)
            self._guessed.discard(symbol.name)
        if not self._guessed:  # otherwise it depends on the guess for another definition, and is inferred again
            symbol.type = found
        return found

    def _apply(self, node: Apply, locals_: Locals) -> Type:
        operator = OPERATORS.get(node.operator)
        if operator is None or operator.internal:
            raise unknown_function(self.symbols, node)
        if len(node.operands) != operator.arity:
            wanted = "one operand" if operator.arity == 1 else f"{operator.arity} operands"
            raise problem(
                "HL304",
                f"`{operator.name}` takes {wanted}, not {len(node.operands)}",
                node.span,
                f"{operator.name}({', '.join(operator.parameters[: operator.arity])})",
            )
        operands = [self.of(operand, locals_) for operand in node.operands]
        key = (operator, *operands)
        found = self._results.get(key)
        if found is None:
            found = self._results[key] = self.result(operator, operands, node)
        return found

    def result(self, operator: Operator, operands: list[Type], node: Apply) -> Type:
        """The type of an operator applied to operands of these types."""
        if operator.fold:
            return self._fold(operator, operands[0], node)
        if operator.formula:
            return self._formula(operator, operands, node)
        sizes = {operand.size for operand in operands if operand.size is not None}
        if len(sizes) > 1:
            lengths = " and ".join(map(str, sorted(sizes)))
            raise problem(
                "HL306",
                f"`{written_operator(operator)}` is given vectors of lengths {lengths}",
                node.span,
                "lengths must agree",
            )
        chosen = choose_form(operator, tuple([operand.base for operand in operands]))
        if chosen is None:
            raise mismatch(operator, operands, node)
        if operator.name == "if" and operands[0].is_vector:
            raise problem(
                "HL307", "the condition of `if` is a vector", node.operands[0].span, "use `all(…)` or `any(…)`"
            )
        return vector(chosen[2], sizes.pop()) if sizes else scalar(chosen[2])

    def _fold(self, operator: Operator, operand: Type, node: Apply) -> Type:
        if not operand.is_vector:
            raise problem("HL308", f"`{operator.name}` takes a vector, not `{operand}`", node.span, "a single value")
        assert operator.fold is not None
        return self.result(OPERATORS[operator.fold], [operand.element, operand.element], node)

    def _formula(self, operator: Operator, operands: list[Type], node: Apply) -> Type:
        formula = formula_expression(operator, operator.formula)
        try:
            return self.of(formula, dict(zip(operator.parameters, operands)))
        except TypeProblem as inner:
            if inner.diagnostic.code in ("HL306", "HL308"):
                raise problem(
                    inner.diagnostic.code, inner.diagnostic.message, node.span, inner.diagnostic.label
                ) from None
            raise mismatch(operator, operands, node) from None

    def _number(self, node: Number, locals_: Locals) -> Type:
        if type(node.value) is float:
            return REAL
        if abs(node.value) > LARGEST_INT:
            raise problem(
                "HL403",
                "ints stay within ±2^53, so that binary64 holds them exactly",
                node.span,
                "too large for an int",
                repair=Repair(node.span, repr(float(node.value)), "write it as a real"),
            )
        return INT

    def _boolean(self, node: Boolean, locals_: Locals) -> Type:
        return BOOL

    def _vector(self, node: Vector, locals_: Locals) -> Type:
        types = [self.of(item, locals_) for item in node.items]
        base = types[0].base
        for item, type_ in zip(node.items, types):
            if type_.is_vector:
                raise problem("HL309", "a vector cannot contain a vector", item.span, f"this is `{type_}`")
            if widens(base, type_.base):
                base = type_.base
            elif not widens(type_.base, base):
                raise problem(
                    "HL309",
                    "the components of a vector differ in type",
                    item.span,
                    f"this is `{type_}`, the ones before are `{base}`",
                )
        return vector(base, len(types))

    def _index(self, node: Index, locals_: Locals) -> Type:
        vector_type = self._vector_operand(node, locals_)
        index_type = self.of(node.index, locals_)
        if index_type is not INT:
            raise problem(
                "HL310",
                f"an index is an int, not `{index_type}`",
                node.index.span,
                "round it with `floor(…)` or `round(…)`",
            )
        if isinstance(node.index, Number):
            self._within(int(node.index.value), vector_type, node.index.span)
        return vector_type.element

    def _slice(self, node: Slice, locals_: Locals) -> Type:
        vector_type = self._vector_operand(node, locals_)
        size = vector_type.length
        if not 0 <= node.start < node.stop <= size:
            opened = self.symbols.findings.source.text.rfind("[", node.span.start, node.span.end)
            fits = opened > 0 and 0 <= node.start < size < node.stop
            raise problem(
                "HL311",
                f"the slice {node.start}:{node.stop} does not fit a vector of {size}",
                node.span,
                f"0 <= start < stop <= {size}",
                repair=Repair(
                    Span(opened, node.span.end),
                    f"[{node.start}:{size}]",
                    f"write `[{node.start}:{size}]`: the end is not included",
                )
                if fits
                else None,
            )
        return vector(vector_type.base, node.stop - node.start)

    def _permute(self, node: Permute, locals_: Locals) -> Type:
        vector_type = self._vector_operand(node, locals_)
        for index in node.indices:
            self._within(index, vector_type, node.span)
        return vector(vector_type.base, len(node.indices))

    def _vector_operand(self, node: Index | Slice | Permute, locals_: Locals) -> Type:
        vector_type = self.of(node.vector, locals_)
        if not vector_type.is_vector:
            raise problem(
                "HL312", f"`{vector_type}` has no components", node.vector.span, "only a vector can be indexed"
            )
        return vector_type

    @staticmethod
    def _within(index: int, vector_type: Type, span: Span) -> None:
        if not 0 <= index < vector_type.length:
            raise problem(
                "HL311",
                f"there is no component {index} in a vector of {vector_type.length}",
                span,
                f"components are 0 to {vector_type.length - 1}",
            )

    def _previous(self, node: Previous, locals_: Locals) -> Type:
        start = self.of(node.start, locals_)
        try:
            value = self.of(node.expression, locals_)
        except _Pending as pending:
            self._guessed.add(pending.name)
            return start
        fits = widens(start.base, value.base) and (start.size in (None, value.size))
        if not fits:
            raise problem(
                "HL313", f"`previous` starts a `{value}` with a `{start}`", node.start.span, f"a `{value}` is wanted"
            )
        return value


_RULES: Mapping[type, Callable[[Inference, Any, Locals], Type]] = MappingProxyType(
    {
        Apply: Inference._apply,
        Name: Inference._name,
        Number: Inference._number,
        Boolean: Inference._boolean,
        Vector: Inference._vector,
        Index: Inference._index,
        Slice: Inference._slice,
        Permute: Inference._permute,
        Previous: Inference._previous,
    }
)
