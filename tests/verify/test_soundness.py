"""Soundness of intervals and proofs on generated programs, compared with the interpreter."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify import ProofLimits, prove
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.terms import SORTS, literal
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break, keeps_assumptions
from hl_dsl.verify.simulation.simulate import simulate
from hl_dsl.verify.smt.encode import RELATIVE_ERROR, START, Encoding
from hl_dsl.verify.smt.solver import SAT, UNSAT, Solver
from tests.support.generators.inputs import runs
from tests.support.generators.programs import programs
from tests.support.generators.taint import sound_nodes

TOLERANT: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


def lanes_of(flow, run):
    """Returns the ticks of each lane as (values, which of them are sound), until an assumption is violated."""
    for lane in range(run.lanes):
        interpreter = Interpreter(flow, run.parameters_of(lane))
        tainted: set[int] = set()
        ticks = []
        for tick in range(run.ticks):
            if run.restarts[tick, lane]:
                interpreter.reset()
                tainted = set()
                if ticks:
                    break
            values = interpreter.tick(run.raw(tick, lane)).values
            sound = sound_nodes(flow, values, tainted)
            ticks.append((values, sound))
            if not keeps_assumptions(flow, values):
                break
            tainted = {position for position, cell in enumerate(flow.memories) if not sound[cell.next]}
        yield interpreter, ticks


@settings(max_examples=70, **TOLERANT)
@given(data=st.data(), program=programs())
def test_value_of_a_run_lies_in_its_interval(data, program):
    flow = program.flow
    stage = IntervalStage(flow)
    evaluator = stage.evaluator
    run = data.draw(runs(flow))
    for _, ticks in lanes_of(flow, run):
        for values, sound in ticks:
            kept = keeps_assumptions(flow, values) and all(sound[node] for node in stage.index.assumes)
            for node, value in enumerate(values):
                if sound[node]:
                    check(evaluator, node, evaluator.root, value)
                    if kept:
                        check(evaluator, node, evaluator.base, value)
            if not kept:
                continue
            for item in flow.obligations:
                context = stage.context(item)
                if item.guard is not None and (not values[item.guard] or not sound[item.guard]):
                    continue
                assert not context.dead
                for node in (item.subject, *(() if item.claim is None else (item.claim,))):
                    if sound[node]:
                        check(evaluator, node, context, values[node])


def check(evaluator, node, context, value):
    low, high = evaluator.value(node, context)
    assert low <= value <= high, (node, evaluator.index.nodes[node], value, (low, high))


@settings(max_examples=30, **TOLERANT)
@given(data=st.data(), program=programs())
def test_encoding_admits_every_run(data, program):
    flow = program.flow
    stage = IntervalStage(flow)
    run = data.draw(runs(flow, lanes=1, ticks=3))
    with Solver(60) as solver:
        for interpreter, ticks in lanes_of(flow, run):
            assert (
                admitted(solver, stage, interpreter, [tick for tick in ticks if keeps_assumptions(flow, tick[0])])
                != UNSAT
            )


def admitted(solver, stage, interpreter, ticks) -> str:
    """Returns z3's answer on whether these ticks, from the start of an episode, are a model of the encoding."""
    flow = stage.flow
    encoding = Encoding(stage.evaluator, stage.evaluator.base, START, RELATIVE_ERROR)
    solver.reset(2_000_000)
    for frame, (values, sound) in enumerate(ticks):
        solver.add(*encoding.frame(range(len(flow.nodes))))
        for node, term in encoding.frames[frame].items():
            if sound[node]:
                solver.add(f"(assert (= {term.text} {literal(values[node], SORTS[flow.nodes[node].base]).text}))")
    return solver.check() if ticks else SAT


@settings(max_examples=20, **TOLERANT)
@given(program=programs())
def test_no_run_violates_a_proved_goal(program):
    flow = program.flow
    quick = ProofLimits(solver_steps=200_000, bounded_steps=100_000, bounded_depths=(2, 4), lanes=8, ticks=8)
    proof = prove(flow, quick)
    by_id = {goal.id: goal for goal in list_goals(flow)}
    assert set(by_id) == {result.id for result in proof.results} - {"assumptions"}
    proved = [
        by_id[result.id]
        for result in proof.results
        if result.id in by_id
        and (result.status == "vacuous" or result.status == "proved" and result.kind != "reachable")
    ]
    assert not simulate(GraphIndex(flow), proved, 8, 24, first_seed=1000).broken
    for result in proof.results:
        witnessed = result.kind == "reachable" and result.status == "proved"
        assert bool(result.trace) == (
            witnessed or result.status in ("violated", "ill-defined", "not inductive", "unconfirmed")
        )
        if witnessed:
            run = SimulatedRun(
                result.trace[0]["parameters"], tuple(tuple(tick["inputs"].values()) for tick in result.trace)
            )
            assert first_break(flow, by_id[result.id], run) == len(result.trace) - 1
