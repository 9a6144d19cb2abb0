"""Leaves of the graph: parameters, memory, planned values and observations."""

from __future__ import annotations

from typing import Any

from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Input, Obligation, Parameter, PlanSpec, Property, Value
from hl_dsl.grammar.tree.syntax_tree import Boolean, Expression, Name, Number, Param, PlanDeclaration, Range, Vector
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.core import CoreMemory
from hl_dsl.language.types import Type, scalar

Place = tuple[Any, ...]  # a leaf's value until the program is finished: what distinguishes it from other leaves


class Shared:
    """State shared by programs that are lowered one after the other.

    It holds the builder, the inputs by the place that their leaf names, and lowered declarations by their meaning (see
    `compiler/lowering/incremental.py`).
    """

    def __init__(self) -> None:
        self.builder = Builder()
        self.inputs: dict[Place, Input] = {}
        self.lowered: dict[tuple[Any, ...], Any] = {}


class Leaves:
    """The graph of one program so far, and the leaves declared in it."""

    def __init__(self, checked: CheckedProgram, shared: Shared):
        self.checked = checked
        self.symbols = checked.symbols
        self.shared = shared
        self.builder = shared.builder
        self.inputs = shared.inputs
        self.builder.used = {}
        self.values: dict[str, Value] = {}
        self.stored: dict[str, Value] = {}
        self.input_nodes: dict[tuple[str, int], int] = {}
        self.parameters: dict[tuple[Any, ...], Parameter] = {}
        self.cells: dict[Any, dict[str, Any]] = {}
        self.previous_cells: dict[tuple[Any, ...], int] = {}
        self.previous_met: list[tuple[Any, ...]] = []
        self.previous_count = 0
        self.pending: set[str] = set()
        self.postponed: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.plan: PlanSpec | None = None
        self.properties: list[Property] = []
        self.obligations: dict[tuple[Any, ...], Obligation] = {}
        self.guard: int | None = None
        self.site: Span | None = None

    def _declare_param(self, param: Param) -> None:
        type_ = self.symbols.type_of(param.name)
        nodes = []
        for position, default in enumerate(self._literals(param.default, type_)):
            low, high = self._bounds(param.range, type_, position)
            name = param.name if type_.size is None else f"{param.name}[{position}]"
            place = (name, plain_base(type_), repr(default), repr(low), repr(high), self._names(type_))
            self.parameters[place] = Parameter(name, plain_base(type_), default, low, high, self._names(type_))
            nodes.append(self.builder.leaf("parameter", place, plain_base(type_)))
        self.values[param.name] = Value(type_, tuple(nodes))

    def _declare_memory(self, memory: CoreMemory) -> tuple[int, ...]:
        """Makes the cells of a memory, one for each component, and gives their leaves."""
        type_ = memory.type
        leaves = []
        for position, start in enumerate(self._literals(memory.start, type_)):
            low, high = self._bounds(memory.range, type_, position)
            name = memory.name if type_.size is None else f"{memory.name}[{position}]"
            leaves.append(self._cell(name, type_, low, high, start, memory))
        self.stored[memory.name] = Value(type_, tuple(leaves))
        if memory.is_declared:
            self.values[memory.name] = self.stored[memory.name]
        return tuple(leaves)

    def _declare_plan(self, plan: PlanDeclaration) -> None:
        """A planned value is an input. Without a plan it is zero, or the value of the range nearest to zero."""
        type_ = self.symbols.type_of(plan.name)
        nodes = []
        for component in range(type_.length):
            low, high = self._bounds(plan.range, type_, component)
            name = plan.name if type_.size is None else f"{plan.name}[{component}]"
            entry = Input(name, "real", low, high, min(max(0.0, low), high), "plan", component)
            place = (name, "real", repr(low), repr(high), "plan", component)
            self.inputs[place] = entry
            nodes.append(self.builder.leaf("input", place, "real"))
        self.values[plan.name] = Value(type_, tuple(nodes))

    def _cell(self, name: str, type_: Type, low: Any, high: Any, start: Any, of: CoreMemory | Span) -> int:
        """Makes one cell and gives its leaf. `of`: its memory, or the place of the `previous` that it is made for."""
        declared = isinstance(of, CoreMemory) and of.is_declared
        place = (name, plain_base(type_), repr(low), repr(high), repr(start), self._names(type_), declared)
        self.cells[place] = {
            "name": name,
            "base": plain_base(type_),
            "low": low,
            "high": high,
            "start": start,
            "next": -1,
            "names": self._names(type_),
            "declared": declared,
            "span": of.span if isinstance(of, CoreMemory) else of,
            "monitor_of": of.property if isinstance(of, CoreMemory) else "",
        }
        return self.builder.leaf("memory", place, plain_base(type_))

    def _feed(self, leaf: int, node: int) -> None:
        """Sets the next value of a memory cell, which is given by its leaf."""
        self.cells[self.builder.nodes[leaf].value]["next"] = node

    def _bounds(self, range_: Range | None, type_: Type, component: int = 0) -> tuple[Any, Any]:
        if type_.base == "bool":
            return 0, 1
        if type_.is_enumeration:
            return 0, len(self._names(type_)) - 1
        assert range_ is not None
        convert: type = float if type_.base == "real" else int
        low, high = range_.of(component)
        return convert(low.value), convert(high.value)

    def _names(self, type_: Type) -> tuple[str, ...]:
        return {"action": self.checked.card.action.names or (), "mode": self.symbols.modes}.get(type_.base, ())

    def _literals(self, value: Expression, type_: Type) -> list[Any]:
        """A literal's components as Python values of the type, a single one repeated for a vector."""
        items = value.items if isinstance(value, Vector) else (value,) * type_.length
        return [self._literal(item, type_.base) for item in items]

    def _literal(self, item: Expression, base: str) -> Any:
        if isinstance(item, Name):
            return self.symbols[item.name].declaration
        assert isinstance(item, (Number, Boolean))
        return float(item.value) if base == "real" else item.value

    def _observation(self, name: str, component: int) -> int:
        key = (name, component)
        known = self.input_nodes.get(key)
        if known is None:
            item, field = self.symbols.observed[name]
            low, high = field.low[component], field.high[component]
            if item.range is not None:
                low, high = self._bounds(item.range, scalar(field.base), component)
            default = field.default[component]
            if field.base == "real":
                low, high, default = float(low), float(high), float(default)
            default = min(max(default, low), high)
            shown = name if field.size is None else f"{name}[{component}]"
            place = (shown, field.base, repr(low), repr(high), repr(default), field.source, field.index[component])
            self.inputs[place] = Input(shown, field.base, low, high, default, field.source, field.index[component])
            known = self.input_nodes[key] = self.builder.leaf("input", place, field.base)
        self.builder.used[known] = None
        return known


def plain_base(type_: Type) -> str:
    """The base of a type in the graph, where an enumeration is the int of its position."""
    return "int" if type_.is_enumeration else type_.base
