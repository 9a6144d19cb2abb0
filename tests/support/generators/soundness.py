"""Comparison of the verifier's intervals and proofs with runs of the interpreter."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hl_dsl.compiler.backends.interpreter import Tick
from hl_dsl.compiler.ir.dataflow import Dataflow, Obligation
from hl_dsl.operators.intervals import ANYTHING
from hl_dsl.verify import Proof
from hl_dsl.verify.goals.goals import list_claimed_properties
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.results.report import PROPERTIES
from tests.support.generators.inputs import LARGEST_INT, Reference, Run

# Kinds and statuses of properties that hold at every tick, or at none.
_HOLDING = (
    ("invariant", ProofStatus.PROVED),
    ("invariant", ProofStatus.VACUOUS),
    ("reachable", ProofStatus.VACUOUS),
)


def sound_ticks(flow: Dataflow, run: Run, reference: Reference, defined: bool = False) -> Iterator[tuple[Tick, bool]]:
    """The ticks about which the verifier claims something, each with whether an episode starts there.

    So far in the episode assumptions held (the last tick given may break one: nothing is claimed after it), and unless
    the program is proved well `defined`, everything was finite and whole numbers exact.
    """
    assumed = [item.node for item in flow.of_kind("assume")]
    for lane in range(run.lanes):
        open_ = False
        for tick in range(run.ticks):
            done = reference.ticks[tick][lane]
            if done is None:
                continue
            open_ = open_ or bool(run.restarts[tick, lane])
            if not (open_ and (defined or (reference.plain[tick, lane] and all(map(_is_finite, done.values))))):
                open_ = False
                continue
            yield done, bool(run.restarts[tick, lane])
            open_ = all(done.values[node] for node in assumed)


def _is_finite(value) -> bool:
    return type(value) is not float or math.isfinite(value)


def outside_intervals(flow: Dataflow, stage: IntervalStage, run: Run, reference: Reference) -> list[str]:
    """Returns values of a run that lie outside their intervals."""
    found = []
    for done, _ in sound_ticks(flow, run, reference):
        for value, pair, cell in zip(done.memory, stage.ranges, flow.memories):
            if pair != ANYTHING and not pair[0] <= value <= pair[1]:
                found.append(f"memory {cell.name} is {value!r}, outside {pair}")
        for number, value in enumerate(done.values):
            low, high = stage.evaluator.value(number, stage.evaluator.root)
            if not low <= value <= high:
                found.append(f"node {number} ({flow.nodes[number].op}) is {value!r}, outside {(low, high)}")
    return found


def broken_proofs(flow: Dataflow, proof: Proof, run: Run, reference: Reference) -> list[str]:
    """Returns proved goals that a run violates. Nothing is claimed about a program that is not proved well defined."""
    if any(result.status != ProofStatus.PROVED for result in proof.results if result.kind not in PROPERTIES):
        return []
    proved = {result.name for result in proof.results if (result.kind, result.status) in _HOLDING}
    found = []
    for done, _ in sound_ticks(flow, run, reference, defined=True):
        if not all(done.values[item.node] for item in flow.of_kind("assume")):
            continue
        found += [
            f"{item.kind} {item.name}"
            for item in list_claimed_properties(flow)
            if item.name in proved and not done.values[item.node]
        ]
        found += [
            item.says
            for item in flow.obligations
            if (item.guard is None or done.values[item.guard]) and not _is_met(item, done.values)
        ]
        found += [
            f"{cell.name} is {value!r}"
            for value, cell in zip(done.memory, flow.memories)
            if cell.low is not None and not cell.low <= value <= cell.high
        ]
    return found


def _is_met(item: Obligation, values: list) -> bool:
    if item.claim is not None:
        return values[item.claim]
    return _is_finite(values[item.subject]) if item.kind == "finite" else abs(values[item.subject]) <= LARGEST_INT


def unsound(flow: Dataflow, stage: IntervalStage, proof: Proof, run: Run, reference: Reference) -> list[str]:
    return outside_intervals(flow, stage, run, reference) + broken_proofs(flow, proof, run, reference)
