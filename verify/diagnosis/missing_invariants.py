"""Missing invariants: facts that would exclude the state that violates a goal which induction cannot prove.

Facts are guessed from simulated runs (they held in all) and from the state (they must exclude it). They are reported
only if induction then succeeds. The result is advice: the fact must still be proved, by stating it as an invariant.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from hl_dsl.base.source import NOWHERE
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
from hl_dsl.verify.simulation.trace import Trace
from hl_dsl.verify.smt.solver import Solver, SolverFailure

_EPISODES, _TICKS = 24, 60
_MOST_TRIED = 24
_STEPS = 200_000
_UNSETTLED = 0.1  # share of a cell's values that only the second half of the runs saw
_FACT = "fact"

# A memory state.
State: TypeAlias = tuple[int | float, ...]


def suggest_invariant(flow: Dataflow, goal: Goal, trace: Trace, limits: ProofLimits) -> str:
    """Returns advice on a goal that is not inductive.

    Args:
        flow: The program.
        goal: The goal.
        trace: A step from a state that violates it.
        limits: Limits of the proofs.

    Returns:
        A sentence with a fact that would exclude the state, or with the cells that cause the violation; empty if none
        is found.
    """
    index = GraphIndex(flow)
    cells = sorted(
        {
            index.nodes[number].position
            for number in find_closed_cone(index.flow, [*goal.nodes, *index.assumes])
            if index.nodes[number].op == "memory"
        }
    )
    shown = trace[0]["memory"]
    state = tuple(_read_shown(flow, position, shown[cell.name]) for position, cell in enumerate(flow.memories))
    seen, early = _states(index)
    if cells and early and limits.solver:
        guesses = InvariantCandidates(flow, cells, seen, early, state)
        try:
            fact_found = _find_helpful_fact(flow, goal, guesses, limits)
        except SolverFailure:
            fact_found = None
        if fact_found is not None:
            text, is_proved = fact_found
            if is_proved:
                return f"add the invariant `{text}`: both are then proved"
            return (
                f"it is proved if `{text}` holds, as in all simulated runs: add that invariant, and check whether it "
                "is proved"
            )
    return _describe_harm(flow, goal, cells, state, trace)


def _read_shown(flow: Dataflow, position: int, shown: int | float | str) -> int | float:
    """Returns a cell's value from its value in a trace."""
    names = flow.memories[position].names
    if not isinstance(shown, str):
        return shown
    return names.index(shown) if shown in names else float(shown)


