"""The syntax tree of a program: what the parser makes, and what the checker, formatter and search read.

Spans do not count in comparisons, so two texts that mean the same tree compare equal. What a declaration contains is
answered by its form in the table of declarations, so that a new construct brings its own node class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hl_dsl.base.declaration_form import Role
from hl_dsl.base.declaration_table import form_of, role_of
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.expressions import (
    Apply,
    Boolean,
    Expression,
    Index,
    Name,
    Number,
    Permute,
    Previous,
    Range,
    Slice,
    TypeName,
    Vector,
    children,
    span_field,
    walk,
    with_children,
)
from hl_dsl.grammar.tree.temporal_patterns import After, Never, Pattern, Within, conditions

__all__ = [
    "Act",
    "After",
    "Apply",
    "Boolean",
    "Comment",
    "Declaration",
    "Expression",
    "Index",
    "Let",
    "Memory",
    "Mode",
    "Modes",
    "Name",
    "Never",
    "Number",
    "Observe",
    "Observed",
    "Param",
    "Pattern",
    "Permute",
    "PlanDeclaration",
    "PolicyDeclaration",
    "Previous",
    "PropertyDeclaration",
    "Range",
    "Rule",
    "Setting",
    "Slice",
    "Transition",
    "TypeName",
    "Vector",
    "Within",
    "children",
    "conditions",
    "expressions",
    "names_used",
    "rule_expressions",
    "scores",
    "span_field",
    "walk",
    "with_children",
]

_Node = TypeVar("_Node")


class Declaration:
    """Base class of the nodes at the top level of a policy. A node class is a dataclass with `slots=True`."""

    __slots__ = ()

    span: Span


@dataclass(slots=True)
class Observed:
    """One item of an `observe` line. `size` and `range` are None where the card's are taken."""

    name: str
    size: int | None
    range: Range | None
    span: Span = span_field()


@dataclass(slots=True)
class Observe(Declaration):
    """`observe ITEM, ITEM, …`."""

    items: tuple[Observed, ...]
    span: Span = span_field()


@dataclass(slots=True)
class Param(Declaration):
    """`param NAME: TYPE = DEFAULT in RANGE`."""

    name: str
    type: TypeName
    default: Expression
    range: Range | None
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class Let(Declaration):
    """`let NAME = EXPRESSION`."""

    name: str
    expression: Expression
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class Memory(Declaration):
    """`memory NAME: TYPE in RANGE = START { next = EXPRESSION }`."""

    name: str
    type: TypeName
    range: Range | None
    start: Expression
    next: Expression
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class Rule:
    """`when condition => value`; the `otherwise` rule has no condition."""

    condition: Expression | None
    value: Expression
    span: Span = span_field()


@dataclass(slots=True)
class Act(Declaration):
    """A decision list, or, for continuous actions, one rule without a condition."""

    rules: tuple[Rule, ...]
    span: Span = span_field()


@dataclass(slots=True)
class Transition:
    """`when CONDITION -> TARGET` in a mode."""

    condition: Expression
    target: str
    span: Span = span_field()
    target_span: Span = span_field()


@dataclass(slots=True)
class Mode:
    """One mode of a `modes` block. `act` is None if the policy has one `act` for all modes."""

    name: str
    is_start: bool
    act: Act | None
    transitions: tuple[Transition, ...]
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class Modes(Declaration):
    """`modes { MODE MODE … }`: a state machine."""

    modes: tuple[Mode, ...]
    span: Span = span_field()


@dataclass(slots=True)
class PropertyDeclaration(Declaration):
    """`invariant`, `monitor`, `assume` or `reachable` (its `kind`) with a name and an expression.

    The expression is to hold at every tick, or as the `pattern` says; for `reachable`, at some tick of some run.
    """

    kind: str
    name: str
    expression: Expression
    pattern: Pattern | None = None
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class Setting:
    """`NAME VALUE` in a plan: a literal number, or the name of a parameter."""

    name: str
    value: Number | Name
    span: Span = span_field()
    name_span: Span = span_field()


@dataclass(slots=True)
class PlanDeclaration(Declaration):
    """`plan NAME: TYPE in RANGE { settings  each SCORE  final SCORE }`. `final` is None if the text omits it."""

    name: str
    type: TypeName
    range: Range
    settings: tuple[Setting, ...]
    each: Expression
    final: Expression | None
    span: Span = span_field()
    name_span: Span = span_field()
    each_span: Span = span_field()
    final_span: Span = span_field()


@dataclass(slots=True)
class PolicyDeclaration:
    """`policy NAME for "ENVIRONMENT" { DECLARATIONS }`, the root of the tree."""

    name: str
    environment: str
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False, repr=False)
    span: Span = span_field()
    environment_span: Span = span_field()
    end_span: Span = span_field()
    # Offsets of what follows an empty line, so that the formatter can keep one.
    after_blank: frozenset[int] = field(default=frozenset(), compare=False, repr=False)

    def of(self, kind: type[_Node]) -> Iterator[_Node]:
        """The declarations of one class, in the order of the text."""
        return (item for item in self.declarations if type(item) is kind)

    def with_role(self, *roles: Role) -> Iterator[Any]:
        """The declarations that have one of these roles, in the order of the text."""
        return (item for item in self.declarations if role_of(item) in roles)


@dataclass(frozen=True, slots=True)
class Comment:
    """A `# …` comment with its place; `own_line` when only white space precedes it."""

    text: str
    span: Span
    own_line: bool


def expressions(declaration: Declaration) -> Iterator[Expression]:
    """The top expressions of a declaration, in the order of the text."""
    return iter(form_of(declaration).expressions(declaration))


def names_used(declaration: Declaration) -> Iterator[str]:
    """The names in a declaration's expressions, in the order of the text; a name that occurs twice is given twice."""
    return (node.name for top in expressions(declaration) for node in walk(top) if type(node) is Name)


def scores(plan: PlanDeclaration) -> tuple[Expression, ...]:
    """The expressions by which a plan's candidates are scored, in the order of the text."""
    return (plan.each,) if plan.final is None else (plan.each, plan.final)


def rule_expressions(act: Act) -> Iterator[Expression]:
    """The expressions of a decision list, in the order of the text."""
    for rule in act.rules:
        if rule.condition is not None:
            yield rule.condition
        yield rule.value
