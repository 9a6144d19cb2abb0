"""Certificates: a proof as SMT-LIB 2 scripts that another solver can check.

There is a script for each query that must be unsatisfiable. The scripts of all goals belong together: the step of one
goal may assume the other goals at earlier ticks, and each goal has a base. What intervals prove alone needs no solver:
the certificate then gives the interval of the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.certificate_files import Certificate, CertificateQuery
from hl_dsl.verify.conjunctions import split_conjunction
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus, describe_claim
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.goal_encoding import Model, fact_node
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import INDUCTIVE, Attempt, Induction
from hl_dsl.verify.methods.lemmas.houdini import Houdini
from hl_dsl.verify.methods.lemmas.induction_with_lemmas import LEMMA_DEPTHS, prove_with_lemmas
from hl_dsl.verify.results.report import GoalResult, Proof
from hl_dsl.verify.smt.encode import RELATIVE_ERROR, ROUNDED, START
from hl_dsl.verify.smt.solver import UNSAT, Solver, SolverFailure


def build_certificate(flow: Dataflow, proof: Proof, limits: ProofLimits = DEFAULT_LIMITS) -> Certificate:
    """Repeats a proof and returns its scripts. A goal that was proved by components is certified by components."""
    certificate = Certificate(flow)
    proved = [result for result in proof.results if result.status == ProofStatus.PROVED]
    stage, goals_of = _split_components(flow, proved)
    certificate.ranges = {
        cell.name: [_plain(end) for end in interval] for cell, interval in zip(flow.memories, stage.ranges)
    }
    tried = [
        goal
        for own in goals_of.values()
        for goal in own
        if goal.kind != "reachable" and not _is_proved_by_intervals(stage, goal) and not _used_boxes(goal, proved)
    ]
    repeated = _RepeatedProof()
    if not limits.solver:
        repeated.failure = "the solver is disabled"
    elif any(_needs_solver(result) for result in proved):
        solver = _RecordingSolver(limits.hang_seconds)
        with solver:
            try:
                repeated.run(stage, tried, limits, solver)
            except SolverFailure as problem:
                repeated.failure = str(problem)
    for result in proved:
        entry, queries = _entry(flow, stage, result, goals_of[result.id], repeated)
        certificate.entries.append(entry)
        certificate.queries += queries
    return certificate


def _needs_solver(result: GoalResult) -> bool:
    return result.method != "intervals" and "boxes" not in result.method and result.kind != "reachable"


def _used_boxes(goal: Goal, proved: Sequence[GoalResult]) -> bool:
    return any(result.id == goal.id and "boxes" in result.method for result in proved)


def _split_components(flow: Dataflow, proved: Sequence[GoalResult]) -> tuple[IntervalStage, dict[str, list[Goal]]]:
    """Returns the program with the properties split that were proved by components, and the goals of each result."""
    names = {
        result.name for result in proved if result.kind == "invariant" and result.method.startswith("by components")
    }
    whole = IntervalStage(flow)
    if not names:
        return whole, {goal.id: [goal] for goal in list_goals(flow)}
    properties = []
    for item in flow.properties:
        if item.kind == "invariant" and item.name in names:
            properties += [
                replace(item, name=f"{item.name}[{number}]", node=node)
                for number, node in enumerate(split_conjunction(whole.index, item.node))
            ]
        else:
            properties.append(item)
    other = replace(flow, properties=properties)
    goals_of: dict[str, list[Goal]] = {}
    for goal in list_goals(other):
        name = goal.name.partition("[")[0] if goal.kind == "invariant" else ""
        goals_of.setdefault(f"invariant:{name}" if name in names else goal.id, []).append(goal)
    return IntervalStage(other), goals_of


def _is_proved_by_intervals(stage: IntervalStage, goal: Goal) -> bool:
    if goal.declaration is None:
        return stage.obligation(goal.required) == ProofStatus.PROVED
    return stage.invariant(goal.declaration.node, goal.declaration.antecedents) == ProofStatus.PROVED


class _RepeatedProof:
    """The induction part of a proof, repeated with a recording of its queries.

    Attributes:
        attempts: The attempts, by goal id.
        queries: The scripts of each proved goal, by goal id.
        failure: Why the solver could not be used; empty if it could.
    """

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.queries: dict[str, list[CertificateQuery]] = {}
        self.failure = ""

    def run(self, stage: IntervalStage, goals: Sequence[Goal], limits: ProofLimits, solver: _RecordingSolver) -> None:
        """Tries plain induction, then finer error bounds, then lemmas, as the pipeline does."""
        induction = _RecordingInduction(stage, limits, solver)
        self._add(induction.prove(goals, limits.depths), induction.queries)
        if unproved := self._unproved(goals):
            finer = _RecordingInduction(stage, limits, solver, RELATIVE_ERROR)
            facts = [goal for goal in goals if goal not in unproved]
            self._add(finer.prove(unproved, limits.depths[:2], facts), finer.queries)
        if unproved := self._unproved(goals):
            facts = [
                goal
                for goal in list_goals(stage.flow)
                if goal not in unproved and (goal not in goals or self.attempts[goal.id].proved)
            ]
            self._add(*_prove_with_lemmas(stage, unproved, facts, limits, solver))

    def _add(self, attempts: Mapping[str, Attempt], queries: Mapping[str, list[CertificateQuery]]) -> None:
        self.attempts.update(attempts)
        self.queries.update(queries)

    def _unproved(self, goals: Sequence[Goal]) -> list[Goal]:
        return [goal for goal in goals if not self.attempts[goal.id].proved]


def _entry(
    flow: Dataflow, stage: IntervalStage, result: GoalResult, own: Sequence[Goal], repeated: _RepeatedProof
) -> tuple[dict[str, Any], list[CertificateQuery]]:
    """Returns the index entry of a result, and its scripts.

    `own`: its goals, several if it was proved by components.
    """
    goal = next(goal for goal in list_goals(flow) if goal.id == result.id)
    entry: dict[str, Any] = {
        "id": result.id,
        "claim": describe_claim(flow, goal, ProofStatus.PROVED),
        "says": goal.says,
        "method": result.method,
        "line": result.line,
    }
    queries: list[CertificateQuery] = []
    if result.kind == "reachable":
        entry["witness"] = list(result.trace)
        return entry, queries
    if not _needs_solver(result):
        entry["intervals"] = [_interval(stage, part) for part in own]
        return entry, queries
    for part in own:
        if _is_proved_by_intervals(stage, part):
            entry.setdefault("intervals", []).append(_interval(stage, part))
        elif part.id in repeated.attempts and repeated.attempts[part.id].proved:
            if repeated.queries[part.id]:
                queries += repeated.queries[part.id]
            else:  # by intervals, over the memory ranges that other goals state
                interval = {**_interval(stage, part), "given": "the ranges of the memory, which are goals too"}
                entry.setdefault("intervals", []).append(interval)
        else:
            entry["uncertified"] = repeated.failure or "its proof needs more than the induction that is recorded here"
    entry["queries"] = [
        {"file": query.file, "part": query.part, "depth": query.depth, "tick": query.tick, "expected": UNSAT}
        for query in queries
    ]
    return entry, queries


def _interval(stage: IntervalStage, goal: Goal) -> dict[str, Any]:
    """Returns the interval of the value that the goal is about. A condition that holds is [1, 1]."""
    node = goal.declaration.node if goal.declaration is not None else goal.required.subject
    context = stage.evaluator.base if goal.obligation is None else stage.context(goal.obligation)
    interval = EMPTY if context.dead else stage.evaluator.value(node, context)
    kind = stage.index.nodes[node].base
    if interval is EMPTY:
        return {"of": kind, "never": True}
    return {"of": kind, "low": _plain(interval[0]), "high": _plain(interval[1])}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


class _RecordingSolver(Solver):
    """A solver that keeps the commands of the last query that was UNSAT."""

    def __init__(self, hang_seconds: float):
        super().__init__(hang_seconds)
        self.recorded: list[str] = []
        self.refuted: tuple[str, ...] = ()

    def reset(self, steps: int, cores: bool = False) -> None:
        self.recorded = []
        super().reset(steps, cores)

    def add(self, *lines: str) -> None:
        self.recorded += lines
        super().add(*lines)

    def check(self, supposed: Sequence[str] = (), products: bool = False) -> str:
        answer = super().check(supposed, products)
        if answer == UNSAT:
            self.refuted = (*self.recorded, *(f"(assert {name})" for name in supposed))
        return answer


class _RecordingInduction(Induction):
    """Induction that keeps the queries of each goal's last attempt, from the step that succeeded on."""

    def __init__(self, stage: IntervalStage, limits: ProofLimits, solver: _RecordingSolver, rounding: str = ROUNDED):
        super().__init__(stage.index, stage.ranges, limits, solver, rounding)
        self._recorder = solver
        self.queries: dict[str, list[CertificateQuery]] = {}

    def _attempt(self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator) -> Attempt:
        self.queries[goal.id] = []
        return super()._attempt(goal, hypotheses, evaluator)

    def _holds_initially(self, goal: Goal) -> bool:
        return False  # the base must be a script too

    def _query(
        self, goal: Goal, hypotheses: Sequence[Goal], evaluator: Evaluator, depth: int, start: str
    ) -> tuple[str, Model]:
        answer, model = super()._query(goal, hypotheses, evaluator, depth, start)
        if answer == UNSAT:
            part = "base" if start == START else "step"
            query = CertificateQuery(goal.id, part, depth, depth, self._recorder.refuted)
            self.queries[goal.id] = [*(self.queries[goal.id] if start == START else []), query]
        return answer, model


