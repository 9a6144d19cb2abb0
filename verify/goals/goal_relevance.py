"""Relevance of goals to each other: two goals are related if they depend on the same memory."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex


class GoalRelevance:
    """Finds related goals of one program. The memory of each goal is computed once."""

    def __init__(self, index: GraphIndex):
        self.index = index
        self._memory = sum(1 << node for node, _ in index.memory_nodes)
        self._cells: dict[str, int] = {}

    def cells(self, goal: Goal) -> int:
        """Returns bits of the memory leaves that a goal and its assumptions depend on, at any tick up to this one."""
        bits = self._cells.get(goal.id)
        if bits is None:
            bits = self._cells[goal.id] = self._closed(goal)
        return bits

    def among(self, goal: Goal, others: Sequence[Goal]) -> list[Goal]:
        """Returns those of `others` that share memory with `goal`, or with another goal that does."""
        reached, remaining = self.cells(goal), list(others)
        related: set[str] = set()
        grown = True
        while grown:
            near = [other for other in remaining if self.cells(other) & reached]
            grown = bool(near)
            for other in near:
                reached |= self.cells(other)
                related.add(other.id)
            remaining = [other for other in remaining if other.id not in related]
        return [other for other in others if other.id in related]

    def groups(self, goals: Sequence[Goal]) -> list[list[Goal]]:
        """Returns the goals in groups that share no memory."""
        remaining, groups = list(goals), []
        while remaining:
            near = self.among(remaining[0], remaining)
            group = near if remaining[0] in near else [remaining[0]]
            groups.append(group)
            remaining = [goal for goal in remaining if goal not in group]
        return groups

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
