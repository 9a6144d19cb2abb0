"""The interval stage: what intervals alone prove, and the memory ranges that later stages start from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow, Obligation
from hl_dsl.operators.intervals import FALSE, INF, TRUE
from hl_dsl.operators.scalar import LARGEST_INT
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.dependency_groups import DependencyGroup, find_groups
from hl_dsl.verify.intervals.evaluator import Evaluator, leaf_ranges
from hl_dsl.verify.intervals.fixpoint import solve_group
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.search_cache import SearchCache


class IntervalStage:
    """Interval verdicts on a program's obligations and invariants: PROVED, VACUOUS (proved too) or OPEN.

    Args:
        flow: The program.
        search_cache: Results of earlier programs; those that this program shares are reused.

    Attributes:
        ranges: Ranges of the memory cells that hold in every reachable state.
    """

    def __init__(self, flow: Dataflow, search_cache: SearchCache | None = None):
        self.flow = flow
        self.index = GraphIndex(flow)
        self.search_cache = search_cache = SearchCache() if search_cache is None else search_cache
        search_cache.start_program()
        expressions = search_cache.expressions
        numbers = expressions.program(self.index)
        self.ranges = self._solve(numbers)
        self._evaluator: Evaluator | None = None
        self._numbers = expressions.ranged(self.index, leaf_ranges(self.index, self.ranges), numbers=numbers)
        self._assumed = expressions.number(("assumes", *[self._numbers[node] for node in self.index.assumes]))

    def _solve(self, numbers: list[int]) -> list[Interval]:
        """Returns the ranges of all memory cells. `numbers` are the program's expression numbers."""
        ranges: list[Interval] = [(-INF, INF)] * len(self.flow.memories)
        search_cache, index = self.search_cache, self.index
        for group in find_groups(index):
            key = self._key(group, numbers, ranges)
            known = search_cache.ranges.get(key)
            if known is None:
                solve_group(index, group, ranges, search_cache.expressions, numbers)
                search_cache.ranges[key] = tuple(ranges[cell] for cell in group.cells)
            else:
                for cell, interval in zip(group.cells, known):
                    ranges[cell] = interval
        return ranges

    def _key(self, group: DependencyGroup, numbers: list[int], ranges: list[Interval]) -> Hashable:
        """Returns everything that the ranges of a group's cells depend on."""
        cells = self.flow.memories
        own = tuple(
            (cell.name, cell.declared, cell.base, cell.start, cell.low, cell.high, numbers[cell.next])
            for cell in (cells[position] for position in group.cells)
        )
        before = tuple(
            (cells[position].name, cells[position].declared, cells[position].base, ranges[position])
            for position in group.before
        )
        return own, before, tuple(numbers[node] for node in group.assumes)

    @property
    def evaluator(self) -> Evaluator:
        """Intervals of one tick in any reachable state."""
        if self._evaluator is None:
            self._evaluator = Evaluator(self.index, self.ranges, self.search_cache.expressions, numbers=self._numbers)
        return self._evaluator

    def impossible(self) -> bool:
        """Returns True if the assumptions hold at no tick in any reachable state."""
        if not self.index.assumes:
            return False
        verdicts = self.search_cache.verdicts
        key = ("impossible", self._assumed)
        verdict = verdicts.get(key)
        if verdict is None:
            verdict = verdicts[key] = ProofStatus.VACUOUS if self.evaluator.base.dead else ProofStatus.OPEN
        return verdict == ProofStatus.VACUOUS

    def obligation(self, item: Obligation) -> ProofStatus:
        """Returns the verdict on an obligation: PROVED or OPEN."""
        numbers, verdicts = self._numbers, self.search_cache.verdicts
        key = (
            item.kind,
            numbers[item.subject],
            -1 if item.guard is None else numbers[item.guard],
            -1 if item.claim is None else numbers[item.claim],
            self._assumed,
            self.index.without_assumptions(item),
        )
        verdict = verdicts.get(key)
        if verdict is None:
            verdict = verdicts[key] = self._obligation(item)
        return verdict

    def invariant(self, node: int, antecedents: Sequence[int] = ()) -> ProofStatus:
        """Returns the verdict on an invariant.

        Args:
            node: The bool node that must hold.
            antecedents: Nodes that must be able to hold, or else the invariant is vacuous.
        """
        verdicts = self.search_cache.verdicts
        key = ("invariant", self._numbers[node], *(self._numbers[item] for item in antecedents), self._assumed)
        verdict = verdicts.get(key)
        if verdict is None:
            verdict = verdicts[key] = self._invariant(node, antecedents)
        return verdict

    def context(self, item: Obligation) -> Context:
        """Returns the context in which an obligation must hold."""
        evaluator = self.evaluator
        context = evaluator.root if self.index.without_assumptions(item) else evaluator.base
        return context if item.guard is None or context.dead else evaluator.assume(context, item.guard, True)

    def _obligation(self, item: Obligation) -> ProofStatus:
        context = self.context(item)
        if context.dead:
            return ProofStatus.PROVED
        interval = self.evaluator.value(item.subject if item.claim is None else item.claim, context)
        return ProofStatus.PROVED if holds(item, interval) else ProofStatus.OPEN

    def _invariant(self, node: int, antecedents: Sequence[int]) -> ProofStatus:
        evaluator = self.evaluator
        if evaluator.base.dead:
            return ProofStatus.VACUOUS
        interval = evaluator.value(node, evaluator.base)
        if interval is EMPTY:
            return ProofStatus.VACUOUS
        if interval != TRUE:
            return ProofStatus.OPEN  # only a proved invariant can be vacuous
        if self._has_unmet_antecedent(node, antecedents, evaluator.base):
            return ProofStatus.VACUOUS
        return ProofStatus.PROVED

    def _has_unmet_antecedent(self, node: int, antecedents: Sequence[int], context: Context) -> bool:
        conditions = find_antecedents(self.index, node, antecedents)
        return find_unmet_antecedent(self.evaluator, context, conditions) is not None


def holds(item: Obligation, interval: Interval) -> bool:
    """Returns True if an obligation holds for all values of its claim, or of its subject if it has no claim."""
    if interval is EMPTY:
        return True
    if item.claim is not None:
        return interval == TRUE
    if item.kind == "finite":
        return interval[0] > -INF and interval[1] < INF
    return interval[0] >= -LARGEST_INT and interval[1] <= LARGEST_INT


def find_unmet_antecedent(evaluator: Evaluator, context: Context, conditions: Sequence[tuple[int, bool]]) -> int | None:
    """Returns the first of the conditions (node, truth) that never holds according to the intervals."""
    for condition, truth in conditions:
        inner = evaluator.assume(context, condition, truth)
        if inner.dead or evaluator.value(condition, inner) in (EMPTY, FALSE if truth else TRUE):
            return condition
    return None


def find_antecedents(index: GraphIndex, node: int, antecedents: Sequence[int] = ()) -> list[tuple[int, bool]]:
    """Returns the conditions (node, truth) without which a property has no meaning.

    These are its declared `antecedents` and the conditions of its implications, also under conjunctions.
    """
    if antecedents:
        return [*((condition, True) for condition in antecedents), *find_antecedents(index, node)]
    entry = index.nodes[node]
    if entry.op == "implies":
        return [(entry.args[0], True), *find_antecedents(index, entry.args[1])]
    if entry.op == "and":
        return [condition for arg in entry.args for condition in find_antecedents(index, arg)]
    return []
