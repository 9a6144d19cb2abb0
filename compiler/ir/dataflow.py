"""The intermediate form: one typed dataflow graph for one tick, read by every back end and by the verifier.

All nodes are scalar; vectors are tuples of nodes. Equal computations are one node (hash-consed), and a node's
operands always come before it, so going through `nodes` in order is a valid evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card
from hl_dsl.language.types import Type
from hl_dsl.operators import OPERATORS, Form, choose_form

LEAVES = ("constant", "input", "parameter", "memory")


class Node(NamedTuple):
    """`op` is a row of the operator table, with the `form` chosen, or one of LEAVES.

    `base` is "real", "int" or "bool" (an enumeration is the int of its position). `value` is a constant's value, or
    the position of an input, parameter or memory in the lists of the `Dataflow`.
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
    """One scalar the environment shows: a component of a card's field, with the range it is held to at the boundary.

    `source` and `column` say where it is read ("ram", "observation", "reward", "lives", "step", or "plan": a component of
    what is planned, which the planner chooses within the range). `default` stands in
    for a NaN before any valid value came.
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
    """One scalar constant that tuning may move within [low, high]. A vector's components are `name[i]`."""

    name: str
    base: str
    default: int | float | bool
    low: int | float
    high: int | float
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One scalar of memory. `low` and `high` are the declared range, None for one made by `previous`; `next` is a node.

    `names` are an enumeration's names; `declared` is False for the cells of `previous`, of the modes and of properties.
    `ghost` is the property whose cell this is (see `compiler/lowering/properties.py`): no definition, action or other cell
    reads it.
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
    ghost: str = ""


@dataclass(frozen=True)
class PlanSpec:
    """What is planned, for every tick, by simulating the policy itself.

    `inputs` are the positions of the planned components among the program's inputs; their source is "plan". `settings`
    gives each setting's value (see `grammar/tree/plan_settings.py`), the position of the parameter that has it, or, for a `sigma`
    that is left out where ranges differ, a value for each component. `each` and
    `final` are real nodes; `final` is None where nothing but `each` counts.
    """

    name: str
    inputs: tuple[int, ...]
    settings: dict[str, int | float | tuple[float, ...] | OfParameter]
    each: int
    final: int | None
    span: Span


class OfParameter(NamedTuple):
    """A value that a parameter has, by its position."""

    position: int


@dataclass(frozen=True)
class Property:
    """`kind`: "invariant", "monitor", "assume" or "reachable". `node` is a bool that is to hold at every tick; that of a
    `reachable` is to be broken at some. `asked` are conditions without which the property says nothing; `form`, of one over
    several ticks that has any, is the word that begins it."""

    kind: str
    name: str
    node: int
    span: Span
    antecedents: tuple[int, ...] = ()
    form: str = ""


class Obligation(NamedTuple):
    """Something that must be proved for the program to mean anything.

    `kind`: "division", "root", "index", "clamp", "range" (a requirement of an operator; `claim` is the node that must
    be true), "finite" (the real `subject` is a finite float), "integer" (the int `subject` lies within ±2^53), "memory"
    (`claim`: the next value of a cell lies in its range; `subject` is that value). It is to hold wherever node `guard`
    is true (None: always).
    """

    kind: str
    says: str
    subject: int
    guard: int | None
    claim: int | None
    span: Span


class Value(NamedTuple):
    """What a name stands for: its type and a node for each component. `names`: an enumeration's."""

    type: Type
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Dataflow:
    """A checked program, lowered. `values` gives the nodes of every named thing: lets, memories, params, `mode`, `action`."""

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
        """Nodes a run needs: the action, the memory's next values, the properties."""
        planned = () if self.plan is None else (self.plan.each, self.plan.final)
        return [
            *self.action,
            *(cell.next for cell in self.memories),
            *(item.node for item in self.properties),
            *(node for node in planned if node is not None),
        ]

    def reachable(self, roots: Sequence[int]) -> list[int]:
        """The nodes that `roots` depend on within one tick, in evaluation order."""
        wanted = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in wanted:
                wanted.add(node)
                stack.extend(self.nodes[node].args)
        return sorted(wanted)

    def of_kind(self, kind: str) -> list[Property]:
        return [item for item in self.properties if item.kind == kind]


@dataclass
class Builder:
    """Makes nodes, each once.

    Several programs may be built by one builder. `used` holds the numbers that were asked for, in the order in which they
    first were: with an empty `used` to begin with, the nodes of one program, as a builder of its own would have made them.
    """

    nodes: list[Node] = field(default_factory=list)
    used: dict[int, None] = field(default_factory=dict)
    _known: dict[tuple, int] = field(default_factory=dict)
    _applied: dict[tuple, tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    def _intern(self, key: tuple, node: Node) -> int:
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.nodes)
            self.nodes.append(node)
        self.used[number] = None
        return number

    def constant(self, value, base: str) -> int:
        return self._intern(("constant", base, repr(value)), Node("constant", (), base, None, value))

    def leaf(self, kind: str, place, base: str) -> int:
        """A leaf; `place`, its node's value, tells it from others of its kind."""
        return self._intern((kind, place), Node(kind, (), base, None, place))

    def widen(self, number: int, base: str) -> int:
        """The node as a value of `base` (only int to real changes anything)."""
        node = self.nodes[number]
        if base != "real" or node.base != "int":
            return number
        if node.op == "constant":
            return self.constant(float(node.value), "real")
        return self.apply("to_real", (number,))

    def apply(self, op: str, args: tuple[int, ...]) -> int:
        """The row `op` applied to nodes, which are widened as it wants. Constant operands are folded.

        Raises LookupError where no form takes operands of these types.
        """
        key = (op, args)
        found = self._applied.get(key)
        if found is None:
            found = self._applied[key] = self._apply(op, args)
        number, widened = found
        used = self.used
        for operand in widened:
            used[operand] = None
        used[number] = None
        return number

    def _apply(self, op: str, args: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """The node, and those of its operands that are none of `args`."""
        nodes = self.nodes
        given = tuple([nodes[arg].base for arg in args])
        chosen = choose_form(OPERATORS[op], given)
        if chosen is None:
            raise LookupError(f"`{op}` takes no {list(given)}")
        form, bases, base = chosen
        if given == bases:
            operands, widened = args, ()
        else:
            operands = tuple([self.widen(arg, wanted) for arg, wanted in zip(args, bases)])
            widened = tuple([operand for operand, arg in zip(operands, args) if operand != arg])
        key = (op, operands)
        number = self._known.get(key)
        if number is not None:
            return number, widened
        for operand in operands:
            if nodes[operand].op != "constant":
                number = self._known[key] = len(nodes)
                nodes.append(Node(op, operands, base, form, None))
                return number, widened
        return self.constant(form.scalar(*[nodes[operand].value for operand in operands]), base), widened
