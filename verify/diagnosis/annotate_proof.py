"""What a proof attempt leaves to be said for the person who reads it: which parts of a property hold, which fact is missing,
which bound would do. It changes no verdict."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.conjunctions import prove_components, split_conjunction
from hl_dsl.verify.diagnosis.bound_relaxation import relax_bound
from hl_dsl.verify.diagnosis.missing_invariants import suggest_invariant
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof, Verdict

_PARTLY = frozenset((ProofStatus.VIOLATED,))
_STEPS = 100_000


def with_diagnosis(flow: Dataflow, proof: Proof, limits: ProofLimits = ProofLimits()) -> Proof:
    """The proof with components of what is violated, and advice on what is not proved."""
    if proof.passed:
        return proof
    # That the whole is broken is known; which parts are not is worth little time.
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
    verdicts = prove_components(flow, index, proof.verdicts, lambda other: prove(other, cheap).verdicts, _PARTLY)
    diagnosed = [
        (
            goal,
            _diagnose(
                flow,
                goal,
                _broken_parts(index, goal, verdict),
                cheap if verdict.status == ProofStatus.VIOLATED else limits,
            ),
        )
        for goal, verdict in verdicts
    ]
    return Proof(flow, lambda: diagnosed, proof.passed, proof.seconds)


def _broken_parts(index: GraphIndex, goal: Goal, verdict: Verdict) -> Verdict:
    """Of a violated property, the components that its own trace breaks."""
    if verdict.status != ProofStatus.VIOLATED or not verdict.components:
        return verdict
    interpreter = Interpreter(index.flow, verdict.trace[0]["parameters"])
    values = [interpreter.tick(tuple(entry["inputs"].values())).values for entry in verdict.trace][-1]
    components = tuple(
        component if values[node] else {**component, "status": ProofStatus.VIOLATED, "method": verdict.method}
        for node, component in zip(split_conjunction(index, goal.stated.node), verdict.components)
    )
    return replace(verdict, components=components)


def _diagnose(flow: Dataflow, goal: Goal, verdict: Verdict, limits: ProofLimits) -> Verdict:
    sentences = []
    if verdict.status in (ProofStatus.PROVED_REALS, ProofStatus.VIOLATED, ProofStatus.NOT_INDUCTIVE) and goal.kind in (
        "invariant",
        "memory",
    ):
        text = relax_bound(flow, goal, limits)
        if text:
            sentences.append(f"rounding alone breaks the exact bound; with a little room it is proved: `{text}`")
    if verdict.status == ProofStatus.NOT_INDUCTIVE and verdict.trace and not sentences:
        sentences.append(suggest_invariant(flow, goal, verdict.trace, limits))
    return replace(verdict, advice=tuple(text for text in sentences if text))
