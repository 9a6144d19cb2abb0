"""Simulation never violates a proved property, and detects a violated one."""

from __future__ import annotations

import numpy as np
import pytest

from hl_dsl.program import Program
from tests.fuzz.hostile import HostileInputs
from tests.fuzz.soak import proved_programs, soak
from tests.support.paths import VERDICTS

BROKEN = (
    "violated/slew_limit",
    "violated/hold_each_choice",
    "violated/reload_timer",
    "violated/speed_under_thrust",
    "violated/paddle_follows",
    "violated/swing_up_energy",
    "violated/complementary_filter",
    "ill-defined/scan_round",
    "ill-defined/stopping_speed",
)
# Where the assumptions say exactly what comes next, drawn inputs seldom keep them.
SELDOM = {"target_met": 100}


@pytest.mark.parametrize("path", proved_programs(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_proved_breaks(path):
    program = Program.load(path)
    found = soak(program, 3000, lanes=100)
    assert found.broken == ()
    assert found.ticks >= SELDOM.get(path.stem, 3000), "the inputs seldom keep the assumptions"


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_proved_breaks(name):
    assert soak(Program.load(VERDICTS / f"{name}.hl"), 60_000, lanes=200).broken


def test_inputs_keep_to_their_ranges():
    flow = Program.load(VERDICTS / "proved" / "lander_engine_off.hl").flow
    inputs = HostileInputs(flow, np.random.default_rng(0), 50)
    reached = {entry.name: set() for entry in flow.inputs}
    for tick in range(200):
        rows = inputs.draw() if tick % 2 else inputs.tamer(0.5)
        for entry, values in zip(flow.inputs, rows):
            assert ((values >= entry.low) & (values <= entry.high)).all()
            reached[entry.name] |= {entry.low, entry.high} & set(values.tolist())
        inputs.last = rows
    assert all(len(ends) == 2 for ends in reached.values())
