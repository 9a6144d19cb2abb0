"""Checked program to intermediate form."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Dataflow, Value
from hl_dsl.compiler.lowering.finish import numbered
from hl_dsl.compiler.lowering.incremental import IncrementalLowering
from hl_dsl.compiler.lowering.plan import lower_plan
from hl_dsl.compiler.lowering.properties import lower_property
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    Memory,
    Modes,
    Param,
    PlanDeclaration,
    PropertyDeclaration,
)

from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.language.types import Type, scalar
from hl_dsl.operators import OPERATORS


def lower(checked: CheckedProgram, reuse: DeclarationCache | None = None) -> Dataflow:
    """Lowers a whole program. Every let is lowered, used or not, because `let` is strict. `reuse` is the one the program
    was checked with: what it has of other programs makes this quicker, and nothing else."""
    lowering = Lowering(checked, reuse)
    lowering.run()
    return lowering.result()


class Lowering(IncrementalLowering):
    def run(self) -> None:
        policy = self.checked.policy
        memories = list(policy.of(Memory))
        for param in policy.of(Param):
            self._declare_param(param)
        for memory in memories:
            self._declare_memory(memory)
        for plan in policy.of(PlanDeclaration):
            self._declare_plan(plan)
        if self.symbols.modes:
            self._declare_mode()
        for name in self.checked.order:
            self._named(name)
        for memory in memories:
            self._memory_next(memory)
        for plan in policy.of(PlanDeclaration):
            self.plan = lower_plan(self, plan)
        for item in policy.of(PropertyDeclaration):
            self.properties.append(lower_property(self, item))

    def result(self) -> Dataflow:
        lets = tuple(name for name in self.checked.order if name not in ("mode", "action"))
        return numbered(self, lets)

    # named things

    def _named(self, name: str) -> Value:
        """The value of a definition; its obligations hold without condition, wherever it is used."""
        if name not in self.values:
            self.pending.add(name)
            outer, self.guard = (self.guard, self.site), None
            outer_site, self.site = outer[1], None
            if name == "mode":
                modes = self.symbols[name].declaration
                value = Value(scalar("mode"), (self._piece(modes, self._next_mode, self.stored_mode),))
                self._feed(self.stored_mode, value.nodes[0])
            elif name == "action":
                value = self._action()
            else:
                let = self.symbols[name].declaration
                value = self._piece(let, lambda: self._lower(let.expression, None))
            self.values[name] = value
            self.guard, self.site = outer[0], outer_site
            self.pending.discard(name)
            if not self.pending:
                self._feed_postponed()
        return self.values[name]

    def _next_mode(self) -> int:
        """The stored mode's first true transition fires, at most one."""
        build, result = self.builder, self.stored_mode
        modes = next(self.checked.policy.of(Modes)).modes
        for position in reversed(range(len(modes))):
            here = build.apply("equal", (self.stored_mode, build.constant(position, "int")))
            target = self._first(
                [
                    (t.condition, build.constant(self.symbols[t.target].declaration, "int"))
                    for t in modes[position].transitions
                ],
                build.constant(position, "int"),
                here,
            )
            result = target if position == len(modes) - 1 else build.apply("if", (here, target, result))
        return result

    def _first(self, choices: list, otherwise: int, guard: int | None) -> int:
        """Nodes chosen by the first true condition; each condition is lowered under the ones before being false."""
        outer, self.guard = self.guard, guard
        conditions = []
        for condition, node in choices:
            test = self._scalar(condition)
            conditions.append((test, node))
            self._also(test, False)
        result = otherwise
        for test, node in reversed(conditions):
            result = self.builder.apply("if", (test, node, result))
        self.guard = outer
        return result

    def _action(self) -> Value:
        policy = self.checked.policy
        top = next(policy.of(Act), None)
        if top is not None:
            return self._piece(top, lambda: self._acting(self._decide(top, self.symbols["action"].type)))
        mode = self._named("mode").nodes[0]
        return self._piece(self.symbols["mode"].declaration, lambda: self._action_by_mode(mode), mode)

    def _action_by_mode(self, mode: int) -> Value:
        modes = self.symbols["mode"].declaration.modes
        nodes = None
        for position in reversed(range(len(modes))):
            here = self.builder.apply("equal", (mode, self.builder.constant(position, "int")))
            self.guard = here
            chosen = self._decide(modes[position].act, self.symbols["action"].type)
            self.guard = None
            nodes = (
                chosen
                if nodes is None
                else tuple(self.builder.apply("if", (here, a, b)) for a, b in zip(chosen, nodes))
            )
        return self._acting(nodes)

    def _acting(self, nodes: tuple[int, ...]) -> Value:
        """The action, of these nodes, as the environment takes it."""
        type_ = self.symbols["action"].type
        if self.checked.card.action.dtype == "float32" and type_.base == "real":
            nodes = tuple(self._primitive(OPERATORS["float32"], (node,)) for node in nodes)
        return Value(type_, nodes)

    def _decide(self, act: Act, type_: Type) -> tuple[int, ...]:
        outer = self.guard
        decided = []
        for rule in act.rules:
            test = None if rule.condition is None else self._scalar(rule.condition)
            before = self.guard
            if test is not None:
                self._also(test, True)
            decided.append((test, self._widened(self._lower(rule.value, None), type_)))
            self.guard = before
            if test is not None:
                self._also(test, False)
        self.guard = outer
        result = decided[-1][1]
        for test, nodes in reversed(decided[:-1]):
            result = tuple(self.builder.apply("if", (test, a, b)) for a, b in zip(nodes, result))
        return result

    def _memory_next(self, memory: Memory) -> None:
        leaves = self.values[memory.name].nodes
        for leaf, node in zip(leaves, self._piece(memory, lambda: self._stored(memory, leaves))):
            self._feed(leaf, node)

    def _stored(self, memory: Memory, leaves: tuple[int, ...]) -> tuple[int, ...]:
        type_ = self.symbols[memory.name].type
        nodes = self._widened(self._lower(memory.next, None), type_)
        if type_.base in ("real", "int"):
            for leaf, node in zip(leaves, nodes):
                cell = self.cells[self.builder.nodes[leaf].value]
                bounds = tuple(self.builder.constant(cell[end], type_.base) for end in ("low", "high"))
                claim = self.builder.apply(
                    "and",
                    (
                        self.builder.apply("less_equal", (bounds[0], node)),
                        self.builder.apply("less_equal", (node, bounds[1])),
                    ),
                )
                self._oblige(
                    "memory",
                    f"the next value of `{cell['name']}` stays in its range [{cell['low']}, {cell['high']}]",
                    node,
                    claim,
                    memory.next.span,
                )
        return nodes
