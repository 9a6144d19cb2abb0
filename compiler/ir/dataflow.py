"""Intermediate representation: one typed dataflow graph of one tick, which every back end and the verifier read.

All nodes are scalar; a vector is a tuple of nodes. Equal computations are one node (hash consing). The operands of a
node precede it, so the order of `nodes` is a valid order of evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card
from hl_dsl.language.types import Type
from hl_dsl.operators import Form


class Node(NamedTuple):
    """One scalar computation or leaf.

    Attributes:
        op: A row of the operator table, or a leaf: "constant", "input", "parameter" or "memory".
        args: Numbers of the operands.
        base: "real", "int" or "bool". An enumeration is the int of its position.
        form: The form of the operator; None for a leaf.
        value: A constant's value, or the position of an input, parameter or memory in the lists of the `Dataflow`.
    """

    op: str
    args: tuple[int, ...]
    base: str
    form: Form | None
    value: int | float | bool | None

    @property
    def position(self) -> int:
        """Position of an input, parameter or memory leaf in its list of the `Dataflow`."""
        return cast(int, self.value)


@dataclass(frozen=True)
class Input:
    """One scalar input: a component of a field of the environment's card, clamped to its range.

    Attributes:
        source: The input source: "ram", "observation", "reward", "lives", "step", or "plan" for a component of the
            plan, which the planner chooses within the range.
        column: Its column in the source.
        default: Replaces a NaN before the first valid value.
    """

    name: str
    base: str
    low: int | float
    high: int | float
    default: int | float | bool
    source: str
    column: int


@dataclass(frozen=True)
class Parameter:
    """One scalar constant that tuning may change within [low, high]. The components of a vector are named `name[i]`."""

    name: str
    base: str
    default: int | float | bool
    low: int | float
    high: int | float
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One scalar of memory.

    Attributes:
        low: Lower end of the declared range; None for a cell of `previous`.
        high: Upper end of the declared range; None for a cell of `previous`.
        start: Value at the start of an episode.
        next: Node of the value in the next tick.
        names: Names of an enumeration.
        declared: False for the cells of `previous`, of modes and of properties.
        monitor_of: Name of the property whose monitor state the cell holds; empty for others. No definition, action or
            other cell reads monitor state (see `compiler/lowering/properties.py`).
    """

    name: str
    base: str
    low: int | float | None
    high: int | float | None
    start: int | float | bool
    next: int
    names: tuple[str, ...]
    declared: bool
    span: Span
    monitor_of: str = ""


@dataclass(frozen=True)
class PlanSpec:
    """The plan that a planner chooses in each tick by simulating the policy.

    Attributes:
        inputs: Positions of the planned components among the program's inputs; their source is "plan".
        settings: Value of each setting (see `grammar/tree/plan_settings.py`), or the position of the parameter that
            holds it. An omitted `sigma` has a value for each component if their ranges differ.
        each: Node of the score of each step, a real.
        final: Node of the score of the last step, a real; None if only `each` counts.
    """

    name: str
    inputs: tuple[int, ...]
    settings: dict[str, int | float | tuple[float, ...] | OfParameter]
    each: int
    final: int | None
    span: Span


class OfParameter(NamedTuple):
    """Position of the parameter that holds a setting's value."""

    position: int


@dataclass(frozen=True)
class Property:
    """A property of the program.

    Attributes:
        kind: "invariant", "monitor", "assume" or "reachable".
        node: A bool that must hold at every tick; that of a `reachable` must be violated at some tick.
        antecedents: Conditions without which the property holds vacuously.
        form: First word of the temporal pattern, if the property has one.
    """

    kind: str
    name: str
    node: int
    span: Span
    antecedents: tuple[int, ...] = ()
    form: str = ""


class Obligation(NamedTuple):
    """A condition that must be proved for the program to be well defined.

    Attributes:
        kind: "division", "root", "index", "clamp" or "range": a requirement of an operator. "finite": the real
            `subject` is a finite float. "integer": the int `subject` is within ±2^53. "memory": the next value of a
            cell, `subject`, is in its range.
        says: The condition in words.
        subject: The node it constrains.
        guard: Node that is true where the condition must hold; None for always.
        claim: Node that must be true; None for "finite" and "integer".
    """

    kind: str
    says: str
    subject: int
    guard: int | None
    claim: int | None
    span: Span


class Value(NamedTuple):
    """Value of a name: its type and a node for each component."""

    type: Type
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Dataflow:
    """A checked program as a graph. `values` maps each let, memory, param, `mode` and `action` to its nodes."""

    name: str
    card: Card
    source: SourceText
    nodes: list[Node]
    inputs: list[Input]
    parameters: list[Parameter]
    memories: list[Cell]
    action: tuple[int, ...]
    values: dict[str, Value]
    lets: tuple[str, ...]
    modes: tuple[str, ...]
    properties: list[Property]
    obligations: list[Obligation]
    plan: PlanSpec | None = None

    def roots(self) -> list[int]:
        """Returns the nodes that a run needs: action, next values of memory, properties, scores of the plan."""
        planned = () if self.plan is None else (self.plan.each, self.plan.final)
        return [
            *self.action,
            *(cell.next for cell in self.memories),
            *(item.node for item in self.properties),
            *(node for node in planned if node is not None),
        ]

    def reachable(self, roots: Sequence[int]) -> list[int]:
        """Returns the nodes that `roots` depend on within one tick, in evaluation order."""
        wanted: set[int] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in wanted:
                wanted.add(node)
                stack.extend(self.nodes[node].args)
        return sorted(wanted)

    def of_kind(self, kind: str) -> list[Property]:
        """Returns the properties of a kind."""
        return [item for item in self.properties if item.kind == kind]
