"""Well-typed expressions of any type, over the names in scope and every row of the operator table."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

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
    children,
    with_children,
)
from hl_dsl.language.symbols import Symbols
from hl_dsl.language.type_inference import Inference, formula_expression
from hl_dsl.language.types import INT, REAL, Type, scalar, vector
from hl_dsl.operators import Operator
from tests.support.generators.choices import Choices
from tests.support.generators.signatures import Signature, grows, signatures, sized, yielding

INTS = (0, 1, 2, -1, 3, 7, 100, 255, -128, 1000)
REALS = (0.0, 1.0, -1.0, 0.5, -0.0, 0.1, 2.5, -3.25, 100.0, 1e-3, 3.141592653589793, 1e6)
LONGEST = 3  # components of a generated vector
_SMALL_REAL, _SMALL_INT = 20.0, 1000  # where operands are held when a row's result could grow too large


def clamped(expression: Expression, low, high) -> Apply:
    return Apply("clamp", (expression, Number(low), Number(high)))


def _away_from_zero(operand: Expression, type_: Type) -> Expression:
    return Apply("max", (Apply("abs", (operand,)), Number(0.5 if type_.base == "real" else 1)))


def _size(operand: Expression, type_: Type) -> Expression:
    return Apply("abs", (operand,))


# What a row requires -> how to make an operand such that it holds: (operand's position, how). Keyed by the
# requirement's own formula, so that a row with the same requirement needs nothing here; one with another
# requirement is put behind an `if` with that requirement as its condition.
_MADE_TO_HOLD: dict[str, tuple[int, Callable]] = {"b != 0": (1, _away_from_zero), "a >= 0": (0, _size)}
_ORDERED = ("low <= high", "low < high")


class ExpressionWriter:
    """Writes expressions from `choices`.

    `types` has the type of every name that may be used; `literals` the names of an enumeration. `later` are names that
    only `previous` may use here (the action, while it is not decided yet). wild: neither operands nor requirements are
    guarded.
    """

    def __init__(self, choices: Choices, literals: dict[str, tuple[str, ...]], wild: bool):
        self.choices, self.literals, self.wild = choices, literals, wild
        self.below, self.pick, self.chance = choices.below, choices.pick, choices.chance
        self.types: dict[str, Type] = {}
        self.later: dict[str, Type] = {}
        self._rows: dict[Type, list[tuple[Operator, list[Signature]]]] = {}
        self._constants = {name: scalar(base) for base, names in literals.items() for name in names}

    def named(self, type_: Type) -> list[Name]:
        return [Name(name) for name, held in self.types.items() if held is type_]

    def type_of(self, expression: Expression) -> Type:
        """The type the checker will give it."""
        return Inference(cast(Symbols, {})).of(expression, {**self._constants, **self.later, **self.types})

    # leaves

    def literal(self, type_: Type) -> Expression:
        if type_.is_vector:
            return Vector(tuple(self.literal(type_.element) for _ in range(type_.length)))
        if type_.base == "bool":
            return Boolean(self.chance(50))
        if type_.is_enumeration:
            return Name(self.pick(self.literals[type_.base]))
        if type_.base == "int":
            return Number(self.pick(INTS))
        if self.chance(30):
            return Number(self.choices.real(-50.0, 50.0))
        return Number(self.pick(REALS))

    def leaf(self, type_: Type) -> Expression:
        """Mostly a name or a part of one: constants fold away, and then nothing is left to compare."""
        named, longer = self.named(type_), self._longer(type_)
        ways = [lambda: self.literal(type_)]
        if type_.is_vector:
            ways += [lambda: Vector(tuple(self.leaf(type_.element) for _ in range(type_.length)))] * 3
        if type_ is REAL and self.named(INT):
            ways.append(lambda: self.pick(self.named(INT)))
        if longer:
            ways += [lambda: self._part(type_, longer)] * 4
        if named:
            ways += [lambda: self.pick(named)] * 8
        return self.pick(ways)()

    def _longer(self, type_: Type) -> list[tuple[Name, Type]]:
        """Vectors in scope that hold enough components of the type."""
        return [
            (Name(name), held)
            for name, held in self.types.items()
            if held.is_vector and held.base == type_.base and held.length >= type_.length and held is not type_
        ]

    def _part(self, type_: Type, longer: list[tuple[Name, Type]]) -> Expression:
        whole, held = self.pick(longer)
        if not type_.is_vector:
            return Index(whole, Number(self.below(held.length)))
        if self.chance(50):
            return Permute(whole, tuple(self.below(held.length) for _ in range(type_.length)))
        start = self.below(held.size - type_.size + 1)
        return Slice(whole, start, start + type_.length)

    # branches

    def of(self, type_: Type, depth: int) -> Expression:
        """An expression that may stand where a value of the type is wanted (an int may, for a real)."""
        if depth <= 0:
            return self.leaf(type_)
        way = self.below(20)
        if way < 3:
            return self.leaf(type_)
        if way == 3:
            return self._built(type_, depth) if type_.is_vector else self._component(type_, depth)
        if way == 4:
            return self.previous(type_, depth)
        if way == 5 and type_.is_vector:
            return self._rearranged(type_, depth)
        if way == 6 and type_ is REAL:
            return self.of(INT, depth - 1)
        row, fitting = self.pick(self._yielding(type_))
        return self.apply(row, self.pick(fitting), type_.size, depth)

    def _yielding(self, type_: Type) -> list[tuple[Operator, list[Signature]]]:
        known = self._rows.get(type_)
        if known is None:
            known = [
                (row, fitting)
                for row, every in yielding(type_)
                if (fitting := [one for one in every if self._writable(one)])
            ]
            self._rows[type_] = known
        return known

    def _writable(self, signature: Signature) -> bool:
        """Whether the program has the enumerations the operands need."""
        return all(not operand.is_enumeration or operand.base in self.literals for operand in signature.operands)

    def using(self, row: Operator, depth: int) -> Expression:
        """An application of one row, to operands and with a result of any types it takes."""
        signature = self.pick([one for one in signatures(row) if self._writable(one)])
        return self.apply(row, signature, 1 + self.below(LONGEST) if signature.result.is_vector else None, depth)

    def apply(self, row: Operator, signature: Signature, size: int | None, depth: int) -> Expression:
        size = size or 1 + self.below(LONGEST)
        types = [sized(operand, size) for operand in signature.operands]
        operands = [self.of(type_, depth - 1) for type_ in types]
        if row.syntax.kind == "prefix" and type(operands[0]) is Number:  # what is written `-1` is read as a literal
            return Number(-operands[0].value)
        if self.wild:
            return Apply(row.name, tuple(operands))
        if grows(row, tuple(type_.base for type_ in types)):
            operands = [self._tamed(operand, type_) for operand, type_ in zip(operands, types)]
        result = sized(signature.result, size)
        conditions = []
        for requirement in row.requires:
            way = _MADE_TO_HOLD.get(requirement.formula)
            if way is not None and (result.base == "real" or self.chance(70)):
                operands[way[0]] = way[1](operands[way[0]], types[way[0]])
            elif requirement.formula in _ORDERED and self.chance(80):
                self._order(row, requirement.formula, types, operands)
            else:
                conditions.append(self._condition(row, requirement.formula, operands, types))
        applied: Expression = Apply(row.name, tuple(operands))
        for condition in conditions:
            applied = Apply("if", (condition, applied, self.literal(result)))
        return applied

    def _tamed(self, operand: Expression, type_: Type) -> Expression:
        if type_.base == "real":
            return clamped(operand, -_SMALL_REAL, _SMALL_REAL)
        return clamped(operand, -_SMALL_INT, _SMALL_INT) if type_.base == "int" else operand

    def _order(self, row: Operator, formula: str, types: list[Type], operands: list[Expression]) -> None:
        """Puts rising literals in the places that are required to be in order."""
        ordered = _names(formula_expression(row, formula))
        value = self.pick(INTS[:7])
        for position, (parameter, type_) in enumerate(zip(row.parameters, types)):
            if parameter in ordered:
                literal = Number(value if type_.base == "int" else float(value))
                operands[position] = Vector((literal,) * type_.length) if type_.is_vector else literal
                value += 1 + self.below(40)

    def _condition(self, row: Operator, formula: str, operands: list[Expression], types: list[Type]) -> Expression:
        """The requirement itself, over the operands, to stand as the condition of an `if` around the row."""
        by_name = dict(zip(row.parameters, operands))
        condition = _substituted(formula_expression(row, formula), by_name)
        used = _names(formula_expression(row, formula))
        if any(type_.is_vector for name, type_ in zip(row.parameters, types) if name in used):
            return Apply("all", (condition,))
        return condition

    def _component(self, type_: Type, depth: int) -> Expression:
        index = self.of(INT, depth - 1)
        if type(index) is Number:  # a literal index is checked, not guarded
            index = Number(self.below(LONGEST))
        elif not self.wild:
            index = clamped(index, 0, LONGEST - 1)
        return Index(self.of(_longest(type_), depth - 1), index)

    def _built(self, type_: Type, depth: int) -> Expression:
        return Vector(tuple(self.of(type_.element, depth - 1) for _ in range(type_.length)))

    def _rearranged(self, type_: Type, depth: int) -> Expression:
        whole = self.of(_longest(type_), depth - 1)
        if self.chance(50):
            return Permute(whole, tuple(self.below(LONGEST) for _ in range(type_.length)))
        start = self.below(LONGEST - type_.length + 1)
        return Slice(whole, start, start + type_.length)

    def previous(self, type_: Type, depth: int) -> Expression:
        later = [Name(name) for name, held in self.later.items() if held is type_]
        inner = self.pick(later) if later and self.chance(60) else self.of(type_, depth - 1)
        return Previous(inner, self.literal(self.type_of(inner)))


def _longest(type_: Type) -> Type:
    return vector(type_.base, LONGEST)


def _names(expression: Expression) -> set[str]:
    if type(expression) is Name:
        return {expression.name}
    return set().union(*map(_names, children(expression)))


def _substituted(expression: Expression, by_name: dict[str, Expression]) -> Expression:
    if type(expression) is Name:
        return by_name[expression.name]
    return with_children(expression, tuple(_substituted(child, by_name) for child in children(expression)))
