"""Whether what was proved says anything: a condition that is never met makes any implication true."""

from __future__ import annotations

from typing import Sequence

from hl_dsl.compiler.interpreter import Interpreter
from hl_dsl.verify.cone import cone
from hl_dsl.verify.encode import FREE, START, Encoding
from hl_dsl.verify.expressions import Names
from hl_dsl.verify.induction import leaves
from hl_dsl.verify.intervals import EMPTY, Context, Evaluator
from hl_dsl.verify.interval_tier import antecedents, unmet
from hl_dsl.verify.limits import Limits
from hl_dsl.verify.models import memory_of, run_of
from hl_dsl.verify.obligations import Goal
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.solver import SAT, UNSAT, Solver, SolverFailure

CONTRADICTED = "the assumptions contradict each other"

_MOST_TEXT = 80


def contradictory(evaluator: Evaluator, limits: Limits, solver: Solver) -> bool:
    """Whether the assumptions cannot hold at the first tick, so that no run keeps them."""
    plan = evaluator.plan
    if not plan.assumes or not limits.solver:
        return False
    starts = [(cell.start, cell.start) for cell in plan.flow.memories]
    return not _met(Evaluator(plan, starts), []) and _impossible(evaluator, [], limits, solver, START)


def vacuous(evaluator: Evaluator, goals: Sequence[Goal], limits: Limits, solver: Solver) -> dict[str, int]:
    """Goals, by id, with a condition of theirs that is never met. All `goals` must be proved: a violated goal with such a
    condition is violated."""
    conditions = {goal.id: antecedents(evaluator.plan, goal.property.node, goal.property.asked) for goal in goals}
    wanted = sorted({condition for found in conditions.values() for condition in found})
    never = {condition for condition in wanted if unmet(evaluator, evaluator.base, [condition]) is not None
             or limits.solver and not _met(evaluator, [condition]) and _impossible(evaluator, [condition], limits, solver, FREE)}
    return {goal: next(condition for condition in found if condition in never)[0] for goal, found in conditions.items() if never.intersection(found)}


def unasked(evaluator: Evaluator, goal: Goal, condition: int | None = None) -> str:
    """Why a goal is never asked, in words: for a `condition` of it that is never met, or, where none is given, for what
    intervals show."""
    plan, item = evaluator.plan, goal.property
    if condition is None and not evaluator.base.dead:
        condition = unmet(evaluator, evaluator.base, antecedents(plan, item.node, item.asked))
    if condition is None:
        return CONTRADICTED
    where = " where the `assume` facts hold" if plan.assumes else ""
    if item.form == "after" and condition == plan.nodes[item.node].args[0] and condition not in item.asked:
        return f"the stretch that its `after` begins is over at once{where}: its `until` is true whenever it begins"
    text = Names(plan.flow).text(condition)
    text = text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
    what = f"the trigger of its `{item.form}`" if condition in item.asked else "the condition of an `implies` in it"
    return f"{what} is never true{where}: `{text}`"


def _met(evaluator: Evaluator, conditions: list[tuple[int, bool]]) -> bool:
    """Whether a tick that intervals lead to keeps the assumptions and meets the conditions, as the interpreter sees it.
    If so, z3 would find it possible too, and need not be asked."""
    plan, flow = evaluator.plan, evaluator.plan.flow
    context = _assumed(evaluator, conditions)
    if context is None:
        return False
    frame: dict[str, object] = {}
    memory = [(cell.start, cell.start) for cell in flow.memories]
    for number, cell in plan.memory_nodes:
        pair = evaluator.value(number, context)
        frame[f"memory:{cell}"] = value = min(max(flow.memories[cell].start, pair[0]), pair[1])
        memory[cell] = (value, value)
    # In one state of the memory the assumptions tell more of the inputs.
    inner = Evaluator(plan, memory)
    context = _assumed(inner, conditions)
    for number in plan.fixed:
        if context is None or context.dead or (pair := inner.value(number, context)) is EMPTY:
            return False
        node = plan.nodes[number]
        default = (flow.inputs if node.op == "input" else flow.parameters)[node.value].default
        frame[f"{node.op}:{node.value}"] = value = min(max(default, pair[0]), pair[1])
        context = inner.narrow(context, number, (value, value))
    return _agreed(evaluator, frame, conditions)


def _assumed(evaluator: Evaluator, conditions: list[tuple[int, bool]]) -> Context | None:
    """Where the conditions hold, if that may be anywhere."""
    context = evaluator.base
    for node, truth in conditions:
        context = context if context.dead else evaluator.assume(context, node, truth)
    return None if context.dead else context


def _agreed(evaluator: Evaluator, frame: dict[str, object], conditions: list[tuple[int, bool]]) -> bool:
    """Whether the interpreter agrees that a tick with these leaf values keeps the assumptions and meets the conditions."""
    flow = evaluator.plan.flow
    run = run_of(flow, [frame])
    pairs = {cell: evaluator.value(node, evaluator.root) for node, cell in evaluator.plan.memory_nodes}
    memory = memory_of(flow, frame, [pairs.get(position, (cell.start, cell.start)) for position, cell in enumerate(flow.memories)])
    values = Interpreter(flow, run.parameters).evaluate(run.rows[0], memory)
    return keeps_assumptions(flow, values) and all(bool(values[node]) == truth for node, truth in conditions)


def _impossible(evaluator: Evaluator, conditions: list[tuple[int, bool]], limits: Limits, solver: Solver, begin: str) -> bool:
    """Whether no tick within the memory ranges keeps the assumptions and meets the conditions. Asked first with products
    that may be anything in their intervals: mostly a tick that the interpreter agrees to comes of it."""
    try:
        answer, loosened, agreed = _asked(evaluator, conditions, limits, solver, begin, True)
        if loosened and answer != UNSAT and not agreed:
            answer, _, _ = _asked(evaluator, conditions, limits, solver, begin, False)
        return answer == UNSAT
    except SolverFailure:
        return False


def _asked(evaluator: Evaluator, conditions: list[tuple[int, bool]], limits: Limits, solver: Solver, begin: str, linear: bool) -> tuple[str, bool, bool]:
    """z3's answer, whether it was about looser products, and whether the interpreter agrees to the tick it gave."""
    plan = evaluator.plan
    encoding = Encoding(evaluator, evaluator.base, begin, linear=linear)
    (nodes,) = cone(plan.flow, [[*(node for node, _ in conditions), *plan.assumes]], limits.slicing, encoding.ends)
    solver.fresh(limits.solver_steps)
    solver.tell(*encoding.frame(nodes))
    known = encoding.frames[0]
    solver.tell(*(f"(assert {known[node].text})" for node in plan.assumes))
    solver.tell(*(f"(assert (= {known[node].text} {'true' if truth else 'false'}))" for node, truth in conditions))
    answer = solver.check(products=not linear)
    if answer != SAT or not encoding.loosened:
        return answer, encoding.loosened, False
    return answer, True, _agreed(evaluator, leaves(solver, encoding, 0), conditions)
