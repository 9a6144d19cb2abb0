"""Expressions, types and ranges of the syntax tree.

Every operator, function and `if` is one node, `Apply`, named by its row in the operator table.
Spans do not count in comparisons, so two texts that mean the same tree compare equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hl_dsl.base.source import NOWHERE, Span


def span_field() -> Span:
    """A field for the node's place in the text."""
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(slots=True)
class Number:
    """A literal. `value` is an int or a float; its Python type is its HL type."""

    value: int | float
    span: Span = span_field()

    def __eq__(self, other: object) -> bool:
        return type(other) is Number and type(self.value) is type(other.value) and repr(self.value) == repr(other.value)


@dataclass(slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span = span_field()


@dataclass(slots=True)
class Name:
    """A parameter, let, memory, observation, mode, action name, or the words `action`, `mode`."""

    name: str
    span: Span = span_field()


@dataclass(slots=True)
class Apply:
    """An operator of the table applied to operands: `add`, `less`, `if` and so on."""

    operator: str
    operands: tuple[Expression, ...]
    span: Span = span_field()


@dataclass(slots=True)
class Index:
    """One component of a vector; `index` is any int expression."""

    vector: Expression
    index: Expression
    span: Span = span_field()


@dataclass(slots=True)
class Slice:
    """Components `start` to `stop - 1` of a vector."""

    vector: Expression
    start: int
    stop: int
    span: Span = span_field()


@dataclass(slots=True)
class Permute:
    """The components named by a list of literal indices."""

    vector: Expression
    indices: tuple[int, ...]
    span: Span = span_field()


@dataclass(slots=True)
class Vector:
    """`[a, b, …]`."""

    items: tuple[Expression, ...]
    span: Span = span_field()


@dataclass(slots=True)
class Previous:
    """The value `expression` had at the last tick; `start` at the first."""

    expression: Expression
    start: Expression
    span: Span = span_field()


Expression = Number | Boolean | Name | Apply | Index | Slice | Permute | Vector | Previous


@dataclass(slots=True)
class TypeName:
    """A type as written: `real`, `int`, `bool`, `vec[8]`, `action`, `mode`."""

    base: str
    size: int | None
    span: Span = span_field()


@dataclass(slots=True)
class Range:
    """`[low, high]`: each end a signed literal, or a vector of them, one for each component."""

    low: Number | Vector
    high: Number | Vector
    span: Span = span_field()

    def of(self, component: int) -> tuple[Number, Number]:
        """The ends for one component of a vector; a single value's are those of component 0."""
        return _component(self.low, component), _component(self.high, component)

    @property
    def is_alike(self) -> bool:
        """Whether it is one range for all components."""
        return type(self.low) is Number and type(self.high) is Number

    @property
    def values(self) -> tuple[tuple[int | float, ...], tuple[int | float, ...]]:
        """The values of the low ends as written, and of the high ones."""
        return _values(self.low), _values(self.high)


def _component(end: Number | Vector, component: int) -> Number:
    item = end.items[component] if isinstance(end, Vector) else end
    assert isinstance(item, Number)
    return item


def _values(end: Number | Vector) -> tuple[int | float, ...]:
    count = len(end.items) if isinstance(end, Vector) else 1
    return tuple(_component(end, component).value for component in range(count))


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct subexpressions, left to right."""
    return _CHILDREN[type(expression)](expression)


def with_children(expression: Expression, new: tuple[Expression, ...]) -> Expression:
    """The same node over other subexpressions."""
    return _WITH_CHILDREN[type(expression)](expression, new)


_CHILDREN: Mapping[type, Callable[[Any], tuple[Expression, ...]]] = MappingProxyType(
    {
        Number: lambda node: (),
        Boolean: lambda node: (),
        Name: lambda node: (),
        Apply: lambda node: node.operands,
        Index: lambda node: (node.vector, node.index),
        Slice: lambda node: (node.vector,),
        Permute: lambda node: (node.vector,),
        Vector: lambda node: node.items,
        Previous: lambda node: (node.expression, node.start),
    }
)
_WITH_CHILDREN: Mapping[type, Callable[[Any, tuple[Expression, ...]], Expression]] = MappingProxyType(
    {
        Number: lambda node, new: node,
        Boolean: lambda node, new: node,
        Name: lambda node, new: node,
        Apply: lambda node, new: Apply(node.operator, new, node.span),
        Index: lambda node, new: Index(new[0], new[1], node.span),
        Slice: lambda node, new: Slice(new[0], node.start, node.stop, node.span),
        Permute: lambda node, new: Permute(new[0], node.indices, node.span),
        Vector: lambda node, new: Vector(new, node.span),
        Previous: lambda node, new: Previous(new[0], new[1], node.span),
    }
)


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all below it, a parent before its children."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))
