"""What would help a goal that induction cannot prove: a fact that excludes the state that breaks it.

Facts are guessed from simulated runs (what held in all of them) and from the state (which they must exclude), and only told
where induction then goes through. This is advice: whether the fact is true remains to be proved, by writing it as an invariant.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import Induction
from hl_dsl.verify.simulation.input_sampling import Sampler
from hl_dsl.verify.simulation.replay import breaks, keeps_assumptions
from hl_dsl.verify.smt.solver import Solver, SolverFailure

from hl_dsl.base.source import NOWHERE

_EPISODES, _TICKS = 24, 60
_MOST_TRIED = 24
_STEPS = 200_000
_UNSETTLED = 0.1  # share of a cell's values that only the second half of the runs saw
_FACT = "fact"


def suggest_invariant(flow: Dataflow, goal: Goal, trace: Sequence[dict], limits: ProofLimits) -> str:
    """A sentence on what would exclude the state that `trace` begins in, or on what in it does the harm; empty where nothing
    is known of it."""
    index = GraphIndex(flow)
    cells = sorted(
        {
            index.nodes[number].value
            for number in find_closed_cone(index.flow, [*goal.nodes, *index.assumes])
            if index.nodes[number].op == "memory"
        }
    )
    state = [_back(flow, position, trace[0]["memory"][cell.name]) for position, cell in enumerate(flow.memories)]
    seen, early = _states(index)
    if cells and early and limits.solver:
        guesses = InvariantCandidates(flow, cells, seen, early, state)
        try:
            found = _that_helps(flow, goal, guesses, limits)
        except SolverFailure:
            found = None
        if found is not None:
            text, stands = found
            if stands:
                return f"it is proved where `{text}` is an invariant too, which is then proved as well: write it beside this one"
            return f"it would be proved if `{text}` held, as it did in all simulated runs: write that as an invariant, and see whether it is proved"
    return _harm(flow, goal, cells, state, trace)


def _back(flow: Dataflow, position: int, shown):
    names = flow.memories[position].names
    return names.index(shown) if names and shown in names else float(shown) if isinstance(shown, str) else shown


def _states(index: GraphIndex) -> tuple[list[tuple], list[tuple]]:
    """Memory states of simulated runs, each once, and those of the first half of the runs."""
    found: dict[tuple, int] = {}
    for episode in range(_EPISODES if not index.assumes else _EPISODES // 6):
        sampler = Sampler(index, random.Random(episode))
        interpreter = Interpreter(index.flow, sampler.parameters)
        for tick in range(_TICKS):
            found[interpreter.memory] = min(tick, found.get(interpreter.memory, tick))
            row = sampler.draw(interpreter.memory)
            if row is None or not keeps_assumptions(index.flow, interpreter.tick(row).values):
                break
    return list(found), [state for state, tick in found.items() if tick < _TICKS // 2]


class InvariantCandidates:
    """Facts that held in all states seen and do not hold in `state`, the simplest first."""

    def __init__(
        self, flow: Dataflow, cells: Sequence[int], seen: Sequence[tuple], early: Sequence[tuple], state: Sequence
    ):
        self.flow, self.cells, self.seen, self.early, self.state = flow, cells, seen, set(early), state
        self.builder = Builder(list(flow.nodes))
        self.leaves = {node.value: number for number, node in enumerate(flow.nodes) if node.op == "memory"}
        self.numbers = [
            cell
            for cell in cells
            if flow.memories[cell].base != "bool" and not flow.memories[cell].names and cell in self.leaves
        ]
        self.choices = [cell for cell in cells if cell in self.leaves and cell not in self.numbers]
        self.literals = sorted(
            {
                node.value + off
                for node in flow.nodes
                if node.op == "constant" and node.base in ("int", "real") and math.isfinite(node.value)
                for off in (0, -1, 1)
            }
        )

    def all(self) -> Iterator[int]:
        yield from self._pairs()
        yield from self._bounds(self.seen, None)
        for choice in self.choices:
            value = self.state[choice]
            there = [state for state in self.seen if state[choice] == value]
            guard = self._is(choice, value)
            if not there:
                yield self.builder.apply("not", (guard,))
            else:
                yield from self._bounds(there, guard)

    def _is(self, cell: int, value) -> int:
        leaf = self.leaves[cell]
        if self.flow.memories[cell].base == "bool":
            return leaf if value else self.builder.apply("not", (leaf,))
        return self.builder.apply("equal", (leaf, self.builder.constant(value, "int")))

    def _pairs(self) -> Iterator[int]:
        apply, builder = self.builder.apply, self.builder
        for place, first in enumerate(self.numbers):
            for second in self.numbers[place + 1 :]:
                a, b = self.leaves[first], self.leaves[second]
                pairs = [(state[first], state[second]) for state in self.seen]
                here = (self.state[first], self.state[second])
                if here[0] != here[1] and all(x == y for x, y in pairs):
                    yield apply("equal", (a, b))
                    continue
                for low, high, (x, y) in ((a, b, here), (b, a, here[::-1])):
                    swapped = low == b
                    if x > y and all((q <= p) if swapped else (p <= q) for p, q in pairs):
                        yield apply("less_equal", (low, high))
                if self.flow.memories[first].base == self.flow.memories[second].base == "int":
                    for row, does in (("add", lambda p, q: p + q), ("subtract", lambda p, q: p - q)):
                        values = {does(p, q) for p, q in pairs}
                        if len(values) == 1 and does(*here) not in values:
                            yield apply("equal", (apply(row, (a, b)), builder.constant(values.pop(), "int")))

    def _bounds(self, states: Sequence[tuple], guard: int | None) -> Iterator[int]:
        for cell in self.numbers:
            base, value, leaf = self.flow.memories[cell].base, self.state[cell], self.leaves[cell]
            low, high = min(state[cell] for state in states), max(state[cell] for state in states)
            if low <= value <= high:
                continue
            if low == high and guard is not None:
                yield self._guarded(guard, self.builder.apply("equal", (leaf, self.builder.constant(low, base))))
            above = value > high
            # A counter still on its way says nothing of how far it goes.
            soon = [state[cell] for state in states if state in self.early]
            if not soon or max(high - max(soon), min(soon) - low) > _UNSETTLED * (high - low):
                continue
            ends = [end for end in self.literals if (high <= end < value if above else value < end <= low)]
            for end in sorted(set(ends), reverse=not above)[:3]:
                end = self.builder.constant(float(end) if base == "real" else int(end), base)
                yield self._guarded(guard, self.builder.apply("less_equal", (leaf, end) if above else (end, leaf)))

    def _guarded(self, guard: int | None, node: int) -> int:
        return node if guard is None else self.builder.apply("implies", (guard, node))


def _that_helps(
    flow: Dataflow, goal: Goal, guesses: InvariantCandidates, limits: ProofLimits
) -> tuple[str, bool] | None:
    """The first fact with which induction goes through, and whether it is then proved itself."""
    few = replace(limits, solver_steps=min(_STEPS, limits.solver_steps))
    depths = tuple(depth for depth in limits.depths if depth) or (1,)
    first = None
    with Solver(limits.hang_seconds) as solver:
        for number, node in enumerate(guesses.all()):
            if number >= _MOST_TRIED:
                break
            other = replace(
                flow,
                nodes=guesses.builder.nodes,
                properties=[*flow.properties, Property("invariant", _FACT, node, NOWHERE)],
            )
            stage = IntervalStage(other)
            again = {one.id: one for one in list_goals(other)}
            asked, fact = again[goal.id], again[f"invariant:{_FACT}"]
            induction = Induction(stage.index, stage.ranges, few, solver)
            if not induction.prove([asked], depths, [fact])[asked.id].proved:
                continue
            text = NodeNames(other).text(node)
            if stage.invariant(node) == ProofStatus.PROVED or all(
                one.proved for one in induction.prove([asked, fact], depths).values()
            ):
                return text, True
            first = first or (text, False)
    return first


def _harm(flow: Dataflow, goal: Goal, cells: Sequence[int], state: Sequence, trace: Sequence[dict]) -> str:
    """The cells without whose values the state would break nothing."""
    rows = [tuple(tick["inputs"].values()) for tick in trace]
    blamed = []
    for cell in cells:
        trial = list(state)
        trial[cell] = flow.memories[cell].start
        if trial[cell] == state[cell]:
            continue
        interpreter = Interpreter(flow, trace[0].get("parameters"))
        interpreter.memory = tuple(trial)
        if not breaks(goal, [interpreter.tick(row).values for row in rows][-1]):
            blamed.append(f"`{flow.memories[cell].name}` = {trace[0]['memory'][flow.memories[cell].name]}")
    if not blamed:
        return ""
    return f"what does it is {' and '.join(blamed)} at tick 0: an invariant that excludes this would help, if such a state is never reached"
