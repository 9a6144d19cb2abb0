"""The quick proof that a search makes of every candidate: intervals only."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal, list_goals, make_assumptions_goal
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.results.report import Proof, Verdict


def screen(flow: Dataflow, search_cache: SearchCache | None = None) -> Proof:
    """Proves what intervals can prove. Other goals are `unknown`. Results are built when they are first read.

    With a `search_cache`, programs share the work on their common parts. The verdicts are the same without it.
    """
    start = perf_counter()
    stage = IntervalStage(flow, search_cache)
    verdicts = [stage.obligation(item) for item in flow.obligations]
    verdicts += [stage.invariant(item.node, item.antecedents) for item in flow.of_kind("invariant")]
    impossible = stage.impossible()
    proved = ProofStatus.PROVED
    passed = not impossible and all(verdict == proved for verdict in verdicts)
    if flow.of_kind("reachable"):
        verdicts += _screen_reachable(flow, stage, passed)
        passed = passed and all(verdict == proved for verdict in verdicts)
    return Proof(flow, lambda: _results(flow, verdicts, impossible), passed, perf_counter() - start)


def _screen_reachable(flow: Dataflow, stage: IntervalStage, worth_running: bool) -> list[ProofStatus]:
    """Returns verdicts on `reachable` properties: intervals refute them, and a simulated run proves them."""
    from hl_dsl.verify.methods.reachability import find_witness

    verdicts = []
    for goal in list_goals(flow):
        if goal.kind != "reachable":
            continue
        if stage.invariant(goal.stated.node) != ProofStatus.OPEN:
            verdicts.append(ProofStatus.VACUOUS)
        elif worth_running and find_witness(stage.index, goal) is not None:
            verdicts.append(ProofStatus.PROVED)
        else:
            verdicts.append(ProofStatus.OPEN)
    return verdicts


def _results(flow: Dataflow, verdicts: Sequence[ProofStatus], impossible: bool) -> list[tuple[Goal, Verdict]]:
    results = [(goal, _verdict(verdict)) for goal, verdict in zip(list_goals(flow), verdicts)]
    if impossible:
        verdict = Verdict(ProofStatus.VACUOUS, "intervals", "no tick satisfies the assumptions")
        results.append((make_assumptions_goal(flow), verdict))
    return results


def _verdict(status: ProofStatus) -> Verdict:
    if status == ProofStatus.PROVED:
        return Verdict(status, "intervals")
    known = ProofStatus.UNKNOWN if status == ProofStatus.OPEN else status
    return Verdict(known, "intervals", "intervals do not decide it")
