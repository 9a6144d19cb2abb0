"""Vacuity of proved goals: an implication whose condition never holds is true and says nothing.

Source: Beer et al., "Efficient Detection of Vacuity in Temporal Model Checking" (2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.goal_encoding import read_leaves
from hl_dsl.verify.methods.interval_stage import find_antecedents, find_unmet_antecedent
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.smt.encode import FREE, START, Encoding
from hl_dsl.verify.smt.s_expressions import ModelValue
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver, SolverFailure

CONTRADICTED = "the assumptions contradict each other"

_MOST_TEXT = 80  # characters of a condition in a message


def assumptions_contradict(evaluator: Evaluator, limits: ProofLimits, solver: Solver) -> bool:
    """Returns True if the assumptions cannot hold at the first tick, so that no run keeps them."""
    index = evaluator.index
    if not index.assumes or not limits.solver:
        return False
    starts = [(cell.start, cell.start) for cell in index.flow.memories]
    return not _is_met(Evaluator(index, starts), []) and _is_impossible(evaluator, [], limits, solver, START)


def find_vacuous_goals(
    evaluator: Evaluator, goals: Sequence[Goal], limits: ProofLimits, solver: Solver
) -> dict[str, int]:
    """Returns, by goal id, a condition of the goal that is never met.

    Args:
        evaluator: Intervals of a tick in any reachable state.
        goals: Proved goals. A violated goal with an unmet condition is violated, not vacuous.
        limits: Limits of the proof.
        solver: The solver.
    """
    conditions = {
        goal.id: find_antecedents(evaluator.index, goal.stated.node, goal.stated.antecedents) for goal in goals
    }
    distinct = sorted({condition for own in conditions.values() for condition in own})
    unmet = {
        condition
        for condition in distinct
        if find_unmet_antecedent(evaluator, evaluator.base, [condition]) is not None
        or (
            limits.solver
            and not _is_met(evaluator, [condition])
            and _is_impossible(evaluator, [condition], limits, solver, FREE)
        )
    }
    return {
        goal: next(condition for condition in own if condition in unmet)[0]
        for goal, own in conditions.items()
        if unmet.intersection(own)
    }


def explain_unmet_antecedent(evaluator: Evaluator, goal: Goal, condition: int | None = None) -> str:
    """Returns why a goal is vacuous.

    Args:
        evaluator: Intervals of a tick in any reachable state.
        goal: The goal.
        condition: A condition that is never met. By default the one that the intervals show.
    """
    index, item = evaluator.index, goal.stated
    if condition is None and not evaluator.base.dead:
        conditions = find_antecedents(index, item.node, item.antecedents)
        condition = find_unmet_antecedent(evaluator, evaluator.base, conditions)
    if condition is None:
        return CONTRADICTED
    where = " where the `assume` facts hold" if index.assumes else ""
    if item.form == "after" and condition == index.nodes[item.node].args[0] and condition not in item.antecedents:
        return f"the interval that its `after` starts is empty{where}: its `until` is true whenever it starts"
    text = NodeNames(index.flow).text(condition)
    text = text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
    subject = (
        f"the trigger of its `{item.form}`" if condition in item.antecedents else "the condition of an `implies` in it"
    )
    return f"{subject} is never true{where}: `{text}`"


def _is_met(evaluator: Evaluator, conditions: Sequence[tuple[int, bool]]) -> bool:
    """Returns True if intervals lead to a tick at which the interpreter confirms the assumptions and the conditions.

    A query to z3 is then not needed: z3 would find this tick possible too.
    """
    index, flow = evaluator.index, evaluator.index.flow
    context = _assume_all(evaluator, conditions)
    if context is None:
        return False
    frame: dict[str, ModelValue | float | None] = {}
    memory: list[tuple[float, float]] = [(cell.start, cell.start) for cell in flow.memories]
    for number, cell in index.memory_nodes:
        interval = evaluator.value(number, context)
        frame[f"memory:{cell}"] = value = _clamp(flow.memories[cell].start, interval)
        memory[cell] = (value, value)
    # In one state of the memory the assumptions restrict the inputs more.
    inner = Evaluator(index, memory)
    context = _assume_all(inner, conditions)
    for number in index.fixed:
        if context is None or context.dead or (interval := inner.value(number, context)) is EMPTY:
            return False
        node = index.nodes[number]
        default = (flow.inputs if node.op == "input" else flow.parameters)[node.position].default
        frame[f"{node.op}:{node.value}"] = value = _clamp(default, interval)
        context = inner.narrow(context, number, (value, value))
    return _is_confirmed(evaluator, frame, conditions)


def _clamp(value: int | float, interval: tuple[float, float]) -> int | float:
    return min(max(value, interval[0]), interval[1])


def _assume_all(evaluator: Evaluator, conditions: Sequence[tuple[int, bool]]) -> Context | None:
    """Returns the context in which the conditions hold; None if it is impossible."""
    context = evaluator.base
    for node, truth in conditions:
        context = context if context.dead else evaluator.assume(context, node, truth)
    return None if context.dead else context


def _is_confirmed(
    evaluator: Evaluator, frame: Mapping[str, ModelValue | float | None], conditions: Sequence[tuple[int, bool]]
) -> bool:
    """Returns True if the interpreter confirms that a tick with these leaf values keeps assumptions and conditions."""
    flow = evaluator.index.flow
    run = model_to_run(flow, [frame])
    intervals = {cell: evaluator.value(node, evaluator.root) for node, cell in evaluator.index.memory_nodes}
    ranges = [intervals.get(position, (cell.start, cell.start)) for position, cell in enumerate(flow.memories)]
    memory = model_to_memory(flow, frame, ranges)
    values = Interpreter(flow, run.parameters).evaluate(run.rows[0], memory)
    return keeps_assumptions(flow, values) and all(bool(values[node]) == truth for node, truth in conditions)


class _Answer(NamedTuple):
    """z3's answer, whether products were replaced by intervals, and whether the interpreter confirms its tick."""

    answer: str
    loosened: bool
    confirmed: bool


