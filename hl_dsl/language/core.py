"""The core of the language: the few declarations and expressions that every construct is lowered through.

A checked program is desugared to inputs, parameters, definitions, memory, one action and properties before it is
lowered. `compiler/lowering/desugar.py` is the pass; the form of each declaration (`hl_dsl/declarations`) says what its
construct means in the core. Expressions of the text stay as they are. The nodes below join them:

    Stored        the value that a memory has at the start of the tick
    ByCase        a choice by the position of an enumeration's value
    FirstTrue     the literal behind the first condition that holds
    Unconditional an operator whose operands are all evaluated
    Under         an expression that must be well defined only if a condition holds
    Bound         the value of an earlier step of the same property

`previous(x, start)` is memory too, but it is desugared on the graph (`compiler/lowering/previous.py`): two of them
share a cell if their operands are the same node, which the tree does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Declaration, Expression, Name, Param, PlanDeclaration, Range
from hl_dsl.language.types import Type

# An expression of the core: one of the text, a decision list, or one of the nodes below.
CoreExpression = Any


@dataclass(frozen=True, slots=True)
class Stored:
    """The value that a memory has at the start of the tick, by the memory's name."""

    memory: str


@dataclass(frozen=True, slots=True)
class ByCase:
    """The case for the position of `subject`, the value of an enumeration. Each case is needed only if it is chosen."""

    subject: CoreExpression
    cases: tuple[CoreExpression, ...]


@dataclass(frozen=True, slots=True)
class FirstTrue:
    """The name behind the first condition that holds. A condition is needed only if those before it do not hold."""

    choices: tuple[tuple[Expression, Name], ...]
    otherwise: Name


@dataclass(frozen=True, slots=True)
class Unconditional:
    """An operator of the table, applied to scalars that are all evaluated, whatever guards its row has."""

    operator: str
    operands: tuple[CoreExpression, ...]


@dataclass(frozen=True, slots=True)
class Under:
    """An expression that must be well defined only if `condition` holds."""

    condition: CoreExpression
    expression: Expression


@dataclass(frozen=True, slots=True)
class Bound:
    """The value of an earlier step of the same property."""

    step: str


@dataclass(frozen=True, slots=True)
class CoreLet:
    """A definition. `depends_on`: what it needs in addition to the names in its origin's expressions."""

    name: str
    expression: CoreExpression
    origin: Declaration
    depends_on: tuple[CoreExpression, ...] = ()


@dataclass(frozen=True, slots=True)
class CoreAct:
    """The action of every tick, before the cast to the environment's type."""

    expression: CoreExpression
    origin: Declaration
    depends_on: tuple[CoreExpression, ...] = ()


@dataclass(frozen=True, slots=True)
class CoreMemory:
    """A value kept from tick to tick.

    Attributes:
        name: Its name; components of a vector are the cells `name[i]`.
        type: Its type.
        range: Its declared range; None for a truth value or an enumeration.
        start: Its literal at the first tick.
        next: Its value at the next tick.
        origin: The declaration that it comes from.
        span: The place that messages about it show.
        is_declared: Whether the text declares it, so that its name has a value and its range is an obligation.
        property: The property whose monitor state it is; empty for other memory.
    """

    name: str
    type: Type
    range: Range | None
    start: Expression
    next: CoreExpression
    origin: Declaration
    span: Span
    is_declared: bool = True
    property: str = ""


@dataclass(frozen=True, slots=True)
class CoreProperty:
    """A claim about every tick.

    Attributes:
        kind: "invariant", "monitor", "assume" or "reachable".
        name: Its name.
        claim: The truth value that must hold at every tick (for `reachable`: that must fail at one).
        origin: The declaration that it comes from.
        steps: Values that are computed before the claim, in order, by name; a memory is its stored value.
        antecedents: Names of steps without which the property says nothing.
        pattern: The first word of a pattern over several ticks; empty if there is none.
    """

    kind: str
    name: str
    claim: CoreExpression
    origin: Declaration
    steps: tuple[tuple[str, CoreExpression | CoreMemory], ...] = ()
    antecedents: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class CoreProgram:
    """A program in the core, by kind of declaration. Inputs are not listed: an observation is one where it is used."""

    parameters: tuple[Param, ...]
    memories: tuple[CoreMemory, ...]
    plans: tuple[PlanDeclaration, ...]
    definitions: dict[str, CoreLet | CoreAct]
    properties: tuple[CoreProperty, ...]

    @property
    def declared_memories(self) -> Iterator[CoreMemory]:
        """The memories that the text declares."""
        return (memory for memory in self.memories if memory.is_declared)

    @property
    def hidden_memories(self) -> Iterator[CoreMemory]:
        """The memories that desugaring adds."""
        return (memory for memory in self.memories if not memory.is_declared)
