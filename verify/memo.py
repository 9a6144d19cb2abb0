"""What is remembered from one program to the next, so that a mutant only costs what is new in it.

Everything is kept under a number that stands for a whole expression and the ranges of what it is made from. A verdict
found in a memo is therefore the one that a proof from scratch would give, whatever was proved before.
"""

from __future__ import annotations

from typing import Sequence

from hl_dsl.verify.plan import Pair, Plan

_LARGEST = 500_000  # expressions; then the memo starts afresh


class Memo:
    """Ranges of groups of memory cells, and verdicts of goals. One memo serves one operator table."""

    def __init__(self):
        self.numbers: dict[tuple, int] = {}
        self.ranges: dict[tuple, tuple[Pair, ...]] = {}
        self.verdicts: dict[tuple, str] = {}

    def begin(self) -> None:
        """Called once for each program."""
        if len(self.numbers) > _LARGEST:
            self.__init__()

    def number(self, key: tuple) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def expressions(self, plan: Plan, cells: Sequence[tuple]) -> list[int]:
        """A number for every node, equal where the expressions are. `cells` says what stands for each memory cell."""
        known = self.numbers
        flow = plan.flow
        out: list[int] = []
        for node in plan.nodes:
            if node.form is not None:
                args = node.args
                if len(args) == 2:
                    key = (node.op, out[args[0]], out[args[1]])
                else:
                    key = (node.op, *[out[arg] for arg in args])
            elif node.op == "constant":
                # 0.0 and -0.0 are equal as keys and differ as operands.
                key = (node.base, node.value if node.value else repr(node.value))
            elif node.op == "memory":
                key = cells[node.value]
            else:
                entry = (flow.inputs if node.op == "input" else flow.parameters)[node.value]
                key = (node.op, entry.name, entry.base, entry.low, entry.high)
            found = known.get(key)
            if found is None:
                found = known[key] = len(known)
            out.append(found)
        return out
