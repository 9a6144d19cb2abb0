"""Adds diagnosis to a failed proof: which conjuncts hold, which invariant is missing, which weaker bound is provable.

Diagnosis changes no verdict.
"""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.conjunctions import prove_components, split_conjunction
from hl_dsl.verify.diagnosis.bound_relaxation import relax_bound
from hl_dsl.verify.diagnosis.missing_invariants import suggest_invariant
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof, Verdict

_SPLIT = frozenset((ProofStatus.VIOLATED,))
_STEPS = 100_000  # z3's resource counter for a query about a violated property


def with_diagnosis(flow: Dataflow, proof: Proof, limits: ProofLimits = DEFAULT_LIMITS) -> Proof:
    """Returns the proof with components of violated properties, and advice on goals that are not proved."""
    if proof.passed:
        return proof
    # The whole property is known to be violated. Its conjuncts get a cheap proof only.
    cheap = replace(
        limits,
        components=False,
        lemmas=False,
        depths=(0, 1),
        bounded_depths=(0, 0),
        lanes=0,
        solver_steps=min(_STEPS, limits.solver_steps),
    )
    index = GraphIndex(flow)
    verdicts = prove_components(flow, index, proof.verdicts, lambda other: prove(other, cheap).verdicts, _SPLIT)
    diagnosed = []
    for goal, verdict in verdicts:
        own_limits = cheap if verdict.status == ProofStatus.VIOLATED else limits
        diagnosed.append((goal, _add_advice(flow, goal, _mark_violated_components(index, goal, verdict), own_limits)))
    return Proof(flow, lambda: diagnosed, proof.passed, proof.seconds)


def _mark_violated_components(index: GraphIndex, goal: Goal, verdict: Verdict) -> Verdict:
    """Marks the conjuncts that the trace of a violated property violates."""
    if verdict.status != ProofStatus.VIOLATED or not verdict.components:
        return verdict
    interpreter = Interpreter(index.flow, verdict.trace[0]["parameters"])
    values = [interpreter.tick(tuple(entry["inputs"].values())).values for entry in verdict.trace][-1]
    components = tuple(
        component if values[node] else {**component, "status": ProofStatus.VIOLATED, "method": verdict.method}
        for node, component in zip(split_conjunction(index, goal.stated.node), verdict.components)
    )
    return replace(verdict, components=components)


def _add_advice(flow: Dataflow, goal: Goal, verdict: Verdict, limits: ProofLimits) -> Verdict:
    advice = []
    if verdict.status in (
        ProofStatus.PROVED_REALS,
        ProofStatus.VIOLATED,
        ProofStatus.NOT_INDUCTIVE,
    ) and goal.kind in ("invariant", "memory"):
        text = relax_bound(flow, goal, limits)
        if text:
            advice.append(f"rounding alone violates the exact bound; this weaker one is proved: `{text}`")
    if verdict.status == ProofStatus.NOT_INDUCTIVE and verdict.trace and not advice:
        advice.append(suggest_invariant(flow, goal, verdict.trace, limits))
    return replace(verdict, advice=tuple(text for text in advice if text))
