"""Types of expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
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
from hl_dsl.language.types import BOOL, INT, REAL, Type, scalar, vector, widens
from hl_dsl.operators import OPERATORS, Operator, choose_form
from hl_dsl.operators.scalar import LARGEST_INT


class TypeProblem(Exception):
    def __init__(self, diagnostic: Diagnostic):
        self.diagnostic = diagnostic


class Unresolved(Exception):
    """Hangs on a definition that is itself in error; that one has been reported."""


class _Pending(Unresolved):
    """Needs the definition `name`, whose type is being found."""

    def __init__(self, name: str):
        self.name = name


@cache
def formula_expression(operator: Operator, text: str) -> Expression:
    """A formula of the operator table, parsed. Names in it are the operator's parameters."""
    from hl_dsl.grammar.parser import parse
    from hl_dsl.grammar.tree.syntax_tree import Let

    policy = parse(SourceText(f'policy f for "f" {{ let f = {text} }}', f"<formula of {operator.name}>"))
    return next(policy.of(Let)).expression


def _problem(code: str, message: str, span: Span, label: str = "", **rest) -> TypeProblem:
    return TypeProblem(Diagnostic(code, message, span, label, **rest))


def _shown(operator: Operator) -> str:
    """The operator as it is written."""
    return operator.syntax.token or operator.name


