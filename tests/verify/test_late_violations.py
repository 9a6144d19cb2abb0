"""False properties that hold for a hundred ticks and more: each is broken by a run that the interpreter replays."""

from __future__ import annotations

import pytest

from hl_dsl.program import Program
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break, shorten_run
from hl_dsl.verify.simulation.shrinking import shorten_run_in_lanes
from tests.support.paths import LATE as LATE_PROGRAMS
from tests.verify.test_verdicts import assert_replays

LATE = sorted(LATE_PROGRAMS.glob("*.hl"))


@pytest.mark.parametrize("path", LATE, ids=lambda path: path.stem)
def test_late_violation_is_found(path):
    program = Program.load(path)
    proof = program.prove()
    broken = [result for result in proof.results if result.status in ("violated", "ill-defined")]
    assert len(broken) == 1, proof.render()
    assert 10 < len(broken[0].trace) <= 2000
    assert_replays(program.flow, broken[0])


def test_long_run_is_shortened():
    program = Program.load(LATE[[path.stem for path in LATE].index("held_for_long")])
    goal = next(goal for goal in list_goals(program.flow) if goal.kind == "invariant")
    rows = ((9,), (7,), (7,)) * 50 + ((7,),) * 320
    for shorter in (shorten_run_in_lanes, shorten_run):
        found = shorter(program.flow, goal, SimulatedRun({}, rows))
        assert first_break(program.flow, goal, found) == len(found.rows) - 1 <= 301  # 300 is the least
