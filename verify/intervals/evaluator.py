"""Interval evaluation of one tick, refined by what is known in a branch.

A *context* is a set of nodes known to lie in less than they could: behind a condition that holds, its operands are
narrowed, and theirs in turn. A node is evaluated anew in a context only if something it depends on is narrowed there.
End points are computed in round-to-nearest, which is exact for binary64 because correctly rounded operations are monotone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.intervals.contexts import Context, gather_narrowed, intersect_causes
from hl_dsl.verify.intervals.interning import ExpressionTable, Facts

from hl_dsl.operators.intervals import ANYTHING, EITHER, FALSE, INF, TRUE

_MOST_CONTEXTS = 2500  # past it, branches are evaluated without refinement, which is sound and only less exact
_FRAMES = 12  # of Python, for one node on the longest path through a program

EMPTY: Interval = (INF, -INF)  # the value of a node where no tick is possible; always this very tuple
_NOWHERE = Facts()
_NOWHERE.dead = True
_NOTHING = Facts()  # what a condition tells that is known to hold


class Evaluator:
    """Intervals of a program's nodes for one tick, from ranges of its memory cells.

    `root` knows the declared ranges only; `base` also that the assumptions (all, if none are named) hold at this tick.
    `nodes`: the only ones that will be asked for, and what they are computed from. `fixed`: other ranges for inputs and
    parameters than the declared ones. `numbers`: the expressions' numbers in the pool, where they are known already.
    """

    def __init__(
        self,
        index: GraphIndex,
        memory: Sequence[Interval],
        expressions: ExpressionTable | None = None,
        *,
        nodes: Iterable[int] | None = None,
        assumes: Sequence[int] | None = None,
        fixed: dict[int, Interval] | None = None,
        numbers: list[int] | None = None,
    ):
        # Evaluation is as deep as the program. Python frames take no C stack, so only the limit stands in the way.
        needed = _FRAMES * index.depth + 600
        if needed > sys.getrecursionlimit():
            sys.setrecursionlimit(needed)
        self.index = index
        self._told = None if expressions is None else expressions.told
        self.expressions = expressions = ExpressionTable() if expressions is None else expressions
        self._live, self._nodes, self._guards = index.live, index.nodes, index.guards
        self.numbers = numbers or expressions.ranged(index, leaf_ranges(index, memory, fixed), nodes)
        self._places: dict[int, int] | None = None
        self.contexts = 0
        self.root = Context(None, 0, expressions.root)
        self.base = self.root
        for node in index.assumes if assumes is None else assumes:
            if not self.base.dead:
                self.base = self.assume(self.base, node, True)

    def value(self, node: int, context: Context) -> Interval:
        """Everything the node can be where the context holds; EMPTY where nothing is possible."""
        live = self._live[node]
        if live & context.seen:
            while not live & context.mask:
                context = context.parent
        else:
            context = self.root
        number = self.numbers[node]
        found = context.values.get(number)
        if found is None:
            if context is self.root or self._told is None:
                found = self._compute(node, context)
            else:
                key = context.circumstances(number, self._live[node], self)
                found = self._told.get(key)
                if found is None:
                    found = self._compute(node, context)
                    if self.contexts <= _MOST_CONTEXTS:
                        self._told[key] = found
            context.values[number] = found
        return found

    def _compute(self, node: int, context: Context) -> Interval:
        op, args, _, form, _ = self._nodes[node]
        if form is None:
            return context.facts.narrowed[self.numbers[node]]
        guards = self._guards.get(op)
        if guards is not None:
            operands = self._guarded(args, guards, context)
        else:
            operands = [self.value(arg, context) for arg in args]
        for operand in operands:
            if operand is EMPTY:
                return EMPTY
        pair = (
            form.interval(*operands)
            if form.with_itself is None or args[0] != args[1]
            else form.with_itself(operands[0])
        )
        if context is self.root or not context.seen >> node & 1:
            return pair
        low, high = pair
        number = self.numbers[node]
        while context.parent is not None:
            known = context.facts.narrowed.get(number)
            if known is not None:
                low, high = max(low, known[0]), min(high, known[1])
                if low > high:
                    return EMPTY
            context = context.parent
        return (low, high)

    def _guarded(self, args: tuple, guards: tuple, context: Context) -> list[Interval]:
        """Operands, each evaluated where it is needed. A condition whose branch turns out to be empty is thereby decided."""
        pairs: list[Interval] = []
        for position, arg in enumerate(args):
            inner: Context | None = context
            for guarded, by, truth in guards:
                if guarded != position or inner is None or pairs[by] is EMPTY:
                    continue
                low, high = pairs[by]
                if low == high:
                    inner = inner if low == truth else None
                elif self._live[arg] & self._live[args[by]]:
                    inner = self.assume(inner, args[by], truth)
                    if inner.dead or self.value(arg, inner) is EMPTY:
                        pairs[by] = FALSE if truth else TRUE
                        inner = None
            if inner is None:
                pairs.append(EITHER if self._nodes[arg].base == "bool" else ANYTHING)
            else:
                pairs.append(self.value(arg, inner))
        return pairs

    def assume(self, context: Context, node: int, truth: bool) -> Context:
        """The context in which the bool `node` is also known to be `truth`. Not to be asked of a dead one."""
        node, truth = self.index.signed(node, truth)
        parts = self.index.parts(node, truth)
        if parts is not None:
            for part, wanted in parts:
                context = self.assume(context, part, wanted)
                if context.dead:
                    break
            return context
        key = 2 * self.numbers[node] + truth
        child = context.children.get(key)
        if child is None:
            facts = context.facts.children.get(key)
            if facts is None:
                child = self._assume(context, node, truth, key)
                if self.contexts <= _MOST_CONTEXTS:
                    context.facts.children[key] = child.facts
            else:
                child = self._found(context, facts)
            context.children[key] = child
        return child

    def _assume(self, context: Context, node: int, truth: bool, key: int) -> Context:
        told = self._told
        if told is None or context is self.root:
            return self.narrow(context, node, TRUE if truth else FALSE)
        place = context.circumstances(-1 - key, self._live[node], self)
        facts = told.get(place)
        if facts is None:
            child = self.narrow(context, node, TRUE if truth else FALSE)
            if self.contexts <= _MOST_CONTEXTS:
                told[place] = _NOTHING if child is context else child.facts
            return child
        return context if facts is _NOTHING else self._found(context, self.expressions.facts(facts))

    def _found(self, context: Context, facts: Facts) -> Context:
        """A context whose facts are known from an earlier evaluation."""
        if facts is context.facts:
            return context
        self.contexts += 1
        return Context(context, self._mask(facts.narrowed), facts)

    def narrow(self, parent: Context, node: int, pair: Interval) -> Context:
        """The context in which any `node` is also known to lie in `pair`; the same one where that is nothing new."""
        known = self.value(node, parent)
        if (pair[0] <= known[0] and known[1] <= pair[1] and known is not EMPTY) or self.contexts > _MOST_CONTEXTS:
            return parent
        self.contexts += 1
        if known[1] < pair[0] or pair[1] < known[0]:
            return Context(parent, 0, _NOWHERE)
        child = Context(parent, 0, self.expressions.facts())
        choices = self._propagate(parent, child, node, pair)
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
        for number, pair in gather_narrowed(final, parent).items():
            flat.facts.narrowed[number] = pair
        scope = final
        while scope is not parent:
            flat.masked(scope.mask)
            scope = scope.parent
        return flat

    @staticmethod
    def _dead(context: Context) -> Context:
        context.dead = context.facts.dead = True
        return context

    def _propagate(self, parent: Context, child: Context, node: int, pair: Interval) -> list[int]:
        """Narrows `node` and what follows for its operands. Gives the nodes met whose value has several possible causes."""
        narrowed, numbers, nodes, value = child.facts.narrowed, self.numbers, self._nodes, self.value
        choices: list[int] = []
        pending = [(node, pair)]
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
            entry = nodes[node]
            narrowed[numbers[node]] = (low, high)
            child.masked(1 << node)
            form = entry.form
            if form is None:
                continue
            args = entry.args
            told = None
            if form.refine is not None:
                if low == high:
                    operands = [narrowed.get(numbers[arg]) or value(arg, parent) for arg in args]
                    if EMPTY in operands:
                        self._dead(child)
                        return []
                    told = form.refine(low == 1, *operands, nodes[args[0]].base)
                    if nodes[args[0]].base == "bool" and len(args) == 2 and told[0] == EITHER:
                        choices.append(node)
            elif form.backward is not None:
                operands = [narrowed.get(numbers[arg]) or value(arg, parent) for arg in args]
                if EMPTY in operands:
                    self._dead(child)
                    return []
                told = form.backward((low, high), *operands, nodes[args[0]].base)
            elif entry.op in self._guards and (low == high or self._decides(node, low, high, parent)):
                choices.append(node)
            if told is not None:
                pending += [(arg, new) for arg, old, new in zip(args, operands, told) if new != old]
        return choices

    def _decides(self, node: int, low, high, context: Context) -> bool:
        """Whether one of the branches cannot give a value between `low` and `high`."""
        args = self._nodes[node].args
        for position, _, _ in self._guards[self._nodes[node].op]:
            known = self.value(args[position], context)
            if known[1] < low or high < known[0]:
                return True
        return False

    def _one_of(self, context: Context, node: int, pair: Interval) -> Context:
        """Narrows to what the possible causes of a node's value have in common; to the only cause, if there is one."""
        causes = []
        for steps in self._causes(node, pair, context):
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
        child.masked(self._mask(child.facts.narrowed))
        return child

    def _mask(self, narrowed: Iterable[int]) -> int:
        places = self.places()
        mask = 0
        for number in narrowed:
            mask |= 1 << places[number]
        return mask

    def places(self) -> dict[int, int]:
        """Nodes by their numbers."""
        if self._places is None:
            self._places = {number: node for node, number in enumerate(self.numbers)}
        return self._places

    def _causes(self, node: int, pair: Interval, context: Context) -> list[list[tuple[int, Interval]]]:
        """Cases, each a list of nodes with what they then are, one of which must be so."""
        entry = self._nodes[node]
        if entry.form.refine is None:
            cases = []
            for position, by, truth in self._guards[entry.op]:
                known = self.value(entry.args[position], context)
                if known[0] <= pair[1] and pair[0] <= known[1]:
                    cases.append([(entry.args[by], TRUE if truth else FALSE), (entry.args[position], pair)])
            return cases
        first, second = entry.args
        cases = []
        for case in (TRUE, FALSE):
            told = entry.form.refine(pair == TRUE, case, self.value(second, context), "bool")
            cases.append([(first, case)] + ([(second, told[1])] if told[1] in (TRUE, FALSE) else []))
        return cases


def leaf_ranges(
    index: GraphIndex, memory: Sequence[Interval], fixed: dict[int, Interval] | None = None
) -> dict[int, Interval]:
    """The range of every leaf that is no constant, by node."""
    leaves = dict(index.fixed if fixed is None else fixed)
    for node, cell in index.memory_nodes:
        leaves[node] = memory[cell]
    return leaves
