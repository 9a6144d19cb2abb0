"""Operand and result types of each row of the operator table, from type inference.

No operator is named here: a new row takes part in the search as soon as it is in the table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import product
from typing import cast

from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean
from hl_dsl.language.symbols import Symbols
from hl_dsl.language.type_inference import Inference
from hl_dsl.language.type_problems import TypeProblem
from hl_dsl.language.types import Type, scalar, vector
from hl_dsl.operators import OPERATORS, Operator

_BASES = ("real", "int", "bool", "action", "mode")
_ANY_SIZE = 3  # a vector of this length represents vectors of every length
_MOST_OPERANDS = 3
# Weight of a row relative to a call that the solver encodes exactly.
_WRITTEN_BETWEEN, _INEXACT = 3.0, 0.5


@dataclass(frozen=True)
class Signature:
    """A row with operand types. All its vectors have the same, arbitrary, length. `weight`: relative frequency."""

    row: Operator
    operands: tuple[Type, ...]
    result: Type
    weight: float

    @cached_property
    def enumerations(self) -> tuple[str, ...]:
        """The enumerations among its operands."""
        return tuple(type_.base for type_ in self.operands if type_.is_enumeration)

    def sized(self, size: int) -> tuple[Type, ...]:
        """The operand types where vectors have this length."""
        return tuple(vector(type_.base, size) if type_.is_vector else type_ for type_ in self.operands)


def any_size(type_: Type) -> Type:
    """The type as it occurs in signatures."""
    return vector(type_.base, _ANY_SIZE) if type_.is_vector else type_


def giving(result: Type) -> tuple[Signature, ...]:
    """All signatures with this result."""
    return _by_result(tuple(map(id, OPERATORS.values()))).get(any_size(result), ())


def keeping(type_: Type) -> tuple[tuple[Signature, int], ...]:
    """Signatures with this result and an operand of the same type, with its position: wrappers of an expression."""
    wanted = any_size(type_)
    return tuple(
        (one, place) for one in giving(type_) for place, operand in enumerate(one.operands) if operand is wanted
    )


def alike(row: str, operands: tuple[Type, ...], result: Type) -> tuple[Signature, ...]:
    """Signatures of other rows with the same operand types and result."""
    given, wanted = tuple(map(any_size, operands)), any_size(result)
    return tuple(
        one for one in giving(result) if one.row.name != row and one.operands == given and one.result is wanted
    )


@lru_cache(maxsize=4)
def _by_result(table: tuple[int, ...]) -> dict[Type, tuple[Signature, ...]]:
    """Signatures by result. `table` has the identities of the rows; hashing the rows at each draw would cost more."""
    found: dict[Type, list[Signature]] = {}
    for row in OPERATORS.values():
        if not row.internal and row.arity <= _MOST_OPERANDS:
            for one in _signatures(row):
                found.setdefault(one.result, []).append(one)
    return {result: tuple(every) for result, every in found.items()}


@cache
def _signatures(row: Operator) -> tuple[Signature, ...]:
    weight = _WRITTEN_BETWEEN if row.syntax.kind != "call" else 1.0
    if row.forms and row.forms[0].z3 is None:
        weight *= _INEXACT
    place = Apply(row.name, (Boolean(False),) * row.arity)
    types = [scalar(base) for base in _BASES] + [vector(base, _ANY_SIZE) for base in _BASES[:3]]
    found = []
    for operands in product(types, repeat=row.arity):
        with suppress(TypeProblem):
            found.append((operands, Inference(cast(Symbols, {})).result(row, list(operands), place)))
    # A row is drawn as often as another however many signatures it has.
    counts: dict[Type, int] = {}
    for _, result in found:
        counts[result] = counts.get(result, 0) + 1
    return tuple(Signature(row, operands, result, weight / counts[result]) for operands, result in found)
