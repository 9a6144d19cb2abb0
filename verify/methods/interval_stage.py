"""The first tier: what intervals alone can prove of a program, and the memory ranges that later tiers start from."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow, Obligation
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.dependency_groups import DependencyGroup, find_groups
from hl_dsl.verify.intervals.evaluator import EMPTY, Context, Evaluator, leaf_ranges
from hl_dsl.verify.intervals.fixpoint import solve_group
from hl_dsl.verify.methods.search_cache import SearchCache

from hl_dsl.operators.intervals import FALSE, INF, TRUE
from hl_dsl.operators.scalar import LARGEST_INT


class IntervalStage:
    """Interval verdicts ("proved", "vacuous" or "open") of a program's obligations and invariants. What is "vacuous" is proved too.

    With a `memo`, what an earlier program had in common with this one is looked up.
    """

    def __init__(self, flow: Dataflow, search_cache: SearchCache | None = None):
        self.flow = flow
        self.index = GraphIndex(flow)
        self.search_cache = search_cache = SearchCache() if search_cache is None else search_cache
        search_cache.begin()
        numbers = search_cache.expressions.program(self.index)
        self.ranges = self._solve(numbers)
        self._evaluator: Evaluator | None = None
        self._numbers = search_cache.expressions.ranged(
            self.index, leaf_ranges(self.index, self.ranges), numbers=numbers
        )
        self._assumed = search_cache.expressions.number(
            ("assumes", *[self._numbers[node] for node in self.index.assumes])
        )

    def _solve(self, numbers: list[int]) -> list[Interval]:
        """Ranges of all memory cells, group after group. `numbers` are the program's in the memo's pool."""
        ranges: list[Interval] = [(-INF, INF)] * len(self.flow.memories)
        search_cache, index = self.search_cache, self.index
        for group in find_groups(index):
            key = self._key(group, numbers, ranges)
            known = search_cache.ranges.get(key)
            if known is None:
                solve_group(index, group, ranges, search_cache.expressions, numbers)
                search_cache.ranges[key] = tuple(ranges[cell] for cell in group.cells)
            else:
                for cell, pair in zip(group.cells, known):
                    ranges[cell] = pair
        return ranges

    def _key(self, group: DependencyGroup, numbers: list[int], ranges: list[Interval]) -> tuple:
        """What the ranges of a group's cells depend on."""
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
        """One tick in any reachable state."""
        if self._evaluator is None:
            self._evaluator = Evaluator(self.index, self.ranges, self.search_cache.expressions, numbers=self._numbers)
        return self._evaluator

    def impossible(self) -> bool:
        """Whether the assumptions leave no tick in any reachable state."""
        if not self.index.assumes:
            return False
        key = ("impossible", self._assumed)
        verdict = self.search_cache.verdicts.get(key)
        if verdict is None:
            verdict = self.search_cache.verdicts[key] = (
                ProofStatus.VACUOUS if self.evaluator.base.dead else ProofStatus.OPEN
            )
        return verdict == ProofStatus.VACUOUS

    def obligation(self, item: Obligation) -> ProofStatus:
        numbers = self._numbers
        key = (
            item.kind,
            numbers[item.subject],
            -1 if item.guard is None else numbers[item.guard],
            -1 if item.claim is None else numbers[item.claim],
            self._assumed,
            self.index.without_assumptions(item),
        )
        verdict = self.search_cache.verdicts.get(key)
        if verdict is None:
            verdict = self.search_cache.verdicts[key] = self._obligation(item)
        return verdict

    def invariant(self, node: int, antecedents: Sequence[int] = ()) -> ProofStatus:
        """`asked`: nodes that must be possible for the invariant to say anything."""
        key = (
            "invariant",
            self._numbers[node],
            *(self._numbers[condition] for condition in antecedents),
            self._assumed,
        )
        verdict = self.search_cache.verdicts.get(key)
        if verdict is None:
            verdict = self.search_cache.verdicts[key] = self._invariant(node, antecedents)
        return verdict

    def context(self, item: Obligation) -> Context:
        """Where an obligation is to hold."""
        evaluator = self.evaluator
        context = evaluator.root if self.index.without_assumptions(item) else evaluator.base
        return context if item.guard is None or context.dead else evaluator.assume(context, item.guard, True)

    def _obligation(self, item: Obligation) -> ProofStatus:
        context = self.context(item)
        if context.dead:
            return ProofStatus.PROVED
        pair = self.evaluator.value(item.subject if item.claim is None else item.claim, context)
        return ProofStatus.PROVED if holds(item, pair) else ProofStatus.OPEN

    def _invariant(self, node: int, antecedents: Sequence[int]) -> ProofStatus:
        evaluator = self.evaluator
        if evaluator.base.dead:
            return ProofStatus.VACUOUS
        pair = evaluator.value(node, evaluator.base)
        if pair is EMPTY:
            return ProofStatus.VACUOUS
        if pair != TRUE:
            return ProofStatus.OPEN  # vacuity is a question about what is proved
        return (
            ProofStatus.VACUOUS if self._has_unmet_antecedent(node, antecedents, evaluator.base) else ProofStatus.PROVED
        )

    def _has_unmet_antecedent(self, node: int, antecedents: Sequence[int], context: Context) -> bool:
        """Whether some condition on the way to what the property says can never be met."""
        return (
            find_unmet_antecedent(self.evaluator, context, find_antecedents(self.index, node, antecedents)) is not None
        )


def holds(item: Obligation, pair: Interval) -> bool:
    """Whether an obligation holds of everything in an interval of its claim, or of its subject if it has no claim."""
    if pair is EMPTY:
        return True
    if item.claim is not None:
        return pair == TRUE
    if item.kind == "finite":
        return -INF < pair[0] and pair[1] < INF
    return -LARGEST_INT <= pair[0] and pair[1] <= LARGEST_INT


def find_unmet_antecedent(evaluator: Evaluator, context: Context, conditions: Sequence[tuple[int, bool]]) -> int | None:
    """The first of some conditions, nodes with what they are to be, that intervals show to be never met."""
    for condition, truth in conditions:
        inner = evaluator.assume(context, condition, truth)
        if inner.dead or evaluator.value(condition, inner) in (EMPTY, FALSE if truth else TRUE):
            return condition
    return None


def find_antecedents(index: GraphIndex, node: int, antecedents: Sequence[int] = ()) -> list[tuple[int, bool]]:
    """The conditions without which a property says nothing: what is `asked`, and the conditions of the implications that it
    is made of, looked for under conjunctions too."""
    if antecedents:
        return [*((condition, True) for condition in antecedents), *find_antecedents(index, node)]
    entry = index.nodes[node]
    if entry.op == "implies":
        return [(entry.args[0], True), *find_antecedents(index, entry.args[1])]
    if entry.op == "and":
        return [found for arg in entry.args for found in find_antecedents(index, arg)]
    return []