def _is_impossible(
    evaluator: Evaluator, conditions: Sequence[tuple[int, bool]], limits: ProofLimits, solver: Solver, start: str
) -> bool:
    """Returns True if no tick within the memory ranges keeps the assumptions and meets the conditions.

    The first query replaces products by any value in their intervals. Usually it gives a tick that the interpreter
    confirms.
    """
    try:
        answer, loosened, confirmed = _ask(evaluator, conditions, limits, solver, start, True)
        if loosened and answer != UNSAT and not confirmed:
            answer = _ask(evaluator, conditions, limits, solver, start, False).answer
        return answer == UNSAT
    except SolverFailure:
        return False


def _ask(
    evaluator: Evaluator,
    conditions: Sequence[tuple[int, bool]],
    limits: ProofLimits,
    solver: Solver,
    start: str,
    linear: bool,
) -> _Answer:
    index = evaluator.index
    encoding = Encoding(evaluator, evaluator.base, start, linear=linear)
    roots = [*(node for node, _ in conditions), *index.assumes]
    (nodes,) = find_cones(index.flow, [roots], limits.slicing, encoding.ends)
    solver.reset(limits.solver_steps)
    solver.add(*encoding.frame(nodes))
    known = encoding.frames[0]
    solver.add(*(f"(assert {known[node].text})" for node in index.assumes))
    solver.add(*(f"(assert (= {known[node].text} {'true' if truth else 'false'}))" for node, truth in conditions))
    answer = solver.check(products=not linear)
    if answer != SAT or not encoding.loosened:
        return _Answer(answer, encoding.loosened, False)
    return _Answer(answer, True, _is_confirmed(evaluator, read_leaves(solver, encoding, 0), conditions))