class Inference:
    """Types of a program's expressions. `types` maps `id(node)` to `Type` for all nodes visited."""

    def __init__(self, symbols: Symbols, in_error: Iterable[str] = ()):
        """`in_error`: names of definitions that have no type because they need themselves."""
        self.symbols = symbols
        self.types: dict[int, Type] = {}
        self._pending: set[str] = set(in_error)
        self._results: dict[tuple, Type] = {}
        self._guessed: set[str] = set()

    def of(self, node: Expression, locals_: Mapping[str, Type] | None = None) -> Type:
        """The type of `node`. Raises `TypeProblem`, or `Unresolved` where the cause is elsewhere."""
        kind = type(node)
        if kind is Apply:
            result = self._apply(node, locals_)
        elif kind is Number:
            result = self._number(node)
        elif kind is Name:
            result = self._name(node, locals_)
        else:
            result = _RULES[kind](self, node, locals_)
        if locals_ is None:
            self.types[id(node)] = result
        return result

    def _name(self, node: Name, locals_) -> Type:
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

        Where it needs its own last value, that is first taken to be of the start's type, and then of what comes out,
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
        if not self._guessed:  # else it rests on what another one was taken to be, and is asked for again
            symbol.type = found
        return found

    def _apply(self, node: Apply, locals_) -> Type:
        operator = OPERATORS.get(node.operator)
        if operator is None or operator.internal:
            raise self._unknown_function(node)
        if len(node.operands) != operator.arity:
            wanted = "one operand" if operator.arity == 1 else f"{operator.arity} operands"
            raise _problem(
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
            raise _problem(
                "HL306", f"`{_shown(operator)}` is given vectors of lengths {lengths}", node.span, "lengths must agree"
            )
        chosen = choose_form(operator, tuple([operand.base for operand in operands]))
        if chosen is None:
            raise self._mismatch(operator, operands, node)
        if operator.name == "if" and operands[0].is_vector:
            raise _problem(
                "HL307", "the condition of `if` is a vector", node.operands[0].span, "use `all(…)` or `any(…)`"
            )
        return vector(chosen[2], sizes.pop()) if sizes else scalar(chosen[2])

    def _fold(self, operator: Operator, operand: Type, node: Apply) -> Type:
        if not operand.is_vector:
            raise _problem("HL308", f"`{operator.name}` takes a vector, not `{operand}`", node.span, "a single value")
        return self.result(OPERATORS[operator.fold], [operand.element, operand.element], node)

    def _formula(self, operator: Operator, operands: list[Type], node: Apply) -> Type:
        formula = formula_expression(operator, operator.formula)
        try:
            return self.of(formula, dict(zip(operator.parameters, operands)))
        except TypeProblem as inner:
            if inner.diagnostic.code in ("HL306", "HL308"):
                raise _problem(
                    inner.diagnostic.code, inner.diagnostic.message, node.span, inner.diagnostic.label
                ) from None
            raise self._mismatch(operator, operands, node) from None

    def _mismatch(self, operator: Operator, operands: list[Type], node: Apply) -> TypeProblem:
        wanted = operator.forms[0].operands if operator.forms else ()
        for operand, type_, base in zip(node.operands, operands, wanted):
            if base == "bool" and type_.base != "bool":
                is_simple = (
                    type(operand) in (Name, Index)
                    and type_.base in ("int", "real")
                    and not type_.is_vector
                    and operand.span.end
                )
                end = operand.span.end
                return _problem(
                    "HL303",
                    f"`{_shown(operator)}` wants a truth value here, not `{type_}`",
                    operand.span,
                    f"this is `{type_}`",
                    repair=Repair(Span(end, end), " != 0", "compare it: `… != 0`") if is_simple else None,
                )
        pairs = [
            (operand, type_)
            for operand, type_, base in zip(node.operands, operands, wanted or ["any"] * len(operands))
            if base != "bool"
        ]
        bases = {type_.base for _, type_ in pairs}
        hint = "these types do not go together"
        if any(form.operands == ("int",) * len(operands) for form in operator.forms) and bases <= {"int", "real"}:
            hint = "whole numbers are wanted: round with `floor(…)` or `round(…)`"
        elif "bool" in bases and bases & {"int", "real"}:
            hint = "write `if b then 1 else 0` to count with a truth value"
        shown = " and ".join(f"`{type_}`" for _, type_ in pairs)
        labels = tuple(Label(operand.span, f"this is `{type_}`") for operand, type_ in pairs if operand.span.end)
        return _problem("HL303", f"`{_shown(operator)}` cannot be applied to {shown}", node.span, hint, others=labels)

    def _unknown_function(self, node: Apply) -> TypeProblem:
        place = Span(node.span.start, node.span.start + len(node.operator))
        symbol = self.symbols.get(node.operator)
        if symbol is not None:
            is_vector = symbol.type is not None and symbol.type.is_vector and len(node.operands) == 1
            label = "components are named in square brackets: `x[0]`" if is_vector else "a value, not a function"
            return _problem(
                "HL217",
                f"`{node.operator}` is no function",
                place,
                label,
                repair=self._indexed(node) if is_vector else None,
            )
        names = [row.name for row in OPERATORS.values() if row.syntax.kind == "call" and not row.internal] + [
            "previous"
        ]
        near = self.symbols.findings.nearest(node.operator, names)
        return _problem(
            "HL203",
            f"unknown function `{node.operator}`",
            place,
            "not in the language",
            expected=tuple(sorted(names)),
            repair=Repair(place, near, f"did you mean `{near}`?") if near else None,
        )

    def _indexed(self, node: Apply) -> Repair | None:
        text = self.symbols.findings.source.text[node.span.start : node.span.end]
        inside = text[len(node.operator) :].strip()
        if not (inside.startswith("(") and inside.endswith(")")):
            return None
        written = f"{node.operator}[{inside[1:-1]}]"
        return Repair(node.span, written, f"write `{written}`")

    @staticmethod
    def _number(node: Number) -> Type:
        if type(node.value) is float:
            return REAL
        if abs(node.value) > LARGEST_INT:
            raise _problem(
                "HL403",
                "ints stay within ±2^53, so that binary64 holds them exactly",
                node.span,
                "too large for an int",
                repair=Repair(node.span, repr(float(node.value)), "write it as a real"),
            )
        return INT

    def _boolean(self, node: Boolean, locals_) -> Type:
        return BOOL

    def _vector(self, node: Vector, locals_) -> Type:
        types = [self.of(item, locals_) for item in node.items]
        base = types[0].base
        for item, type_ in zip(node.items, types):
            if type_.is_vector:
                raise _problem("HL309", "a vector cannot stand inside a vector", item.span, f"this is `{type_}`")
            if widens(base, type_.base):
                base = type_.base
            elif not widens(type_.base, base):
                raise _problem(
                    "HL309",
                    "the components of a vector differ in type",
                    item.span,
                    f"this is `{type_}`, the ones before are `{base}`",
                )
        return vector(base, len(types))

    def _index(self, node: Index, locals_) -> Type:
        vector_type = self._vector_operand(node, locals_)
        index_type = self.of(node.index, locals_)
        if index_type is not INT:
            raise _problem(
                "HL310",
                f"an index is an int, not `{index_type}`",
                node.index.span,
                "round it with `floor(…)` or `round(…)`",
            )
        if type(node.index) is Number:
            self._within(node.index.value, vector_type, node.index.span)
        return vector_type.element

    def _slice(self, node: Slice, locals_) -> Type:
        vector_type = self._vector_operand(node, locals_)
        if not 0 <= node.start < node.stop <= vector_type.size:
            size = vector_type.size
            opened = self.symbols.findings.source.text.rfind("[", node.span.start, node.span.end)
            fits = opened > 0 and 0 <= node.start < size < node.stop
            raise _problem(
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

    def _permute(self, node: Permute, locals_) -> Type:
        vector_type = self._vector_operand(node, locals_)
        for index in node.indices:
            self._within(index, vector_type, node.span)
        return vector(vector_type.base, len(node.indices))

    def _vector_operand(self, node, locals_) -> Type:
        vector_type = self.of(node.vector, locals_)
        if not vector_type.is_vector:
            raise _problem(
                "HL312", f"`{vector_type}` has no components", node.vector.span, "only a vector can be indexed"
            )
        return vector_type

    @staticmethod
    def _within(index: int, vector_type: Type, span: Span) -> None:
        if not 0 <= index < vector_type.size:
            raise _problem(
                "HL311",
                f"there is no component {index} in a vector of {vector_type.size}",
                span,
                f"components are 0 to {vector_type.size - 1}",
            )

    def _previous(self, node: Previous, locals_) -> Type:
        start = self.of(node.start, locals_)
        try:
            value = self.of(node.expression, locals_)
        except _Pending as pending:
            self._guessed.add(pending.name)
            return start
        fits = widens(start.base, value.base) and (start.size in (None, value.size))
        if not fits:
            raise _problem(
                "HL313", f"`previous` starts a `{value}` with a `{start}`", node.start.span, f"a `{value}` is wanted"
            )
        return value


_RULES = {
    Boolean: Inference._boolean,
    Vector: Inference._vector,
    Index: Inference._index,
    Slice: Inference._slice,
    Permute: Inference._permute,
    Previous: Inference._previous,
}
