"""Values of any expression on recorded ticks, so that a mutation can select useful edits before a step is taken.

A recording is optional: without one, `values` gives None and mutations fall back on declared ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

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

Column = Sequence  # one value for each sampled tick


class RecordedValues(NamedTuple):
    """`columns`: one for each component of the value; `base` as in types, an enumeration's being its name."""

    base: str
    columns: Sequence[Column]


class Unknown(Exception):
    """An expression whose values cannot be computed from the samples."""


class Columns:
    """Evaluates expressions on sampled ticks.

    `named` gives the values of names and of an enumeration's names (as their positions); `starts` are the positions
    of samples that do not follow on the one before: there `previous(x, start)` is taken as x itself.
    """

    def __init__(self, named: Mapping[str, RecordedValues], starts: Sequence[int], length: int):
        self.named, self.length = named, length
        self._before = [max(0, position - 1) for position in range(length)]
        for position in starts:
            self._before[position] = position

    def of(self, expression: Expression) -> list | None:
        """The values of a scalar expression, or None if they cannot be computed."""
        try:
            found = self._of(expression, {})
        except (Unknown, LookupError, ArithmeticError):
            return None
        return list(found.columns[0]) if len(found.columns) == 1 else None

    def _of(self, node: Expression, locals_: Mapping[str, RecordedValues]) -> RecordedValues:
        return _RULES[type(node)](self, node, locals_)

    def _number(self, node: Number, locals_) -> RecordedValues:
        return RecordedValues("int" if type(node.value) is int else "real", ([node.value] * self.length,))

    def _boolean(self, node: Boolean, locals_) -> RecordedValues:
        return RecordedValues("bool", ([node.value] * self.length,))

    def _name(self, node: Name, locals_) -> RecordedValues:
        found = locals_.get(node.name) or self.named.get(node.name)
        if found is None:
            raise Unknown(node.name)
        return found

    def _index(self, node: Index, locals_) -> RecordedValues:
        whole = self._of(node.vector, locals_)
        if type(node.index) is Number:
            return RecordedValues(whole.base, (whole.columns[int(node.index.value)],))
        last = len(whole.columns) - 1
        picked = [min(max(index, 0), last) for index in self._of(node.index, locals_).columns[0]]
        return RecordedValues(whole.base, ([whole.columns[index][tick] for tick, index in enumerate(picked)],))

    def _slice(self, node: Slice, locals_) -> RecordedValues:
        whole = self._of(node.vector, locals_)
        return RecordedValues(whole.base, whole.columns[node.start : node.stop])

    def _permute(self, node: Permute, locals_) -> RecordedValues:
        whole = self._of(node.vector, locals_)
        return RecordedValues(whole.base, [whole.columns[index] for index in node.indices])

    def _vector(self, node: Vector, locals_) -> RecordedValues:
        items = [self._of(item, locals_) for item in node.items]
        base = "real" if any(item.base == "real" for item in items) else items[0].base
        return RecordedValues(base, [_widened(item.columns[0], item.base, base) for item in items])

    def _previous(self, node: Previous, locals_) -> RecordedValues:
        now = self._of(node.expression, locals_)
        return RecordedValues(now.base, [[column[before] for before in self._before] for column in now.columns])

    def _apply(self, node: Apply, locals_) -> RecordedValues:
        row = OPERATORS[node.operator]
        operands = [self._of(operand, locals_) for operand in node.operands]
        if row.formula:
            return self._of(formula_expression(row, row.formula), dict(zip(row.parameters, operands)))
        if row.fold:
            result = RecordedValues(operands[0].base, operands[0].columns[:1])
            for column in operands[0].columns[1:]:
                result = self._primitive(row.fold, (result, RecordedValues(operands[0].base, (column,))))
            return result
        return self._primitive(node.operator, operands)

    def _primitive(self, name: str, operands: Sequence[RecordedValues]) -> RecordedValues:
        chosen = choose_form(OPERATORS[name], tuple(operand.base for operand in operands))
        if chosen is None:
            raise Unknown(name)
        form, bases, base = chosen
        size = max(len(operand.columns) for operand in operands)
        columns = []
        for component in range(size):
            given = [
                _widened(operand.columns[component if len(operand.columns) > 1 else 0], operand.base, wanted)
                for operand, wanted in zip(operands, bases)
            ]
            columns.append([form.scalar(*values) for values in zip(*given)])
        return RecordedValues(base, columns)


def _widened(column: Column, base: str, wanted: str) -> Column:
    return [float(value) for value in column] if base == "int" and wanted == "real" else column


_RULES: dict[type, Callable[..., RecordedValues]] = {
    Number: Columns._number,
    Boolean: Columns._boolean,
    Name: Columns._name,
    Index: Columns._index,
    Slice: Columns._slice,
    Permute: Columns._permute,
    Vector: Columns._vector,
    Previous: Columns._previous,
    Apply: Columns._apply,
}
