"""The abstract syntax: what the parser makes, and what the checker, formatter and search read.

Every operator, function and `if` is one node, `Apply`, named by its row in the operator table.
Spans do not count in comparisons, so two texts that mean the same tree compare equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

from hl_dsl.base.source import NOWHERE, Span


def _span():
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(slots=True)
class Number:
    """A literal. `value` is an int or a float; its Python type is its HL type."""

    value: int | float
    span: Span = _span()

    def __eq__(self, other) -> bool:
        return type(other) is Number and type(self.value) is type(other.value) and repr(self.value) == repr(other.value)


@dataclass(slots=True)
class Boolean:
    value: bool
    span: Span = _span()


@dataclass(slots=True)
class Name:
    """A parameter, let, memory, observation, mode, action name, or the words `action`, `mode`."""

    name: str
    span: Span = _span()


@dataclass(slots=True)
class Apply:
    """An operator of the table applied to operands: `add`, `less`, `if`, `clamp`, …"""

    operator: str
    operands: tuple[Expression, ...]
    span: Span = _span()


@dataclass(slots=True)
class Index:
    """One component of a vector; `index` is any int expression."""

    vector: Expression
    index: Expression
    span: Span = _span()


@dataclass(slots=True)
class Slice:
    """Components `start` to `stop - 1` of a vector."""

    vector: Expression
    start: int
    stop: int
    span: Span = _span()


@dataclass(slots=True)
class Permute:
    """The components named by a list of literal indices."""

    vector: Expression
    indices: tuple[int, ...]
    span: Span = _span()


@dataclass(slots=True)
class Vector:
    items: tuple[Expression, ...]
    span: Span = _span()


@dataclass(slots=True)
class Previous:
    """The value `expression` had at the last tick; `start` at the first."""

    expression: Expression
    start: Expression
    span: Span = _span()


Expression = Union[Number, Boolean, Name, Apply, Index, Slice, Permute, Vector, Previous]


@dataclass(slots=True)
class TypeName:
    """A type as written: `real`, `int`, `bool`, `vec[8]`, `action`, `mode`."""

    base: str
    size: int | None
    span: Span = _span()


@dataclass(slots=True)
class Range:
    """`[low, high]`: each end a signed literal, or a vector of them, one for each component."""

    low: Number | Vector
    high: Number | Vector
    span: Span = _span()

    def of(self, component: int) -> tuple[Number, Number]:
        """The ends for one component of a vector; a single value's are those of component 0."""
        low, high = (end.items[component] if type(end) is Vector else end for end in (self.low, self.high))
        return low, high

    @property
    def is_alike(self) -> bool:
        """Whether it is one range for all components."""
        return type(self.low) is Number and type(self.high) is Number

    @property
    def values(self) -> tuple[tuple[int | float, ...], tuple[int | float, ...]]:
        """The values of the low ends as written, and of the high ones."""
        low, high = (
            tuple(item.value for item in (end.items if type(end) is Vector else (end,)))
            for end in (self.low, self.high)
        )
        return low, high


@dataclass(slots=True)
class Observed:
    """One item of an `observe` line. `size` and `range` are None where the card's are taken."""

    name: str
    size: int | None
    range: Range | None
    span: Span = _span()


@dataclass(slots=True)
class Observe:
    items: tuple[Observed, ...]
    span: Span = _span()


@dataclass(slots=True)
class Param:
    name: str
    type: TypeName
    default: Expression
    range: Range | None
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class Let:
    name: str
    expression: Expression
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class Memory:
    name: str
    type: TypeName
    range: Range | None
    start: Expression
    next: Expression
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class Rule:
    """`when condition => value`; the `otherwise` rule has no condition."""

    condition: Expression | None
    value: Expression
    span: Span = _span()


@dataclass(slots=True)
class Act:
    """A decision list, or, for continuous actions, one rule without a condition."""

    rules: tuple[Rule, ...]
    span: Span = _span()


@dataclass(slots=True)
class Transition:
    condition: Expression
    target: str
    span: Span = _span()
    target_span: Span = _span()


@dataclass(slots=True)
class Mode:
    name: str
    is_start: bool
    act: Act | None
    transitions: tuple[Transition, ...]
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class Modes:
    modes: tuple[Mode, ...]
    span: Span = _span()


@dataclass(slots=True)
class Never:
    """`never E`: E holds at no tick."""

    span: Span = _span()


@dataclass(slots=True)
class Within:
    """`within TICKS of CONDITION: E`: wherever the condition holds, E holds at that tick or at one of so many after it."""

    ticks: int
    condition: Expression
    span: Span = _span()


