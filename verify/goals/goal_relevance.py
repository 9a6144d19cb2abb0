"""Which goals can help to prove which: those that speak of the same memory, at this tick or any earlier one."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex


class GoalRelevance:
    """Answers are kept, as the same goals are asked about again and again."""

    def __init__(self, index: GraphIndex):
        self.index = index
        self._memory = sum(1 << node for node, _ in index.memory_nodes)
        self._cells: dict[str, int] = {}

    def cells(self, goal: Goal) -> int:
        """Bits of the memory leaves that decide a goal, the assumptions about it counted in."""
        found = self._cells.get(goal.id)
        if found is None:
            found = self._cells[goal.id] = self._closed(goal)
        return found

    def among(self, goal: Goal, others: Sequence[Goal]) -> list[Goal]:
        """Those of the others that share memory with the goal, or with another one that does."""
        reached, rest, found = self.cells(goal), list(others), set()
        grown = True
        while grown:
            near = [other for other in rest if self.cells(other) & reached]
            grown = bool(near)
            for other in near:
                reached |= self.cells(other)
                found.add(other.id)
            rest = [other for other in rest if other.id not in found]
        return [other for other in others if other.id in found]

    def groups(self, goals: Sequence[Goal]) -> list[list[Goal]]:
        """Goals in groups that share no memory."""
        rest, found = list(goals), []
        while rest:
            near = self.among(rest[0], rest)
            group = near if rest[0] in near else [rest[0]]
            found.append(group)
            rest = [goal for goal in rest if goal not in group]
        return found

    def _closed(self, goal: Goal) -> int:
        index = self.index
        bits = 0
        for node in goal.nodes:
            bits |= index.live[node]
        while True:
            reached, _ = index.touching(bits)
            for node, cell in index.memory_nodes:
                if reached >> node & 1:
                    reached |= index.live[index.flow.memories[cell].next]
            if reached == bits:
                return bits & self._memory
            bits = reached
