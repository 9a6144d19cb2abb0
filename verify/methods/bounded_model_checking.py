"""Bounded model checking: traces from the start of an episode, one tick longer at a time, with one incremental solver.

Over the exact reals, where a trace most likely is one of floats too; the replay decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.k_induction import encode_violation, read_leaves
from hl_dsl.verify.methods.solver_models import model_to_run
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break
from hl_dsl.verify.smt.encode import EXACT, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver


class BoundedSearch(NamedTuple):
    """`run` breaks the goal, and did so in a replay if `replayed`. `clear`: over the reals,
    no trace of so many ticks breaks it."""

    run: SimulatedRun | None
    replayed: bool
    clear: int
    reason: str = ""

    @property
    def says(self) -> str:
        """What the search came to, in words; nothing where it was not made. Not for a run that did break the goal in a replay."""
        said = []
        if self.run is not None:
            shorter = ", and none shorter" if len(self.run.rows) > 1 else ""
            said.append(
                f"over the reals, as far as z3 can tell, a trace of {format_ticks(len(self.run.rows))} breaks it{shorter}; replayed in floats, it does not"
            )
        elif self.clear:
            said.append(f"over the reals, no trace of up to {format_ticks(self.clear)} breaks it")
        return "; ".join([*said, *([self.reason] if self.reason else [])])


def format_ticks(count: int) -> str:
    """`1 tick`, `2 ticks`."""
    return f"{count} tick{'' if count == 1 else 's'}"


def search_counterexample(
    index: GraphIndex, ranges: Sequence[Interval], goal: Goal, limits: ProofLimits, solver: Solver, depth: int
) -> BoundedSearch:
    """Looks for the shortest trace, of at most `depth` ticks, that breaks a goal. Raises SolverFailure where z3 cannot be used."""
    flow = index.flow
    encoding = Encoding(evaluator := Evaluator(index, ranges), evaluator.base, START, EXACT)
    # In the order of the program: where products are told long before what uses them, z3 loses itself in them.
    nodes = sorted(find_closed_cone(flow, [*goal.nodes, *index.assumes], limits.slicing))
    solver.reset(limits.bounded_steps)
    candidate: SimulatedRun | None = None
    clear = 0
    for tick in range(depth):
        solver.add(*encoding.frame(nodes))
        solver.add(*(f"(assert {encoding.frames[tick][fact].text})" for fact in index.assumes))
        solver.add("(push 1)", f"(assert {encode_violation(goal, encoding, tick).text})")
        answer = solver.check()
        if answer == SAT:
            run = model_to_run(flow, [read_leaves(solver, encoding, frame) for frame in range(tick + 1)])
            if first_break(flow, goal, run) is not None:
                return BoundedSearch(run, True, clear)
            candidate = candidate or run
        solver.add("(pop 1)")
        if answer == UNSAT and clear == tick:
            clear += 1
        if answer not in (SAT, UNSAT) or solver.spent() > limits.bounded_steps:
            return BoundedSearch(
                candidate, False, clear, f"z3 was to take {limits.bounded_steps} steps for it, no more"
            )
    return BoundedSearch(candidate, False, clear)