@dataclass(slots=True)
class After:
    """`after CONDITION until END: E`: E holds from where the condition does, until before where `end` does, if ever."""

    condition: Expression
    end: Expression
    span: Span = _span()


Pattern = Union[Never, Within, After]


@dataclass(slots=True)
class PropertyDeclaration:
    """`invariant`, `monitor`, `assume` or `reachable` (its `kind`) with a name and what it is about.

    The expression is to hold at every tick, or as the `pattern` says; for `reachable`, at some tick of some run.
    """

    kind: str
    name: str
    expression: Expression
    pattern: Pattern | None = None
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class Setting:
    """`NAME VALUE` in a plan: a literal number, or the name of a parameter."""

    name: str
    value: Number | Name
    span: Span = _span()
    name_span: Span = _span()


@dataclass(slots=True)
class PlanDeclaration:
    """`plan NAME: TYPE in RANGE { settings  each SCORE  final SCORE }`. `final` is None where it is left out."""

    name: str
    type: TypeName
    range: Range
    settings: tuple[Setting, ...]
    each: Expression
    final: Expression | None
    span: Span = _span()
    name_span: Span = _span()
    each_span: Span = _span()
    final_span: Span = _span()


Declaration = Union[Observe, Param, Let, Memory, Modes, Act, PlanDeclaration, PropertyDeclaration]


@dataclass(slots=True)
class PolicyDeclaration:
    name: str
    environment: str
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False, repr=False)
    span: Span = _span()
    environment_span: Span = _span()
    end_span: Span = _span()
    # Offsets of what follows an empty line, so that the formatter can keep one.
    after_blank: frozenset[int] = field(default=frozenset(), compare=False, repr=False)

    def of(self, kind: type) -> Iterator:
        return (item for item in self.declarations if type(item) is kind)


@dataclass(frozen=True, slots=True)
class Comment:
    """A `# …` comment with its place; `own_line` when nothing but white space stands before it."""

    text: str
    span: Span
    own_line: bool


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct subexpressions, left to right."""
    kind = type(expression)
    if kind is Apply:
        return expression.operands
    if kind is Index:
        return (expression.vector, expression.index)
    if kind is Slice or kind is Permute:
        return (expression.vector,)
    if kind is Vector:
        return expression.items
    if kind is Previous:
        return (expression.expression, expression.start)
    return ()


def with_children(expression: Expression, new: tuple[Expression, ...]) -> Expression:
    """The same node over other subexpressions."""
    kind = type(expression)
    if kind is Apply:
        return Apply(expression.operator, new, expression.span)
    if kind is Index:
        return Index(new[0], new[1], expression.span)
    if kind is Slice:
        return Slice(new[0], expression.start, expression.stop, expression.span)
    if kind is Permute:
        return Permute(new[0], expression.indices, expression.span)
    if kind is Vector:
        return Vector(new, expression.span)
    if kind is Previous:
        return Previous(new[0], new[1], expression.span)
    return expression


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all below it, a parent before its children."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def expressions(declaration: Declaration) -> Iterator[Expression]:
    """The top expressions of a declaration, in the order of the text."""
    kind = type(declaration)
    if kind is Let:
        yield declaration.expression
    elif kind is PropertyDeclaration:
        yield from conditions(declaration.pattern)
        yield declaration.expression
    elif kind is Memory:
        yield declaration.start
        yield declaration.next
    elif kind is Param:
        yield declaration.default
    elif kind is Act:
        yield from _rule_expressions(declaration)
    elif kind is PlanDeclaration:
        yield from (setting.value for setting in declaration.settings)
        yield from scores(declaration)
    elif kind is Modes:
        for mode in declaration.modes:
            if mode.act is not None:
                yield from _rule_expressions(mode.act)
            for transition in mode.transitions:
                yield transition.condition


def conditions(pattern: Pattern | None) -> tuple[Expression, ...]:
    """The expressions of a pattern, in the order of the text."""
    if type(pattern) is Within:
        return (pattern.condition,)
    return (pattern.condition, pattern.end) if type(pattern) is After else ()


def scores(plan: PlanDeclaration) -> tuple[Expression, ...]:
    """What a plan's futures are scored by, in the order of the text."""
    return (plan.each,) if plan.final is None else (plan.each, plan.final)


def _rule_expressions(act: Act) -> Iterator[Expression]:
    for rule in act.rules:
        if rule.condition is not None:
            yield rule.condition
        yield rule.value
