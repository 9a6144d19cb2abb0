"""Backward propagation: intervals of operands that follow from what is known about a result."""

from __future__ import annotations

from collections.abc import Iterable

from hl_dsl.compiler.ir.dataflow import Node
from hl_dsl.operators.intervals import EITHER, FALSE, INF, TRUE
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.contexts import Context, gather_narrowed, intersect_causes
from hl_dsl.verify.intervals.interning import ExpressionTable, Facts

# Limit for one evaluator. Beyond it, branches are evaluated without refinement, which is sound and less exact.
MOST_CONTEXTS = 2500

EMPTY: Interval = (INF, -INF)  # the value of a node where no tick is possible; always this very tuple


class Narrowing:
    """Narrows nodes in contexts. `Evaluator` adds the evaluation of nodes and of conditions.

    Attributes:
        index: The program.
        expressions: The table that `numbers` belong to.
        numbers: The expression number of each node.
        contexts: Number of contexts created so far.
    """

    def __init__(self, index: GraphIndex, expressions: ExpressionTable, numbers: list[int]):
        self.index = index
        self.expressions = expressions
        self.numbers = numbers
        self.contexts = 0
        self._nodes: list[Node] = index.nodes
        self._guards = index.guards
        self._positions: dict[int, int] | None = None

    def value(self, node: int, context: Context) -> Interval:
        """Returns every value the node can have where the context holds."""
        raise NotImplementedError

    def assume(self, context: Context, node: int, truth: bool) -> Context:
        """Returns the context in which the bool `node` is also `truth`."""
        raise NotImplementedError

    def narrow(self, parent: Context, node: int, interval: Interval) -> Context:
        """Returns the context in which `node` also lies in `interval`; `parent` itself if that is known already."""
        known = self.value(node, parent)
        if (
            interval[0] <= known[0] and known[1] <= interval[1] and known is not EMPTY
        ) or self.contexts > MOST_CONTEXTS:
            return parent
        self.contexts += 1
        if known[1] < interval[0] or interval[1] < known[0]:
            return Context(parent, 0, self.expressions.impossible)
        child = Context(parent, 0, self.expressions.facts())
        choices = self._propagate(parent, child, node, interval)
        final = child
        for choice in choices:
            if final.dead:
                break
            known = self.value(choice, final)
            if known is EMPTY:
                return self._dead(child)
            final = self._one_of(final, choice, known)
        if final.dead:
            return self._dead(child)
        if final is child:
            return child
        flat = Context(parent, 0, self.expressions.facts())
        for number, interval in gather_narrowed(final, parent).items():
            flat.facts.narrowed[number] = interval
        scope = final
        while scope is not parent:
            flat.add_mask(scope.mask)
            assert scope.parent is not None  # `parent` is an ancestor
            scope = scope.parent
        return flat

    @staticmethod
    def _dead(context: Context) -> Context:
        context.dead = context.facts.dead = True
        return context

    def _propagate(self, parent: Context, child: Context, node: int, interval: Interval) -> list[int]:
        """Narrows `node` and its operands in `child`.

        Returns the visited nodes whose value has several possible causes.
        """
        narrowed, numbers, nodes, value = child.facts.narrowed, self.numbers, self._nodes, self.value
        choices: list[int] = []
        pending = [(node, interval)]
        while pending:
            node, (low, high) = pending.pop()
            known = narrowed.get(numbers[node]) or value(node, parent)
            if low < known[0]:
                low = known[0]
            if high > known[1]:
                high = known[1]
            if low > high:
                self._dead(child)
                return []
            if low == known[0] and high == known[1]:
                continue
            op, args, _, form, _ = nodes[node]
            narrowed[numbers[node]] = (low, high)
            child.add_mask(1 << node)
            if form is None:
                continue
            implied = None
            if form.refine is not None:
                if low == high:
                    operands = [narrowed.get(numbers[arg]) or value(arg, parent) for arg in args]
                    if EMPTY in operands:
                        self._dead(child)
                        return []
                    implied = form.refine(low == 1, *operands, nodes[args[0]].base)
                    if nodes[args[0]].base == "bool" and len(args) == 2 and implied[0] == EITHER:
                        choices.append(node)
            elif form.backward is not None:
                operands = [narrowed.get(numbers[arg]) or value(arg, parent) for arg in args]
                if EMPTY in operands:
                    self._dead(child)
                    return []
                implied = form.backward((low, high), *operands, nodes[args[0]].base)
            elif op in self._guards and (low == high or self._decides(node, low, high, parent)):
                choices.append(node)
            if implied is not None:
                pending += [(arg, new) for arg, old, new in zip(args, operands, implied) if new != old]
        return choices

    def _decides(self, node: int, low: float, high: float, context: Context) -> bool:
        """Returns True if one of the branches of a node cannot give a value between `low` and `high`."""
        args = self._nodes[node].args
        for position, _, _ in self._guards[self._nodes[node].op]:
            known = self.value(args[position], context)
            if known[1] < low or high < known[0]:
                return True
        return False

    def _one_of(self, context: Context, node: int, interval: Interval) -> Context:
        """Narrows to what the possible causes of a node's value have in common; to the only cause if there is one."""
        causes = []
        for steps in self._causes(node, interval, context):
            cause = context
            for condition, wanted in steps:
                cause = (
                    self.assume(cause, condition, wanted == TRUE)
                    if self._nodes[condition].base == "bool" and wanted in (TRUE, FALSE)
                    else self.narrow(cause, condition, wanted)
                )
                if cause.dead:
                    break
            if not cause.dead:
                causes.append(gather_narrowed(cause, context))
        child = Context(context, 0, self.expressions.facts())
        if not causes:
            return self._dead(child)
        for number, low, high in intersect_causes(causes):
            child.facts.narrowed[number] = (low, high)
        if not child.facts.narrowed:
            return context
        child.add_mask(self._mask(child.facts.narrowed))
        return child

    def _causes(self, node: int, interval: Interval, context: Context) -> list[list[tuple[int, Interval]]]:
        """Returns cases, one of which must hold. Each is a list of nodes with their intervals in that case."""
        op, args, _, form, _ = self._nodes[node]
        cases = []
        if form is None or form.refine is None:
            for position, by, truth in self._guards[op]:
                known = self.value(args[position], context)
                if known[0] <= interval[1] and interval[0] <= known[1]:
                    cases.append([(args[by], TRUE if truth else FALSE), (args[position], interval)])
            return cases
        first, second = args
        for case in (TRUE, FALSE):
            implied = form.refine(interval == TRUE, case, self.value(second, context), "bool")
            cases.append([(first, case)] + ([(second, implied[1])] if implied[1] in (TRUE, FALSE) else []))
        return cases

    def _known_context(self, context: Context, facts: Facts) -> Context:
        """Returns a context inside `context` whose facts are known from an earlier evaluation."""
        if facts is context.facts:
            return context
        self.contexts += 1
        return Context(context, self._mask(facts.narrowed), facts)

    def _mask(self, narrowed: Iterable[int]) -> int:
        positions = self.positions()
        mask = 0
        for number in narrowed:
            mask |= 1 << positions[number]
        return mask

    def positions(self) -> dict[int, int]:
        """Returns the node of each expression number."""
        if self._positions is None:
            self._positions = {number: node for node, number in enumerate(self.numbers)}
        return self._positions
