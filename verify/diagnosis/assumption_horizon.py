"""Assumption horizon: the number of ticks for which a run can keep the assumptions.

If every run violates them after a few ticks, a proof does not cover later ticks. An episode may be meant to be short,
so this is a warning and not a verdict.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.base.diagnostics import Diagnostic, Label
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.bounded_model_checking import format_ticks
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.results.report import Proof
from hl_dsl.verify.simulation.input_sampling import Sampler
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.smt.encode import START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver, SolverFailure

_TICKS = 24  # assumptions that can be kept for so many ticks cause no warning
_EPISODES = 12
_TRIES = 4
_MOST_TRIED = 6
_STEPS = 300_000  # z3's resource counter for all ticks together


def check_assumption_horizon(
    flow: Dataflow, proof: Proof, limits: ProofLimits = DEFAULT_LIMITS
) -> tuple[Diagnostic, ...]:
    """Returns a warning if no run keeps the assumptions for more than a few ticks.

    Assumptions that no first tick keeps are a verdict of the `proof`, and cause no warning.
    """
    if not flow.of_kind("assume") or not limits.solver or any(result.kind == "assume" for result in proof.results):
        return ()
    index = GraphIndex(flow)
    if _is_kept_in_simulation(index) or any(
        result.kind not in ("invariant", "reachable") and result.status != ProofStatus.PROVED
        for result in proof.results
    ):
        return ()  # the encoding does not describe a float that overflows
    try:
        with Solver(limits.hang_seconds) as solver:
            ticks = _longest_run(flow, limits, solver)
            return (_warning(ticks, _find_responsible(flow, ticks, limits, solver)),) if ticks else ()
    except SolverFailure:
        return ()


def _is_kept_in_simulation(index: GraphIndex) -> bool:
    """Returns True if a run of the interpreter keeps the assumptions for `_TICKS` ticks."""
    return any(_keeps_assumptions(index, random.Random(seed)) for seed in range(_EPISODES))


def _keeps_assumptions(index: GraphIndex, generator: random.Random) -> bool:
    sampler = Sampler(index, generator)
    interpreter = Interpreter(index.flow, sampler.parameters)
    for _ in range(_TICKS):
        for _ in range(_TRIES):
            row = sampler.draw(interpreter.memory)
            values = None if row is None else interpreter.evaluate(row, interpreter.memory)
            if values is not None and keeps_assumptions(index.flow, values):
                break
        else:
            return False
        interpreter.memory = tuple(values[cell.next] for cell in index.flow.memories)
    return True


def _longest_run(flow: Dataflow, limits: ProofLimits, solver: Solver) -> int:
    """Returns the largest number of ticks for which the assumptions can be kept; 0 if that is not known."""
    evaluator = IntervalStage(flow).evaluator
    # Products that may have any value in their intervals keep the answer sound and make the query much cheaper.
    encoding = Encoding(evaluator, evaluator.base, START, linear=True)
    assumed = [item.node for item in flow.of_kind("assume")]
    nodes = sorted(find_closed_cone(flow, assumed, limits.slicing))
    steps = min(_STEPS, limits.solver_steps)
    solver.reset(steps)
    for tick in range(_TICKS):
        solver.add(*encoding.frame(nodes))
        solver.add(*(f"(assert {encoding.frames[tick][node].text})" for node in assumed))
        answer = solver.check()
        if answer == UNSAT:
            return tick
        if answer != SAT or solver.spent() > steps:
            break
    return 0


def _find_responsible(flow: Dataflow, longest: int, limits: ProofLimits, solver: Solver) -> list[Property]:
    """Returns the assumptions that limit the run: few of them, not always the fewest."""
    responsible = flow.of_kind("assume")
    for item in responsible[:_MOST_TRIED]:
        without = replace(flow, properties=[other for other in responsible if other is not item])
        if len(responsible) > 1 and _longest_run(without, limits, solver) == longest:
            responsible = without.properties
    return responsible


def _warning(ticks: int, responsible: Sequence[Property]) -> Diagnostic:
    names = ", ".join(f"`{item.name}`" for item in responsible)
    return Diagnostic(
        "HL515",
        f"no run keeps the assumptions for more than {format_ticks(ticks)}: the proof does not cover later ticks",
        responsible[0].span,
        f"{names} {'allows' if len(responsible) == 1 else 'together allow'} no more",
        others=tuple(Label(item.span, "together with this") for item in responsible[1:]),
        severity="warning",
    )
