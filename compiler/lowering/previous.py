"""Desugaring of `previous(x, start)` to memory, on the graph.

`previous(x, start)` is a cell that starts as `start` and is fed with `x` at every tick. Two of them share a cell if `x`
is the same node and `start` the same literal. The tree does not show which expressions become the same node, so this
construct is desugared while expressions are lowered, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.dataflow import Value
from hl_dsl.compiler.lowering.leaves import Leaves
from hl_dsl.grammar.tree.syntax_tree import Expression, Name, Previous
from hl_dsl.language.dependencies import instantaneous_names, needs
from hl_dsl.language.types import Type

Locals = Mapping[str, Value] | None  # values of a formula's parameters


class PreviousValues(Leaves):
    """Cells of `previous`. `_lower` is that of expressions (`compiler/lowering/expressions.py`)."""

    def _lower(self, node: Any, locals_: Locals) -> Value:
        raise NotImplementedError

    @cached_property
    def needs(self) -> dict[str, list[Name]]:
        """The names that each definition needs in the same tick."""
        return needs(self.checked.policy)

    def _previous(self, node: Previous, locals_: Locals) -> Value:
        if locals_ is None and self._is_pending(node.expression):
            return self._postponed(node)
        value, starts = self._previous_value(node, locals_)
        nodes = []
        for component, start in zip(value.nodes, starts):
            key = (component, repr(start))
            if key not in self.previous_cells:
                self.previous_cells[key] = self._previous_cell(value.type.element, start, node.span)
                self._feed(self.previous_cells[key], component)
            leaf = self.previous_cells[key]
            self.builder.used[leaf] = None
            self.previous_met.append((key, leaf, node.span))
            nodes.append(leaf)
        return Value(value.type, tuple(nodes))

    def _previous_value(self, node: Previous, locals_: Locals) -> tuple[Value, list[Any]]:
        # The cell is fed at every tick, so the value that feeds it is needed without condition.
        outer, self.guard = self.guard, None
        value = self._lower(node.expression, locals_)
        self.guard = outer
        return value, self._literals(node.start, value.type)

    def _previous_cell(self, type_: Type, start: Any, span: Span) -> int:
        self.previous_count += 1
        return self._cell(f"previous_{self.previous_count}", type_, None, None, start, span)

    def _is_pending(self, expression: Expression) -> bool:
        """Whether the expression needs a definition that is being lowered right now.

        That is a cycle through memory, such as `previous(action, NOOP)` in a condition of the action.
        """
        if not self.pending:
            return False
        seen: set[str] = set()
        stack = [name.name for name in instantaneous_names(expression)]
        while stack:
            name = stack.pop()
            if name in self.pending:
                return True
            if name not in seen:
                seen.add(name)
                stack.extend(used.name for used in self.needs.get(name, ()))
        return False

    def _postponed(self, node: Previous) -> Value:
        """Cells whose next value is lowered after the definitions that are pending."""
        type_ = self.checked.types[id(node.expression)]
        key = (repr(node.expression), repr(node.start))
        if key not in self.postponed:
            starts = self._literals(node.start, type_)
            self.postponed[key] = (
                node,
                tuple(self._previous_cell(type_.element, start, node.span) for start in starts),
            )
        return Value(type_, self.postponed[key][1])

    def _feed_postponed(self) -> None:
        waiting, self.postponed = self.postponed, {}
        for node, leaves in waiting.values():
            value, starts = self._previous_value(node, None)
            for leaf, component, start in zip(leaves, value.nodes, starts):
                self._feed(leaf, component)
                self.previous_cells.setdefault((component, repr(start)), leaf)
