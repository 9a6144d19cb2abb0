"""Bounded model checking: traces from the start of an episode, one tick longer at a time, with one incremental solver.

Source: Biere et al., "Bounded Model Checking" (2003). The search is over the exact reals, where a trace is most likely
a trace of floats too. The replay in floats decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.goal_encoding import encode_violation, read_leaves
from hl_dsl.verify.methods.solver_models import model_to_run
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break
from hl_dsl.verify.smt.encode import EXACT, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver


class BoundedSearch(NamedTuple):
    """Result of bounded model checking.

    Attributes:
        run: A run that violates the goal over the reals, if one was found.
        replayed: True if the run violates the goal in floats too.
        clear: Number of ticks up to which no trace violates the goal over the reals.
        reason: Why the search ended early; empty if it did not.
    """

    run: SimulatedRun | None
    replayed: bool
    clear: int
    reason: str = ""

    @property
    def says(self) -> str:
        """The result as text; empty if no search was made. Not for a run that was replayed."""
        parts = []
        if self.run is not None:
            shorter = " and none shorter" if len(self.run.rows) > 1 else ""
            parts.append(
                f"over the reals, z3 finds that a trace of {format_ticks(len(self.run.rows))} violates it{shorter}; "
                "the replay in floats does not confirm it"
            )
        elif self.clear:
            parts.append(f"over the reals, no trace of up to {format_ticks(self.clear)} violates it")
        return "; ".join([*parts, *([self.reason] if self.reason else [])])


def format_ticks(count: int) -> str:
    """Returns `1 tick`, `2 ticks`."""
    return f"{count} tick{'' if count == 1 else 's'}"


def search_counterexample(
    index: GraphIndex, ranges: Sequence[Interval], goal: Goal, limits: ProofLimits, solver: Solver, depth: int
) -> BoundedSearch:
    """Searches for the shortest trace that violates a goal.

    Args:
        index: The program.
        ranges: Ranges of the memory cells.
        goal: The goal.
        limits: Limits of the proof.
        solver: The solver.
        depth: Length of the longest trace, in ticks.

    Raises:
        SolverFailure: z3 cannot be used.
    """
    flow = index.flow
    evaluator = Evaluator(index, ranges)
    encoding = Encoding(evaluator, evaluator.base, START, EXACT)
    # In program order: z3 performs badly if products are defined long before they are used.
    nodes = sorted(find_closed_cone(flow, [*goal.nodes, *index.assumes], limits.slicing))
    solver.reset(limits.bounded_steps)
    unconfirmed: SimulatedRun | None = None
    clear = 0
    for tick in range(depth):
        solver.add(*encoding.frame(nodes))
        solver.add(*(f"(assert {encoding.frames[tick][node].text})" for node in index.assumes))
        solver.add("(push 1)", f"(assert {encode_violation(goal, encoding, tick).text})")
        answer = solver.check()
        if answer == SAT:
            run = model_to_run(flow, [read_leaves(solver, encoding, frame) for frame in range(tick + 1)])
            if first_break(flow, goal, run) is not None:
                return BoundedSearch(run, True, clear)
            unconfirmed = unconfirmed or run
        solver.add("(pop 1)")
        if answer == UNSAT and clear == tick:
            clear += 1
        if answer not in (SAT, UNSAT) or solver.spent() > limits.bounded_steps:
            return BoundedSearch(unconfirmed, False, clear, f"z3 used up its limit of {limits.bounded_steps} steps")
    return BoundedSearch(unconfirmed, False, clear)
