"""Interval results that outlive one evaluation: across the rounds of a fixpoint, and across the mutants of a search.

An expression is named by a number that stands for it and for the ranges of all it is made from. So its interval, and
what a condition tells about it, are the same wherever the number comes up.
"""

from __future__ import annotations

from hl_dsl.verify.plan import Pair, Plan

_MOST_EXPRESSIONS = 300_000
_MOST_CONTEXTS = 30_000


class Facts:
    """What is known in a context, by the numbers of expressions: `narrowed`, on top of the context it stands in;
    `values`, as far as they were asked for; the contexts that stand in it. `dead`: nothing is possible there."""

    __slots__ = ("narrowed", "values", "children", "dead")

    def __init__(self):
        self.narrowed: dict[int, Pair] = {}
        self.values: dict[int, Pair] = {}
        self.children: dict[int, Facts] = {}
        self.dead = False


class Pool:
    """Numbers of expressions, and facts about them. One pool serves one operator table."""

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        self.numbers: dict[tuple, int] = {}
        self.root = Facts()
        self.contexts = 0

    def is_full(self) -> bool:
        return len(self.numbers) > _MOST_EXPRESSIONS or self.contexts > _MOST_CONTEXTS

    def number(self, key: tuple) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def facts(self) -> Facts:
        self.contexts += 1
        return Facts()

    def expressions(self, plan: Plan, leaves: dict[int, tuple], nodes=None) -> list[int]:
        """A number for each node (of `nodes`, if given; -1 for the others). `leaves` says what stands for a leaf that is no
        constant: a tuple that starts with a word."""
        numbers = self.numbers
        out = [-1] * len(plan.nodes)
        for position in range(len(out)) if nodes is None else nodes:
            node = plan.nodes[position]
            if node.form is not None:
                args = node.args
                if len(args) == 2:
                    key = (node.op, out[args[0]], out[args[1]])
                else:
                    key = (node.op, *[out[arg] for arg in args])
            elif node.op == "constant":
                # 0.0 and -0.0 are equal as keys and differ as operands.
                key = (node.base, node.value if node.value else repr(node.value))
            else:
                key = leaves[position]
            found = numbers.get(key)
            if found is None:
                found = numbers[key] = len(numbers)
            out[position] = found
        return out

    def ranged(self, plan: Plan, leaves: dict[int, Pair], nodes=None) -> list[int]:
        """Numbers of expressions over leaves with these ranges, whose values are then known."""
        keys = {position: (*plan.leaf_keys[position], pair) for position, pair in leaves.items()}
        found = self.expressions(plan, keys, nodes)
        values = self.root.values
        for position, pair in leaves.items():
            values[found[position]] = pair
        for position, pair in plan.constants.items():
            values[found[position]] = pair
        values.pop(-1, None)
        return found
