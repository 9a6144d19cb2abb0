"""Assumptions that every run violates after a few ticks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.diagnosis import assumption_horizon as module
from hl_dsl.verify.diagnosis.assumption_horizon import check_assumption_horizon
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS
from hl_dsl.verify.simulation.replay import keeps_assumptions
from hl_dsl.verify.smt.solver import Solver
from tests.support.generators.inputs import interpret, runs
from tests.support.generators.programs import programs
from tests.support.generators.soundness import sound_ticks

TIMER = "memory t: int in [0, 300] = 0 { next = min(t + 1, 300) } "


def found(declarations: str, limits: ProofLimits = DEFAULT_LIMITS) -> list[tuple[str, list[str]]]:
    program = Program.parse(f'policy p for "Breakout-v5" {{ observe ram, reward {declarations} act NOOP }}')
    items = check_assumption_horizon(program.flow, program.prove(limits=limits), limits)
    named = [
        [
            program.source.text[span.start : span.end].partition(":")[0].removeprefix("assume ")
            for span in (item.span, *(other.span for other in item.others))
        ]
        for item in items
    ]
    return [(item.message, names) for item, names in zip(items, named)]


def short(count: str, *names: str) -> list[tuple[str, list[str]]]:
    return [(f"no run keeps the assumptions for more than {count}: the proof does not cover later ticks", list(names))]


@pytest.mark.parametrize(
    "declarations, expected",
    [
        (TIMER + "assume early: t < 1 invariant nonsense: t < 1", short("1 tick", "early")),
        (TIMER + "assume early: t < 5", short("5 ticks", "early")),
        (TIMER + "assume wide: ram[1] > 3 assume early: t < 5", short("5 ticks", "early")),
        (
            TIMER + "assume up: ram[1] > 10 * t assume down: ram[1] + ram[2] < 40 assume other: ram[7] != 3",
            short("4 ticks", "up", "down"),
        ),
        ("assume falls: ram[1] + 100 <= previous(ram[1], 255)", short("2 ticks", "falls")),
        ("assume answered: within 3 of true: ram[1] > 255", short("3 ticks", "answered")),
        # No warning for assumptions that can be kept, or that are a verdict already.
        (TIMER + "assume early: t < 1000", []),
        (TIMER + "assume early: t < 100", []),
        ("assume falls: ram[1] + 1 <= previous(ram[1], 255)", []),
        (TIMER + "assume none: t < 0", []),
        (TIMER + "invariant late: t <= 300", []),
    ],
)
def test_warning_counts_the_ticks(declarations, expected):
    assert found(declarations) == expected


def test_kept_assumptions_need_no_solver(monkeypatch):
    monkeypatch.setattr(Solver, "check", lambda *_, **__: pytest.fail("z3 was asked"))
    monkeypatch.setattr(module, "IntervalStage", lambda *_: pytest.fail("the question was prepared"))
    program = Program.parse(
        f'policy p for "Breakout-v5" {{ observe ram, reward {TIMER} assume low: ram[1] < 9 and t < 30 act NOOP }}'
    )
    assert check_assumption_horizon(program.flow, program.prove()) == ()


def test_no_warning_without_the_solver():
    assert found(TIMER + "assume early: t < 5", ProofLimits(solver=False)) == []


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(start=st.integers(0, 9), step=st.integers(0, 4), bound=st.integers(1, 40), free=st.booleans())
def test_number_of_ticks_is_that_of_a_run(start, step, bound, free):
    """`free`: an observation decides whether the counter continues, so a run may keep the assumption."""
    following = f"min(t + {step}, 300)"
    following = f"if ram[3] > 9 then {following} else t" if free else following
    kept, value = 0, start
    while kept < 24 and value < bound:
        kept, value = kept + 1, value + step * (not free)
    declarations = f"memory t: int in [0, 300] = {start} {{ next = {following} }} assume early: t < {bound}"
    assert found(declarations) == (short(f"{kept} tick{'' if kept == 1 else 's'}", "early") if 0 < kept < 24 else [])


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), program=programs())
def test_no_run_keeps_the_assumptions_longer(data, program):
    """All properties of a program are used as assumptions."""
    said = [replace(item, kind="assume") for item in program.flow.properties]
    flow = replace(program.flow, properties=said)
    if not said:
        return
    with Solver(60) as solver:
        most = module._longest_run(flow, ProofLimits(solver_steps=50_000), solver)
    kept = 0
    run = data.draw(runs(flow))
    for done, _ in sound_ticks(flow, run, interpret(run)):
        if not keeps_assumptions(flow, done.values):
            break
        kept += 1
    assert not most or kept <= most
