"""Whether what was proved says anything: a condition that is never met makes any implication true."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.cone_of_influence import find_cones
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.intervals.evaluator import EMPTY, Context, Evaluator
from hl_dsl.verify.methods.interval_stage import find_antecedents, find_unmet_antecedent
from hl_dsl.verify.methods.k_induction import read_leaves
from hl_dsl.verify.methods.solver_models import model_to_memory, model_to_run
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.smt.encode import FREE, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver, SolverFailure

CONTRADICTED = "the assumptions contradict each other"

_MOST_TEXT = 80


def assumptions_contradict(evaluator: Evaluator, limits: ProofLimits, solver: Solver) -> bool:
    """Whether the assumptions cannot hold at the first tick, so that no run keeps them."""
    index = evaluator.index
    if not index.assumes or not limits.solver:
        return False
    starts = [(cell.start, cell.start) for cell in index.flow.memories]
    return not _met(Evaluator(index, starts), []) and _impossible(evaluator, [], limits, solver, START)


def find_vacuous_goals(
    evaluator: Evaluator, goals: Sequence[Goal], limits: ProofLimits, solver: Solver
) -> dict[str, int]:
    """Goals, by id, with a condition of theirs that is never met. All `goals` must be proved: a violated goal with such a
    condition is violated."""
    conditions = {
        goal.id: find_antecedents(evaluator.index, goal.property.node, goal.property.antecedents) for goal in goals
    }
    wanted = sorted({condition for found in conditions.values() for condition in found})
    never = {
        condition
        for condition in wanted
        if find_unmet_antecedent(evaluator, evaluator.base, [condition]) is not None
        or limits.solver
        and not _met(evaluator, [condition])
        and _impossible(evaluator, [condition], limits, solver, FREE)
    }
    return {
        goal: next(condition for condition in found if condition in never)[0]
        for goal, found in conditions.items()
        if never.intersection(found)
    }


def explain_unmet_antecedent(evaluator: Evaluator, goal: Goal, condition: int | None = None) -> str:
    """Why a goal is never asked, in words: for a `condition` of it that is never met, or, where none is given, for what
    intervals show."""
    index, item = evaluator.index, goal.property
    if condition is None and not evaluator.base.dead:
        condition = find_unmet_antecedent(
            evaluator, evaluator.base, find_antecedents(index, item.node, item.antecedents)
        )
    if condition is None:
        return CONTRADICTED
    where = " where the `assume` facts hold" if index.assumes else ""
    if item.form == "after" and condition == index.nodes[item.node].args[0] and condition not in item.antecedents:
        return f"the stretch that its `after` begins is over at once{where}: its `until` is true whenever it begins"
    text = NodeNames(index.flow).text(condition)
    text = text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
    what = (
        f"the trigger of its `{item.form}`" if condition in item.antecedents else "the condition of an `implies` in it"
    )
    return f"{what} is never true{where}: `{text}`"


def _met(evaluator: Evaluator, conditions: list[tuple[int, bool]]) -> bool:
    """Whether a tick that intervals lead to keeps the assumptions and meets the conditions, as the interpreter sees it.
    If so, z3 would find it possible too, and need not be asked."""
    index, flow = evaluator.index, evaluator.index.flow
    context = _assumed(evaluator, conditions)
    if context is None:
        return False
    frame: dict[str, object] = {}
    memory = [(cell.start, cell.start) for cell in flow.memories]
    for number, cell in index.memory_nodes:
        pair = evaluator.value(number, context)
        frame[f"memory:{cell}"] = value = min(max(flow.memories[cell].start, pair[0]), pair[1])
        memory[cell] = (value, value)
    # In one state of the memory the assumptions tell more of the inputs.
    inner = Evaluator(index, memory)
    context = _assumed(inner, conditions)
    for number in index.fixed:
        if context is None or context.dead or (pair := inner.value(number, context)) is EMPTY:
            return False
        node = index.nodes[number]
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
    flow = evaluator.index.flow
    run = model_to_run(flow, [frame])
    pairs = {cell: evaluator.value(node, evaluator.root) for node, cell in evaluator.index.memory_nodes}
    memory = model_to_memory(
        flow, frame, [pairs.get(position, (cell.start, cell.start)) for position, cell in enumerate(flow.memories)]
    )
    values = Interpreter(flow, run.parameters).evaluate(run.rows[0], memory)
    return keeps_assumptions(flow, values) and all(bool(values[node]) == truth for node, truth in conditions)


def _impossible(
    evaluator: Evaluator, conditions: list[tuple[int, bool]], limits: ProofLimits, solver: Solver, begin: str
) -> bool:
    """Whether no tick within the memory ranges keeps the assumptions and meets the conditions. Asked first with products
    that may be anything in their intervals: mostly a tick that the interpreter agrees to comes of it."""
    try:
        answer, loosened, agreed = _asked(evaluator, conditions, limits, solver, begin, True)
        if loosened and answer != UNSAT and not agreed:
            answer, _, _ = _asked(evaluator, conditions, limits, solver, begin, False)
        return answer == UNSAT
    except SolverFailure:
        return False


def _asked(
    evaluator: Evaluator,
    conditions: list[tuple[int, bool]],
    limits: ProofLimits,
    solver: Solver,
    begin: str,
    linear: bool,
) -> tuple[str, bool, bool]:
    """z3's answer, whether it was about looser products, and whether the interpreter agrees to the tick it gave."""
    index = evaluator.index
    encoding = Encoding(evaluator, evaluator.base, begin, linear=linear)
    (nodes,) = find_cones(
        index.flow, [[*(node for node, _ in conditions), *index.assumes]], limits.slicing, encoding.ends
    )
    solver.reset(limits.solver_steps)
    solver.add(*encoding.frame(nodes))
    known = encoding.frames[0]
    solver.add(*(f"(assert {known[node].text})" for node in index.assumes))
    solver.add(*(f"(assert (= {known[node].text} {'true' if truth else 'false'}))" for node, truth in conditions))
    answer = solver.check(products=not linear)
    if answer != SAT or not encoding.loosened:
        return answer, encoding.loosened, False
    return answer, True, _agreed(evaluator, read_leaves(solver, encoding, 0), conditions)
