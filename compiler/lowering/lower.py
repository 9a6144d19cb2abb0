"""Checked program to intermediate form, through the core of the language."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Dataflow, Property, Value
from hl_dsl.compiler.lowering.core_expressions import CoreExpressions
from hl_dsl.compiler.lowering.desugar import desugar
from hl_dsl.compiler.lowering.finish import finish_lowering
from hl_dsl.compiler.lowering.plan import lower_plan
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.core import CoreAct, CoreLet, CoreMemory, CoreProperty
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.operators import OPERATORS


def lower(checked: CheckedProgram, reuse: DeclarationCache | None = None) -> Dataflow:
    """Lowers a whole program. Every let is lowered, used or not, because `let` is strict.

    `reuse` is the cache that the program was checked with. It makes lowering quicker and does not change the result.
    """
    lowering = Lowering(checked, reuse)
    lowering.run()
    return lowering.result()


class Lowering(CoreExpressions):
    """One program while it is lowered: first its leaves, then its definitions, memory, plan and properties."""

    def __init__(self, checked: CheckedProgram, reuse: DeclarationCache | None):
        super().__init__(checked, reuse)
        self.core = desugar(checked)
        self.bound = {}

    def run(self) -> None:
        """Lowers all declarations."""
        core = self.core
        for param in core.parameters:
            self._declare_param(param)
        for memory in core.declared_memories:
            self._declare_memory(memory)
        for plan in core.plans:
            self._declare_plan(plan)
        for memory in core.hidden_memories:
            self._declare_memory(memory)
        for name in self.checked.order:
            self._named(name)
        for memory in (*core.declared_memories, *core.hidden_memories):
            self._feed_memory(memory)
        for plan in core.plans:
            self.plan = lower_plan(self, plan)
        for item in core.properties:
            self.properties.append(self._property(item))

    def result(self) -> Dataflow:
        """The graph of the lowered program."""
        lets = tuple(name for name in self.checked.order if name not in ("mode", "action"))
        return finish_lowering(self, lets)

    def _named(self, name: str) -> Value:
        """The value of a definition; its obligations hold without condition, wherever it is used."""
        if name not in self.values:
            definition = self.core.definitions[name]
            self.pending.add(name)
            outer_guard, outer_site = self.guard, self.site
            self.guard = self.site = None
            self.values[name] = self._definition(definition)
            self.guard, self.site = outer_guard, outer_site
            self.pending.discard(name)
            if not self.pending:
                self._feed_postponed()
        return self.values[name]

    def _definition(self, definition: CoreLet | CoreAct) -> Value:
        depends_on = tuple(self._scalar(item) for item in definition.depends_on)

        def make() -> Value:
            value = self._lower(definition.expression, None)
            return self._as_taken(value) if isinstance(definition, CoreAct) else value

        return self._piece(definition.origin, make, *depends_on)

    def _as_taken(self, action: Value) -> Value:
        """The action as the environment takes it."""
        if self.checked.card.action.dtype != "float32" or action.type.base != "real":
            return action
        return Value(action.type, tuple(self._primitive(OPERATORS["float32"], (node,)) for node in action.nodes))

    def _feed_memory(self, memory: CoreMemory) -> None:
        leaves = self.stored[memory.name].nodes
        if memory.is_declared:
            nodes = self._piece(memory.origin, lambda: self._next_value(memory, leaves))
        else:
            nodes = self._lower(memory.next, None).nodes
        for leaf, node in zip(leaves, nodes):
            self._feed(leaf, node)

    def _next_value(self, memory: CoreMemory, leaves: tuple[int, ...]) -> tuple[int, ...]:
        """The nodes of a memory's next value, with the obligation that they stay in its range."""
        type_ = memory.type
        nodes = self._widened(self._lower(memory.next, None), type_)
        if type_.base not in ("real", "int"):
            return nodes
        apply = self.builder.apply
        for leaf, node in zip(leaves, nodes):
            cell = self.cells[self.builder.nodes[leaf].value]
            low, high = (self.builder.constant(cell[end], type_.base) for end in ("low", "high"))
            claim = apply("and", (apply("less_equal", (low, node)), apply("less_equal", (node, high))))
            says = f"the next value of `{cell['name']}` stays in its range [{cell['low']}, {cell['high']}]"
            self._oblige("memory", says, node, claim, memory.next.span if memory.next.span.end else memory.span)
        return nodes

    def _property(self, item: CoreProperty) -> Property:
        """The claim of a property. Its steps, and the cells of its monitor state, come before it."""
        if not item.steps:
            claim = self._piece(item.origin, lambda: self._scalar(item.claim))
            return Property(item.kind, item.name, claim, item.origin.span)
        memories = []
        self.bound = {}
        for name, step in item.steps:
            if isinstance(step, CoreMemory):
                self._declare_memory(step)
                memories.append(step)
                self.bound[name] = self.stored[step.name]
            else:
                self.bound[name] = self._lower(step, None)
        for memory in memories:
            self._feed_memory(memory)
        claim = self._scalar(item.claim)
        antecedents = tuple(self.bound[name].nodes[0] for name in item.antecedents)
        return Property(item.kind, item.name, claim, item.origin.span, antecedents, item.pattern)