def _prove_with_lemmas(
    stage: IntervalStage,
    open_goals: Sequence[Goal],
    facts: Sequence[Goal],
    limits: ProofLimits,
    solver: _RecordingSolver,
) -> tuple[dict[str, Attempt], dict[str, list[CertificateQuery]]]:
    """Returns attempts and scripts of the goals that lemmas prove: for the goal, and for the lemmas themselves."""
    attempts = prove_with_lemmas(stage.index, stage.ranges, open_goals, facts, limits, solver)
    hypotheses = [
        goal for goal in [*facts, *open_goals] if goal.kind in INDUCTIVE and (goal in facts or goal.id in attempts)
    ]
    queries: dict[str, list[CertificateQuery]] = {}
    for goal in open_goals:
        if goal.id not in attempts:
            continue
        lemmas = list(attempts[goal.id].lemmas)
        induction = _RecordingInduction(stage, limits, solver)
        induction.lemmas = lemmas
        again = induction.attempt(goal, LEMMA_DEPTHS, hypotheses)
        evaluator = Evaluator(stage.index, induction.assuming_ranges(hypotheses))
        houdini = Houdini(evaluator, [fact_node(other) for other in hypotheses], limits, solver)
        whole = houdini.hold_initially(lemmas) == lemmas
        base = CertificateQuery(f"lemmas of {goal.id}", "base", 0, 0, solver.refuted)
        whole = whole and houdini.hold_after_step(lemmas) == lemmas
        step = CertificateQuery(f"lemmas of {goal.id}", "step", 1, 1, solver.refuted)
        if again.proved and whole:
            queries[goal.id] = [*induction.queries[goal.id], base, step]
        else:
            attempts[goal.id] = attempts[goal.id]._replace(proved=False)
    return attempts, queries
