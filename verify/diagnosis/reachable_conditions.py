"""Conditions of a program that can be true at a reachable tick."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import suppress

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.operators.intervals import FALSE
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.simulation.random_ticks import RandomTicks
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.smt.encode import FREE, Encoding
from hl_dsl.verify.smt.solver import UNSAT, Solver, SolverFailure

_SAMPLES = 160
_NAMED = "other"
_STEPS = 100_000  # z3's resource counter for one query


class ReachableConditions:
    """Answers for one program.

    Args:
        stage: The interval stage of the program.
        ranges: Ranges of the memory cells that hold.
        facts: Nodes that are proved to hold at every tick.
        condition_nodes: The nodes that are queried.
        limits: Limits of the proof.
        solver: The solver.
    """

    def __init__(
        self,
        stage: IntervalStage,
        ranges: Sequence[Interval],
        facts: Sequence[int],
        condition_nodes: Iterable[int],
        limits: ProofLimits,
        solver: Solver,
    ):
        self.index, self.ranges = stage.index, ranges
        self.facts, self.condition_nodes = list(facts), list(condition_nodes)
        self.limits, self.solver = limits, solver
        self.evaluator = Evaluator(self.index, ranges, stage.search_cache.expressions)
        self.base = self.evaluator.base
        self._encoding: Encoding | None = None
        self._core: list[str] = []
        for fact in self.facts:
            if not self.base.dead:
                self.base = self.evaluator.assume(self.base, fact, True)

    def assuming(self, node: int | None) -> Context:
        """Returns the context in which a condition holds."""
        return self.base if node is None or self.base.dead else self.evaluator.assume(self.base, node, True)

    def impossible(self, nodes: Iterable[int]) -> set[int]:
        """Returns the bool nodes that are true at no reachable tick.

        A node that cannot be decided counts as possible.
        """
        wanted = list(dict.fromkeys(nodes))
        impossible = {node for node in wanted if self._never(node)}
        wanted = [node for node in wanted if node not in impossible]
        wanted = self._remove_met(wanted)
        if wanted and self.limits.solver and not self.base.dead:
            with suppress(SolverFailure):  # the remaining conditions count as possible
                impossible |= self._refuted(wanted)
        return impossible

    def _remove_met(self, nodes: list[int]) -> list[int]:
        """Returns the nodes that are true at none of some random ticks.

        A tick from any state within the ranges suffices: a solver that knows only the ranges cannot refute what holds
        there.
        """
        index, flow = self.index, self.index.flow
        draw = RandomTicks(index, random.Random(0))
        for number in range(_SAMPLES):
            if not nodes:
                break
            interpreter = Interpreter(flow, draw.parameters())
            memory = interpreter.memory if number % 8 == 0 else draw.memory(self.ranges)
            values = interpreter.evaluate(draw.inputs(), memory)
            if keeps_assumptions(flow, values) and all(values[fact] for fact in self.facts):
                nodes = [node for node in nodes if not values[node]]
        return nodes

    def _never(self, node: int) -> bool:
        context = self.assuming(node)
        return context.dead or self.evaluator.value(node, context) in (EMPTY, FALSE)

    def _refuted(self, nodes: list[int]) -> set[int]:
        return {node for node in nodes if self._ask([(node, True)]) == UNSAT}

    def is_ruled_out(self, conditions: Sequence[tuple[int, bool]]) -> bool:
        """Returns True if intervals show that the conditions (node, truth) cannot hold together at a reachable tick."""
        context = self.base
        for node, truth in conditions:
            if not context.dead:
                context = self.evaluator.assume(context, node, truth)
        return context.dead

    def find_responsible(
        self, conditions: Sequence[tuple[int, bool]], others: Sequence[tuple[int, bool]]
    ) -> list[int] | None:
        """Returns the positions of those `others` that contradict the conditions: few of them, not always the fewest.

        None if it is not known that they do.
        """
        if not self.limits.solver:
            return None
        try:
            if self._ask(conditions, others) != UNSAT:
                return None
            return sorted(int(name.removeprefix(_NAMED)) for name in self._core)
        except SolverFailure:
            return None

    def _ask(self, conditions: Sequence[tuple[int, bool]], others: Sequence[tuple[int, bool]] = ()) -> str:
        """Queries the solver. One solver context serves all queries."""
        solver = self.solver
        if self._encoding is None:
            self._encoding = Encoding(self.evaluator, self.evaluator.base, FREE)
            solver.reset(min(_STEPS, self.limits.solver_steps), cores=True)
            solver.add(
                *self._encoding.frame(
                    self.index.flow.reachable([*self.condition_nodes, *self.index.assumes, *self.facts])
                )
            )
            known = self._encoding.frames[0]
            solver.add(*(f"(assert {known[node].text})" for node in (*self.index.assumes, *self.facts)))
        solver.add("(push 1)", *(f"(assert {self._encode(node, truth)})" for node, truth in conditions))
        solver.add(
            *(
                f"(assert (! {self._encode(node, truth)} :named {_NAMED}{place}))"
                for place, (node, truth) in enumerate(others)
            )
        )
        answer = solver.check()
        if answer == UNSAT and others:
            self._core = solver.named_core()
        solver.add("(pop 1)")
        return answer

    def _encode(self, node: int, truth: bool) -> str:
        assert self._encoding is not None  # `_ask` has made it
        return f"(= {self._encoding.frames[0][node].text} {'true' if truth else 'false'})"
