"""Interval evaluation of one tick, refined by what is known in a branch.

A *context* is a set of nodes known to lie in less than they could: behind a condition that holds, its operands are
narrowed, and theirs in turn. A node is evaluated anew in a context only if something it depends on is narrowed there.
End points are computed in round-to-nearest, which is exact for binary64 because correctly rounded operations are monotone.
"""

from __future__ import annotations

from typing import Sequence

from hl_dsl.operators.interval import ANYTHING, EITHER, FALSE, TRUE
from hl_dsl.verify.plan import Pair, Plan

_MOST_CONTEXTS = 4000  # past it, branches are evaluated without refinement, which is sound and only less exact


class Context:
    """What is narrowed, on top of a parent context. `dead`: nothing is possible here, the branch cannot be reached."""

    __slots__ = ("parent", "mask", "narrowed", "values", "children", "dead")

    def __init__(self, parent: "Context | None", mask: int, values: dict[int, Pair]):
        self.parent = parent
        self.mask = mask
        self.narrowed: dict[int, Pair] = {}
        self.values = values
        self.children: dict[int, Context] = {}
        self.dead = False


class Evaluator:
    """Intervals of a program's nodes for one tick, from ranges of its memory cells.

    `root` knows the declared ranges only; `base` also that the assumptions (all, if none are named) hold at this tick.
    """

    def __init__(self, plan: Plan, memory: Sequence[Pair], fixed: dict[int, Pair] | None = None, assumes: Sequence[int] | None = None):
        self.plan = plan
        self._steps, self._reach, self._live, self._nodes = plan.steps, plan.reach, plan.live, plan.nodes
        values = dict(plan.fixed if fixed is None else fixed)
        for node, cell in plan.memory_nodes:
            values[node] = memory[cell]
        self.contexts = 0
        self.root = Context(None, plan.always, values)
        self.base = self.root
        for node in plan.assumes if assumes is None else assumes:
            self.base = self.assume(self.base, node, True)

    def value(self, node: int, context: Context) -> Pair:
        """Everything the node can be where the context holds."""
        reach = self._reach[node]
        while not reach & context.mask:
            context = context.parent
        found = context.values.get(node)
        if found is None:
            found = context.values[node] = self._compute(node, context)
        return found

    def _compute(self, node: int, context: Context) -> Pair:
        args, interval, guards = self._steps[node]
        if interval is None:
            return context.narrowed[node]
        if guards:
            result = interval(*self._guarded(args, guards, context))
        elif len(args) == 2:
            result = interval(self.value(args[0], context), self.value(args[1], context))
        else:
            result = interval(*[self.value(arg, context) for arg in args])
        low, high = result
        scope = context
        while scope.parent is not None:
            known = scope.narrowed.get(node)
            if known is not None:
                low, high = max(low, known[0]), min(high, known[1])
                if low > high:
                    context.dead = True
                    return known
            scope = scope.parent
        return (low, high)

    def _guarded(self, args: tuple, guards: tuple, context: Context) -> list[Pair]:
        """Operands, each evaluated where it is needed. A condition whose branch turns out to be empty is thereby decided."""
        pairs: list[Pair] = []
        for position, arg in enumerate(args):
            inner = context
            for guarded, by, truth in guards:
                if guarded != position or inner is None:
                    continue
                low, high = pairs[by]
                if low == high:
                    inner = inner if low == truth else None
                elif self._live[arg] & self._live[args[by]]:
                    inner = self.assume(inner, args[by], truth)
                    if not inner.dead:
                        pair = self.value(arg, inner)
                    if inner.dead:
                        pairs[by] = FALSE if truth else TRUE
                        inner = None
            if inner is None:
                pairs.append(EITHER if self._nodes[arg].base == "bool" else ANYTHING)
            else:
                pairs.append(self.value(arg, inner))
        return pairs

    def assume(self, context: Context, node: int, truth: bool) -> Context:
        """The context in which the bool `node` is also known to be `truth`."""
        node, truth = self.plan.signed(node, truth)
        parts = self.plan.parts(node, truth)
        if parts is not None:
            for part, wanted in parts:
                context = self.assume(context, part, wanted)
                if context.dead:
                    break
            return context
        key = node if truth else ~node
        child = context.children.get(key)
        if child is None:
            child = context.children[key] = self._narrower(context, node, TRUE if truth else FALSE)
        return child

    def narrow(self, context: Context, node: int, pair: Pair) -> Context:
        """The context in which any `node` is also known to lie in `pair`."""
        return self._narrower(context, node, pair)

    def _narrower(self, parent: Context, node: int, pair: Pair) -> Context:
        known = self.value(node, parent)
        if (pair[0] <= known[0] and known[1] <= pair[1]) or self.contexts > _MOST_CONTEXTS:
            return parent
        self.contexts += 1
        child = Context(parent, 0, {})
        choices = self._propagate(parent, child, node, pair)
        for choice in choices:
            if child.dead:
                break
            child = self._one_of(child, choice, child.narrowed.get(choice) or self.value(choice, child))
        return child

    def _propagate(self, parent: Context, child: Context, node: int, pair: Pair) -> list[int]:
        """Narrows `node` and what follows for its operands. Gives the nodes met whose value has several possible causes."""
        narrowed, nodes, value = child.narrowed, self._nodes, self.value
        choices: list[int] = []
        pending = [(node, pair)]
        while pending:
            node, (low, high) = pending.pop()
            known = narrowed.get(node) or value(node, parent)
            if low < known[0]:
                low = known[0]
            if high > known[1]:
                high = known[1]
            if low > high:
                child.dead = True
                return []
            if low == known[0] and high == known[1]:
                continue
            entry = nodes[node]
            narrowed[node] = (low, high)
            child.mask |= 1 << node
            form = entry.form
            if form is None:
                continue
            args = entry.args
            told = None
            if form.refine is not None:
                if low == high:
                    operands = [narrowed.get(arg) or value(arg, parent) for arg in args]
                    told = form.refine(low == 1, *operands, nodes[args[0]].base)
                    if nodes[args[0]].base == "bool" and len(args) == 2 and told[0] == EITHER:
                        choices.append(node)
            elif form.backward is not None:
                operands = [narrowed.get(arg) or value(arg, parent) for arg in args]
                told = form.backward((low, high), *operands, nodes[args[0]].base)
            elif self._steps[node][2]:
                choices.append(node)
            if told is not None:
                pending += [(arg, new) for arg, old, new in zip(args, operands, told) if new != old]
        return choices

    def _one_of(self, context: Context, node: int, pair: Pair) -> Context:
        """Narrows to what the possible causes of a node's value have in common; to the only cause, if there is one."""
        causes = []
        for steps in self._causes(node, pair, context):
            cause = context
            for condition, wanted in steps:
                cause = self.assume(cause, condition, wanted == TRUE) if wanted in (TRUE, FALSE) else self._narrower(cause, condition, wanted)
                if cause.dead:
                    break
            if not cause.dead:
                causes.append(_gathered(cause, context))
        if not causes:
            context.dead = True
            return context
        child = Context(context, 0, {})
        for narrowed, low, high in _common(causes):
            child.narrowed[narrowed] = (low, high)
            child.mask |= 1 << narrowed
        return child if child.mask else context

    def _causes(self, node: int, pair: Pair, context: Context) -> list[list[tuple[int, Pair]]]:
        """Cases, each a list of nodes with what they then are, one of which must be so."""
        entry = self._nodes[node]
        guards = self._steps[node][2]
        if entry.form.refine is None:
            return [[(entry.args[by], TRUE if truth else FALSE), (entry.args[position], pair)] for position, by, truth in guards]
        first, second = entry.args
        cases = []
        for case in (TRUE, FALSE):
            told = entry.form.refine(pair == TRUE, case, self.value(second, context), "bool")
            cases.append([(first, case)] + ([(second, told[1])] if told[1] in (TRUE, FALSE) else []))
        return cases


def _gathered(context: Context, root: Context) -> dict[int, Pair]:
    """All that is narrowed between two contexts."""
    found: dict[int, Pair] = {}
    while context is not root:
        for node, pair in context.narrowed.items():
            found.setdefault(node, pair)
        context = context.parent
    return found


def _common(causes: list[dict[int, Pair]]) -> list[tuple[int, float, float]]:
    first, *others = causes
    found = []
    for node, (low, high) in first.items():
        for other in others:
            pair = other.get(node)
            if pair is None:
                break
            low, high = min(low, pair[0]), max(high, pair[1])
        else:
            found.append((node, low, high))
    return found
