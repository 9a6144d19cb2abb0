"""Admission of observations, in every back end and lane alike.

A value out of range is clamped, and NaN becomes the last valid value (at first the card's default). Both are counted.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hl_dsl.compiler.policy import BACKENDS, Policy
from hl_dsl.grammar.parser import parse

from hl_dsl.base.source import SourceText
from hl_dsl.program import Program
from tests.support.generators.cards import REACHER

# Every observation of the card is remembered as it was admitted.
TEXT = """policy seen for "Made-Up-Reacher-v0" {
  observe joint.angle, contact, level, height in [-3, 2000000], reward, step
  memory angle: vec[3] in [-9, 9] = 0 { next = joint.angle }
  memory left: bool = false { next = contact[0] }
  memory right: bool = false { next = contact[1] }
  memory whole: int in [-9, 99] = 0 { next = level }
  memory high: real in [-1e7, 1e7] = 0 { next = height }
  memory paid: real in [-99, 99] = 0 { next = reward }
  memory ticks: int in [0, 9999] = 0 { next = step }
  act [0, 0, 0]
  monitor level_kept: level in [-5, 40]
}"""
# By memory cell: column of the observation, type, range and the value before any valid one came.
CELLS = {
    "angle[0]": (0, float, -3.0, 3.0, 0.0),
    "angle[1]": (1, float, -2.0, 2.0, 0.5),
    "angle[2]": (2, float, -1.0, 1.0, -0.0),
    "left": (3, bool, 0, 1, False),
    "right": (4, bool, 0, 1, True),
    "whole": (5, int, -5, 40, 2),
    "high": (6, float, -3.0, 2e6, 1.5),
}
ODD = [
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    3.0,
    3.0000002,
    -2.0,
    40.0,
    41.0,
    -6.0,
    1e30,
    -1e30,
    5e-324,
    2e6,
    0.5,
]
every_back_end = pytest.mark.parametrize("backend", BACKENDS)
every_batch = pytest.mark.parametrize("lanes", [1, 6])


def seen(backend: str, lanes: int) -> Policy:
    policy = Policy(Program.from_syntax(parse(SourceText(TEXT, "seen")), card=REACHER).flow, backend=backend)
    policy.reset(lanes)
    return policy


def admitted(kind, low, high, raw: float, last):
    """The rule, in its own words."""
    if math.isnan(raw):
        return last, True
    if kind is bool:
        return raw != 0, False
    return (kind(raw), False) if low <= raw <= high else (kind(low if raw < low else high), True)


@every_back_end
@every_batch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_lane_is_admitted_by_the_rule(backend, lanes, dtype):
    generator = np.random.default_rng(lanes)
    policy = seen(backend, lanes)
    last = [{name: rest[-1] for name, rest in CELLS.items()} for _ in range(lanes)]
    clamped = [0] * lanes
    for tick in range(40):
        steps = np.where(generator.random(lanes) < 0.15, 0, tick) if tick else np.zeros(lanes, int)
        observation = generator.choice(ODD, size=(lanes, 7)).astype(dtype)
        policy.act({"observation": observation, "step": steps, "reward": np.zeros(lanes, np.float32)})
        for lane in range(lanes):
            if steps[lane] == 0:
                last[lane] = {name: rest[-1] for name, rest in CELLS.items()}
            for name, (column, kind, low, high, _) in CELLS.items():
                last[lane][name], counted = admitted(
                    kind, low, high, float(observation[lane, column]), last[lane][name]
                )
                clamped[lane] += counted
                found = policy.memory[name][lane].item()
                assert type(found) is kind and repr(found) == repr(last[lane][name]), (
                    tick,
                    lane,
                    name,
                    observation[lane, column],
                )
    assert policy.out_of_range.tolist() == clamped and min(clamped) > 40
    assert policy.monitor_violations.sum() == 0, "a property reads the admitted value, never the raw one"


@every_back_end
@every_batch
@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_nothing_but_odd_values_from_the_first_tick_on(backend, lanes, raw):
    policy = seen(backend, lanes)
    for tick in range(3):
        policy.act(
            {
                "observation": np.full((lanes, 7), raw),
                "step": np.full(lanes, tick),
                "reward": np.full(lanes, raw, np.float32),
            }
        )
    for name, (_, kind, low, high, default) in CELLS.items():
        wanted = default if math.isnan(raw) else True if kind is bool else kind(high if raw > 0 else low)
        assert [repr(value) for value in policy.memory[name].tolist()] == [repr(wanted)] * lanes, name
    assert policy.memory["paid"].tolist() == [0.0 if math.isnan(raw) else math.copysign(10.0, raw)] * lanes
    clamped = 8 if math.isnan(raw) else 6  # an infinity is as true as any number that is not 0
    assert policy.out_of_range.tolist() == [3 * clamped] * lanes


@every_back_end
def test_a_lane_does_not_see_another_lanes_last_valid_value(backend):
    policy = seen(backend, 3)
    for tick, column in enumerate(
        ([0.25, 2.0, math.nan], [math.nan, math.nan, math.nan], [math.nan, 9.0, 1.0], [math.nan] * 3)
    ):
        observation = np.zeros((3, 7))
        observation[:, 0] = column
        policy.act({"observation": observation, "step": np.full(3, tick), "reward": np.zeros(3)})
    assert policy.memory["angle[0]"].tolist() == [0.25, 3.0, 1.0], "what was held to the range is a valid value too"
    assert policy.out_of_range.tolist() == [3, 3, 3]


@every_back_end
@every_batch
def test_counts_out_of_range(backend, lanes):
    """Whole numbers of their own sources: the steps, beyond their range and below it."""
    policy = seen(backend, lanes)
    policy.act({"observation": np.zeros((lanes, 7)), "step": np.full(lanes, 1001), "reward": np.zeros(lanes)})
    assert policy.memory["ticks"].tolist() == [1000] * lanes and policy.out_of_range.tolist() == [1] * lanes
