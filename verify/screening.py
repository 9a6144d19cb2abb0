"""The quick proof a search makes of every candidate: intervals only."""

from __future__ import annotations

from time import perf_counter

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal, list_goals, make_assumptions_goal
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.results.report import Proof, Verdict


def screen(flow: Dataflow, search_cache: SearchCache | None = None) -> Proof:
    """Proves what intervals can prove; the rest is `unknown`. Results are built when they are first asked for.

    With a `SearchCache`, kept by the caller, programs that share parts share the work; verdicts are the same as without.
    """
    start = perf_counter()
    stage = IntervalStage(flow, search_cache)
    verdicts = [stage.obligation(item) for item in flow.obligations]
    verdicts += [stage.invariant(item.node, item.antecedents) for item in flow.of_kind("invariant")]
    impossible = stage.impossible()
    passed = not impossible and all(verdict == ProofStatus.PROVED for verdict in verdicts)
    if flow.of_kind("reachable"):
        verdicts += _reached(flow, stage, passed)
        passed = passed and all(verdict == ProofStatus.PROVED for verdict in verdicts)
    return Proof(flow, lambda: _results(flow, verdicts, impossible), passed, perf_counter() - start)


def _reached(flow: Dataflow, stage: IntervalStage, worth_running: bool) -> list[ProofStatus]:
    """Intervals show that something is never reached; that it is, only a run can show."""
    from hl_dsl.verify.methods.reachability import find_witness

    wanted = [goal for goal in list_goals(flow) if goal.kind == "reachable"]
    found = [
        ProofStatus.VACUOUS if stage.invariant(goal.property.node) != ProofStatus.OPEN else ProofStatus.OPEN
        for goal in wanted
    ]
    return [
        ProofStatus.PROVED
        if verdict == ProofStatus.OPEN and worth_running and find_witness(stage.index, goal)
        else verdict
        for goal, verdict in zip(wanted, found)
    ]


def _results(flow: Dataflow, verdicts: list[ProofStatus], impossible: bool) -> list[tuple[Goal, Verdict]]:
    found = [
        (
            goal,
            Verdict(
                ProofStatus.UNKNOWN if verdict == ProofStatus.OPEN else verdict,
                "intervals",
                "" if verdict == ProofStatus.PROVED else "intervals do not settle it",
            ),
        )
        for goal, verdict in zip(list_goals(flow), verdicts)
    ]
    if impossible:
        found.append(
            (
                make_assumptions_goal(flow),
                Verdict(ProofStatus.VACUOUS, "intervals", "the assumptions leave no tick possible"),
            )
        )
    return found
