"""Induction with inferred lemmas: facts about the memory that the program does not state and that the goals need.

Lemmas are inferred for goals that plain induction leaves open. Lemmas may depend on the open goals as hypotheses, and
goals on the lemmas. A goal that still fails is dropped, and the rest is proved again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goal_relevance import GoalRelevance
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex, Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.methods.goal_encoding import fact_node
from hl_dsl.verify.methods.k_induction import INDUCTIVE, Attempt, Induction
from hl_dsl.verify.methods.lemma import Lemma
from hl_dsl.verify.methods.lemmas.candidates import LemmaCandidates
from hl_dsl.verify.methods.lemmas.houdini import Houdini
from hl_dsl.verify.simulation.input_sampling import Sampler
from hl_dsl.verify.simulation.replay import Values, keeps_assumptions
from hl_dsl.verify.smt.solver import Solver

LEMMA_DEPTHS = (0, 1)
_EPISODES, _TICKS = 12, 40
_TIED_EPISODES, _TIED_TICKS = 16, 20  # where assumptions tie inputs to the last tick
_MOST_WORK = 16_000  # nodes evaluated in such ticks, which are expensive
_TRIES = 4


def prove_with_lemmas(
    index: GraphIndex,
    ranges: Sequence[Interval],
    goals: Sequence[Goal],
    facts: Sequence[Goal],
    limits: ProofLimits,
    solver: Solver,
    expressions: ExpressionTable | None = None,
) -> dict[str, Attempt]:
    """Attempts to prove goals with inferred lemmas.

    Args:
        index: The program.
        ranges: Ranges of the memory cells.
        goals: The open goals.
        facts: Goals that are proved already.
        limits: Limits of the proof.
        solver: The solver.
        expressions: Table of known intervals.

    Returns:
        The attempts of the goals that are proved, by id.

    Raises:
        SolverFailure: z3 cannot be used.
    """
    # Memory that only the facts depend on does not help the goals.
    relevance = GoalRelevance(index)
    near = {other.id for goal in goals for other in relevance.among(goal, facts)}
    facts = [goal for goal in facts if goal.kind in INDUCTIVE and goal.id in near]
    supposed = [goal for goal in goals if goal.kind in INDUCTIVE]
    candidates: list[Lemma] | None = None
    while True:
        hypotheses = [*facts, *supposed]
        induction = Induction(index, ranges, limits, solver, expressions=expressions)
        evaluator = Evaluator(index, induction.assuming_ranges(hypotheses), expressions)
        if candidates is None:
            candidates = LemmaCandidates(evaluator, goals, sample_states(index, goals)).propose()
        houdini = Houdini(evaluator, [fact_node(goal) for goal in hypotheses], limits, solver)
        # Under fewer hypotheses fewer lemmas hold, so what was dropped once need not be tried again.
        candidates = houdini.filter(candidates)
        if not candidates:
            return {}
        induction.lemmas = candidates
        attempts = {goal.id: induction.attempt(goal, LEMMA_DEPTHS, hypotheses) for goal in supposed}
        kept = [goal for goal in supposed if attempts[goal.id].proved]
        if len(kept) == len(supposed):
            break
        supposed = kept
    attempts.update(
        (goal.id, induction.attempt(goal, LEMMA_DEPTHS, hypotheses)) for goal in goals if goal.id not in attempts
    )
    return {
        goal: _supported(attempt, houdini, candidates, hypotheses)
        for goal, attempt in attempts.items()
        if attempt.proved
    }


def _supported(attempt: Attempt, houdini: Houdini, lemmas: Sequence[Lemma], hypotheses: Sequence[Goal]) -> Attempt:
    """Returns the attempt with everything that its lemmas depend on."""
    wanted = houdini.find_support(lemmas, attempt.lemmas)
    nodes = [node for lemma in wanted for node in lemma.nodes] + [node for goal in hypotheses for node in goal.nodes]
    return attempt._replace(lemmas=tuple(wanted), depends_on=tuple(dict.fromkeys([*attempt.depends_on, *nodes])))


def sample_states(index: GraphIndex, goals: Sequence[Goal]) -> list[Values]:
    """Returns the values of all nodes at ticks of simulated runs, one tick for each memory state."""
    nodes = find_closed_cone(index.flow, [node for goal in goals for node in goal.nodes] + index.assumes)
    cells = [index.nodes[node].position for node in nodes if index.nodes[node].op == "memory"]
    episodes, ticks = (_TIED_EPISODES, _TIED_TICKS) if index.assumes else (_EPISODES, _TICKS)
    if index.assumes:
        episodes = max(2, min(episodes, _MOST_WORK // (ticks * len(index.nodes))))
    states: dict[tuple[int | float, ...], Values] = {}
    for episode in range(episodes if cells else 0):
        sampler = Sampler(index, random.Random(episode))
        interpreter = Interpreter(index.flow, sampler.parameters)
        for _ in range(ticks):
            values = _tick(index, sampler, interpreter)
            if values is None:
                break
            states.setdefault(tuple(interpreter.memory[cell] for cell in cells), values)
            interpreter.memory = tuple(values[cell.next] for cell in index.flow.memories)
    return list(states.values())


def _tick(index: GraphIndex, sampler: Sampler, interpreter: Interpreter) -> Values | None:
    for _ in range(_TRIES):
        row = sampler.draw(interpreter.memory)
        if row is not None:
            values = interpreter.evaluate(row, interpreter.memory)
            if keeps_assumptions(index.flow, values):
                return values
    return None