def _states(index: GraphIndex) -> tuple[list[State], list[State]]:
    """Returns the memory states of simulated runs, and those of the first half of the runs."""
    first_ticks: dict[State, int] = {}
    for episode in range(_EPISODES if not index.assumes else _EPISODES // 6):
        sampler = Sampler(index, random.Random(episode))
        interpreter = Interpreter(index.flow, sampler.parameters)
        for tick in range(_TICKS):
            first_ticks[interpreter.memory] = min(tick, first_ticks.get(interpreter.memory, tick))
            row = sampler.draw(interpreter.memory)
            if row is None or not keeps_assumptions(index.flow, interpreter.tick(row).values):
                break
    return list(first_ticks), [state for state, tick in first_ticks.items() if tick < _TICKS // 2]


class InvariantCandidates:
    """Facts that held in all observed states and do not hold in `state`.

    Args:
        flow: The program.
        cells: The memory cells that the goal depends on.
        seen: The observed states.
        early: Those of the first half of the runs.
        state: The state to exclude.
    """

    def __init__(
        self, flow: Dataflow, cells: Sequence[int], seen: Sequence[State], early: Sequence[State], state: State
    ):
        self.flow, self.cells, self.seen, self.early, self.state = flow, cells, seen, set(early), state
        self.builder = Builder(list(flow.nodes))
        self.leaves = {node.position: number for number, node in enumerate(flow.nodes) if node.op == "memory"}
        self.numbers = [
            cell
            for cell in cells
            if flow.memories[cell].base != "bool" and not flow.memories[cell].names and cell in self.leaves
        ]
        self.choices = [cell for cell in cells if cell in self.leaves and cell not in self.numbers]
        self.literals = sorted(
            {
                node.value + offset
                for node in flow.nodes
                if node.op == "constant"
                and node.value is not None
                and node.base in ("int", "real")
                and math.isfinite(node.value)
                for offset in (0, -1, 1)
            }
        )

    def propose(self) -> Iterator[int]:
        """Yields bool nodes of `builder`, the simplest facts first."""
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

    def _is(self, cell: int, value: int | float) -> int:
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
                if here[0] > here[1] and all(p <= q for p, q in pairs):
                    yield apply("less_equal", (a, b))
                if here[1] > here[0] and all(q <= p for p, q in pairs):
                    yield apply("less_equal", (b, a))
                if self.flow.memories[first].base == self.flow.memories[second].base == "int":
                    for row, compute in (("add", operator.add), ("subtract", operator.sub)):
                        values = {compute(p, q) for p, q in pairs}
                        if len(values) == 1 and compute(*here) not in values:
                            yield apply("equal", (apply(row, (a, b)), builder.constant(values.pop(), "int")))

    def _bounds(self, states: Sequence[State], guard: int | None) -> Iterator[int]:
        for cell in self.numbers:
            base, value, leaf = self.flow.memories[cell].base, self.state[cell], self.leaves[cell]
            low, high = min(state[cell] for state in states), max(state[cell] for state in states)
            if low <= value <= high:
                continue
            if low == high and guard is not None:
                yield self._guarded(guard, self.builder.apply("equal", (leaf, self.builder.constant(low, base))))
            above = value > high
            # The largest value of a counter is not known while the counter still grows.
            early = [state[cell] for state in states if state in self.early]
            if not early or max(high - max(early), min(early) - low) > _UNSETTLED * (high - low):
                continue
            ends = [end for end in self.literals if (high <= end < value if above else value < end <= low)]
            for end in sorted(set(ends), reverse=not above)[:3]:
                bound = self.builder.constant(float(end) if base == "real" else int(end), base)
                yield self._guarded(guard, self.builder.apply("less_equal", (leaf, bound) if above else (bound, leaf)))

    def _guarded(self, guard: int | None, node: int) -> int:
        return node if guard is None else self.builder.apply("implies", (guard, node))


def _find_helpful_fact(
    flow: Dataflow, goal: Goal, guesses: InvariantCandidates, limits: ProofLimits
) -> tuple[str, bool] | None:
    """Returns the first fact with which induction succeeds, and whether the fact is then proved too."""
    cheap = replace(limits, solver_steps=min(_STEPS, limits.solver_steps))
    depths = tuple(depth for depth in limits.depths if depth) or (1,)
    first = None
    with Solver(limits.hang_seconds) as solver:
        for number, node in enumerate(guesses.propose()):
            if number >= _MOST_TRIED:
                break
            other = replace(
                flow,
                nodes=guesses.builder.nodes,
                properties=[*flow.properties, Property("invariant", _FACT, node, NOWHERE)],
            )
            stage = IntervalStage(other)
            goals_by_id = {goal.id: goal for goal in list_goals(other)}
            open_goal, fact = goals_by_id[goal.id], goals_by_id[f"invariant:{_FACT}"]
            induction = Induction(stage.index, stage.ranges, cheap, solver)
            if not induction.prove([open_goal], depths, [fact])[open_goal.id].proved:
                continue
            text = NodeNames(other).text(node)
            if stage.invariant(node) == ProofStatus.PROVED or all(
                goal.proved for goal in induction.prove([open_goal, fact], depths).values()
            ):
                return text, True
            first = first or (text, False)
    return first


def _describe_harm(flow: Dataflow, goal: Goal, cells: Sequence[int], state: State, trace: Trace) -> str:
    """Describes the cells whose values cause the violation."""
    rows = [tuple(tick["inputs"].values()) for tick in trace]
    responsible = []
    for cell in cells:
        trial = list(state)
        trial[cell] = flow.memories[cell].start
        if trial[cell] == state[cell]:
            continue
        interpreter = Interpreter(flow, trace[0].get("parameters"))
        interpreter.memory = tuple(trial)
        if not breaks(goal, [interpreter.tick(row).values for row in rows][-1]):
            responsible.append(f"`{flow.memories[cell].name}` = {trace[0]['memory'][flow.memories[cell].name]}")
    if not responsible:
        return ""
    return (
        f"the cause is {' and '.join(responsible)} at tick 0: add an invariant that excludes this, if no run reaches "
        "such a state"
    )
