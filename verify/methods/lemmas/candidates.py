"""Candidate lemmas about counters, timers and modes: facts of a few forms that no simulated run contradicts.

Between two cells: `a == b + k`, `a <= b + k`, `a + b == k`, `a + b <= k`. For one cell: bounds. Each also under a
condition: a bool cell, a counter that is positive or zero, a mode. While a counter `w` is positive, `e + s * w <= k`
for a value `e` that the goal compares, or for the difference of two: a distance that shrinks by at least `s` a tick.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from operator import itemgetter
from typing import TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators.intervals import INF
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.lemma import Lemma, Linear, Truth, make_positive
from hl_dsl.verify.simulation.replay import Values

_MOST_COUNTERS = 14
_MOST_CONDITIONS = 30
_MOST_COMPARED = 8
_MOST_STEPS = 8
_MOST_REACHES = 3
_MOST_PLAIN = 150
_MOST = 400
_NEXT = 3  # literals tried as bounds, starting from the largest value in the samples
_SMALL = 2  # largest offset that is tried as a bound without being a literal of the program
_SHARE = 1 - 2.0**-20  # share of a real step that remains after rounding

Terms: TypeAlias = tuple[tuple[int, int], ...]  # (sign, node) pairs
PairValues: TypeAlias = Mapping[tuple[int, int], Sequence[int | float]]  # a value at each sample, by pair of nodes


class LemmaCandidates:
    """Candidates for open goals.

    Args:
        evaluator: Intervals of the program.
        goals: The open goals.
        samples: Values of all nodes at ticks of runs that keep the assumptions.
    """

    def __init__(self, evaluator: Evaluator, goals: Sequence[Goal], samples: Sequence[Values]):
        self.evaluator, self.index = evaluator, evaluator.index
        self.flow: Dataflow = self.index.flow
        self.samples = samples
        roots = [node for goal in goals for node in goal.nodes]
        nodes = find_closed_cone(self.flow, [*roots, *self.index.assumes])
        cells = {
            node: self.flow.memories[self.flow.nodes[node].position]
            for node in nodes
            if self.flow.nodes[node].op == "memory"
        }
        self.counters = [node for node, cell in cells.items() if cell.base == "int" and not cell.names][:_MOST_COUNTERS]
        self.reals = [node for node, cell in cells.items() if cell.base == "real"][:_MOST_COUNTERS]
        self.choices = [node for node, cell in cells.items() if cell.names]
        self.flags = [node for node, cell in cells.items() if cell.base == "bool"]
        self.literals = self._literals(nodes)
        cone = find_closed_cone(self.flow, roots)
        self.distances = [*(((1, node),) for node in self._compared(cone)), *self._gaps(cone)]

    def propose(self) -> list[Lemma]:
        """Returns the candidates, the more likely ones first."""
        if not self.samples or not (self.counters or self.flags or self.choices or self.reals):
            return []
        rows = range(len(self.samples))
        differences = {
            interval: [values[interval[0]] - values[interval[1]] for values in self.samples]
            for interval in combinations(self.counters, 2)
        }
        sums = {
            interval: [values[interval[0]] + values[interval[1]] for values in self.samples]
            for interval in combinations(self.counters, 2)
        }
        plain = [
            Lemma(body) for body in [*self._pairs(rows, differences, sums, True), *self._reals(), *self._single(rows)]
        ]
        ranks = list(self._ranks())
        known = {lemma.body for lemma in plain}
        conditional: list[Lemma] = []
        for condition in self._conditions():
            where = [row for row in rows if condition.holds(self.samples[row])]
            if 2 <= len(where) < len(rows):
                bodies = [*self._single(where), *self._constant(where), *self._pairs(where, differences, sums, False)]
                conditional += [
                    Lemma(body, condition) for body in bodies if body not in known and body.nodes != condition.nodes
                ]
        lemmas = [*plain[:_MOST_PLAIN], *ranks[:_MOST_PLAIN], *sorted(conditional, key=_unlikely)]
        return list(dict.fromkeys(lemmas))[:_MOST]

    def _range(self, node: int) -> Interval:
        interval = self.evaluator.value(node, self.evaluator.base)
        return (-INF, INF) if interval is EMPTY else interval

    def _literals(self, nodes: Iterable[int]) -> list[int | float]:
        """Returns the numbers that the program contains, and their neighbours."""
        literals: set[int | float] = {0}
        for node in nodes:
            entry = self.flow.nodes[node]
            if entry.op == "constant" and entry.value is not None:
                if entry.base != "bool" and abs(entry.value) < INF:
                    literals |= {entry.value + offset for offset in (-1, 0, 1)}
            elif entry.op == "memory":
                cell = self.flow.memories[entry.position]
                literals |= {value for value in (cell.low, cell.high) if value is not None and cell.base != "bool"}
        return sorted(literals)

    def _compared(self, nodes: Iterable[int]) -> list[int]:
        """Returns values that conditions compare; those that the goals depend on last are first."""
        flow = self.flow
        values: dict[int, None] = {}
        for node in reversed(list(nodes)):
            entry = flow.nodes[node]
            if entry.form is not None and entry.base == "bool" and entry.form.refine is not None:
                values.update(
                    dict.fromkeys(
                        arg for arg in entry.args if flow.nodes[arg].base != "bool" and flow.nodes[arg].op != "constant"
                    )
                )
        excluded = {
            *self.counters,
            *self.choices,
            *(cell.next for cell in flow.memories),
            *self.flow.action,
            *(node for value in self.flow.values.values() if value.type.is_enumeration for node in value.nodes),
        }
        return [node for node in values if node not in excluded][:_MOST_COMPARED]

    def _gaps(self, nodes: Iterable[int]) -> list[Terms]:
        """Returns differences of compared values, in both directions; those nearest to the goals are first."""
        flow = self.flow
        differences: dict[Terms, None] = {}
        for node in reversed(list(nodes)):
            entry = flow.nodes[node]
            if (
                entry.form is not None
                and entry.base == "bool"
                and entry.form.refine is not None
                and len(entry.args) == 2
            ):
                a, b = entry.args
                if (
                    all(flow.nodes[arg].base != "bool" and flow.nodes[arg].op != "constant" for arg in (a, b))
                    and a != b
                ):
                    differences.update({((1, a), (-1, b)): None, ((-1, a), (1, b)): None})
        return list(differences)[:_MOST_COMPARED]

    def _pairs(self, rows: Sequence[int], differences: PairValues, sums: PairValues, plain: bool) -> Iterator[Linear]:
        pick: Callable[[Sequence[int | float]], Sequence[int | float]] = (
            itemgetter(*rows) if len(rows) > 1 else lambda values: (values[rows[0]],)
        )
        for (a, b), values in differences.items():
            chosen = pick(values)
            low, high = min(chosen), max(chosen)
            if low == high:
                yield Linear(((1, a), (-1, b)), low, True)
            (a_low, a_high), (b_low, b_high) = self._range(a), self._range(b)
            for bound in self._above(high, a_high - b_low, plain):
                yield Linear(((1, a), (-1, b)), bound)
            for bound in self._above(-low, b_high - a_low, plain):
                yield Linear(((1, b), (-1, a)), bound)
        for (a, b), values in sums.items():
            chosen = pick(values)
            low, high = min(chosen), max(chosen)
            if low == high:
                yield Linear(((1, a), (1, b)), low, True)
            (a_low, a_high), (b_low, b_high) = self._range(a), self._range(b)
            for bound in self._named(high, a_high + b_high):
                yield Linear(((1, a), (1, b)), bound)
            for bound in self._named(-low, -(a_low + b_low)):
                yield Linear(((-1, a), (-1, b)), bound)

    def _above(self, seen: int | float, known: float, plain: bool) -> list[int | float]:
        """Returns upper bounds to try for a difference.

        Args:
            seen: The largest difference in the samples.
            known: A bound that intervals prove.
            plain: True for a lemma without a condition, for which more bounds are tried.
        """
        bounds = [seen] if abs(seen) <= _SMALL else []
        if plain:
            bounds += [seen + 1] if abs(seen) < _SMALL else []
            bounds += [bound for bound in self._named(seen, known) if bound not in bounds]
        return [bound for bound in bounds if bound < known]

    def _named(self, seen: int | float, known: float) -> list[int | float]:
        """Returns the smallest whole numbers from `seen` on that the program contains, also as negatives."""
        above, below = bisect_left(self.literals, seen), bisect_right(self.literals, -seen)
        bounds = sorted(
            [*self.literals[above : above + _NEXT], *(-value for value in self.literals[max(0, below - _NEXT) : below])]
        )
        return [bound for bound in bounds if bound < known and bound == int(bound)][:_NEXT]

    def _single(self, rows: Sequence[int]) -> Iterator[Linear]:
        for node in [*self.counters, *self.reals]:
            chosen = [self.samples[row][node] for row in rows]
            low, high = self._range(node)
            least, most = min(chosen), max(chosen)
            if least == most and low < high:
                yield Linear(((1, node),), most, True)
            above, below = bisect_left(self.literals, most), bisect_right(self.literals, least)
            yield from (
                Linear(((1, node),), self._held(node, bound))
                for bound in self.literals[above : above + _NEXT]
                if bound < high
            )
            yield from (
                Linear(((-1, node),), -self._held(node, bound))
                for bound in self.literals[max(0, below - _NEXT) : below]
                if bound > low
            )

    def _held(self, node: int, bound: int | float) -> int | float:
        return float(bound) if self.flow.nodes[node].base == "real" else int(bound)

    def _constant(self, rows: Sequence[int]) -> Iterator[Linear | Truth]:
        for node in self.flags:
            if len({self.samples[row][node] for row in rows}) == 1:
                yield Truth(node, bool(self.samples[rows[0]][node]))
        for node in self.choices:
            if len({self.samples[row][node] for row in rows}) == 1:
                yield Linear(((1, node),), self.samples[rows[0]][node], True)

    def _reals(self) -> Iterator[Linear]:
        for a, b in combinations(self.reals, 2):
            if all(values[a] == values[b] for values in self.samples):
                yield Linear(((1, a), (-1, b)), 0.0, True)
            for less, more in ((a, b), (b, a)):
                if (
                    all(values[less] <= values[more] for values in self.samples)
                    and self._range(less)[1] > self._range(more)[0]
                ):
                    yield Linear(((1, less), (-1, more)), 0.0)

    def _conditions(self) -> list[Linear | Truth]:
        conditions: list[Linear | Truth] = [Truth(node, truth) for node in self.flags for truth in (True, False)]
        for node in self.choices:
            conditions += [
                Linear(((1, node),), value, True) for value in sorted({values[node] for values in self.samples})
            ]
        for node in self.counters:
            conditions += [make_positive(node), Linear(((1, node),), 0, True)]
        return conditions[:_MOST_CONDITIONS]

    def _ranks(self) -> Iterator[Lemma]:
        """Yields distances that shrink while a counter is positive."""
        steps = sorted({abs(value) for value in self.literals if value}, key=lambda value: (value != 1, value))[
            :_MOST_STEPS
        ]
        for counter in self.counters:
            running = [values for values in self.samples if values[counter] > 0]
            if self._range(counter)[0] < 0 or len(running) < 2:
                continue
            for distance in self.distances:
                real = any(self.flow.nodes[node].base == "real" for _, node in distance)
                for step in steps:
                    if not real and step != int(step):
                        continue
                    step = step * _SHARE if real else int(step)
                    seen = max(
                        sum(sign * values[node] for sign, node in distance) + step * values[counter]
                        for values in running
                    )
                    for bound in self._reach(distance, step, seen):
                        yield Lemma(Linear((*distance, (step, counter)), bound), make_positive(counter))

    def _reach(self, distance: Terms, step: int | float, seen: int | float) -> list[int | float]:
        """Returns values from which a distance may start to shrink: its largest value, or a number of the program."""
        ranges = [self._range(node) for _, node in distance]
        high = sum(interval[1] if sign > 0 else -interval[0] for (sign, _), interval in zip(distance, ranges))
        bounds = sorted({value + offset * step for value in [*self.literals, high] if value < INF for offset in (0, 1)})
        bounds = [bound for bound in bounds if bound >= seen and (bound == int(bound) or isinstance(step, float))]
        kind = float if isinstance(step, float) else int
        return [kind(bound) for bound in dict.fromkeys([*bounds[:_MOST_REACHES], *bounds[-_MOST_REACHES:]])]


def _unlikely(lemma: Lemma) -> tuple[bool, bool]:
    """Sort key: equalities first, the weakest statements last."""
    exact = isinstance(lemma.body, Truth) or lemma.body.exact
    return (not exact, len(lemma.body.nodes) > 1)
