"""The types each row of the operator table takes and gives, found by asking the checker.

Nothing here names an operator, so a new row is generated as soon as it is in the table.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from itertools import product
from typing import NamedTuple, cast

from hl_dsl.grammar.tree.syntax_tree import Apply, Number
from hl_dsl.language.symbols import Symbols
from hl_dsl.language.type_inference import Inference
from hl_dsl.language.type_problems import TypeProblem
from hl_dsl.language.types import Type, scalar, vector
from hl_dsl.operators import OPERATORS, Operator, choose_form

BASES = ("real", "int", "bool", "action", "mode")
_SHOWN_SIZE = 3  # the length that represents any length in a signature
_MOST_OPERANDS = 3

# Where operands of this size give a result beyond these, the generator tames the operands first.
_WIDEST_REAL, _WIDEST_INT = 1e30, 10**6
_LARGEST_REAL, _LARGEST_INT = 1e100, 10**9


class Signature(NamedTuple):
    """`operands` and `result` are types in which every vector has the same, arbitrary, length."""

    operands: tuple[Type, ...]
    result: Type


def sized(type_: Type, size: int) -> Type:
    """The type with its representative length replaced by `size`."""
    return vector(type_.base, size) if type_.is_vector else type_


def pattern(type_: Type) -> Type:
    """The type with its length replaced by the representative one."""
    return vector(type_.base, _SHOWN_SIZE) if type_.is_vector else type_


def rows() -> list[Operator]:
    """Every operator a program can write, in the order of the table."""
    return [row for row in OPERATORS.values() if not row.internal]


@cache
def signatures(row: Operator) -> tuple[Signature, ...]:
    """All operand types that the checker accepts for a row, with the result type."""
    if row.arity > _MOST_OPERANDS:
        raise NotImplementedError(f"`{row.name}` takes {row.arity} operands: raise the limit of the generator")
    types = [*map(scalar, BASES), *(vector(base, _SHOWN_SIZE) for base in BASES)]
    place = Apply(row.name, (Number(0),) * row.arity)
    found = []
    for operands in product(types, repeat=row.arity):
        with suppress(TypeProblem):
            found.append(Signature(operands, Inference(cast(Symbols, {})).result(row, list(operands), place)))
    return tuple(found)


def yielding(wanted: Type) -> list[tuple[Operator, list[Signature]]]:
    """The rows that can give a value of the type, each with the signatures that do."""
    result = pattern(wanted)
    return [(row, fitting) for row in rows() if (fitting := _fitting(row, result))]


@cache
def _fitting(row: Operator, result: Type) -> list[Signature]:
    return [one for one in signatures(row) if one.result is result]


@cache
def grows(row: Operator, bases: tuple[str, ...]) -> bool:
    """Whether wide operands of these bases can give a result that later arithmetic could overflow on."""
    chosen = choose_form(row, bases) if row.forms else None
    if chosen is None:
        return False
    form, widened, _ = chosen
    low, high = form.interval(*map(_wide, widened))
    limit = _LARGEST_INT if form.result == "int" else _LARGEST_REAL
    return not (-limit <= low and high <= limit)


def _wide(base: str) -> tuple:
    if base == "real":
        return (-_WIDEST_REAL, _WIDEST_REAL)
    return (-_WIDEST_INT, _WIDEST_INT) if base == "int" else (0, 1)
