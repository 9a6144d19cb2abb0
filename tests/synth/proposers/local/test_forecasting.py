"""Forecasts from recorded frames: present where a signal is predictable, absent where it is not."""

import numpy as np
import pytest

from hl_dsl.program import Program
from hl_dsl.synth.candidates.behaviour import behaviour
from hl_dsl.synth.proposers.local.forecasting import forecasts
from hl_dsl.synth.rollouts.episode import Recording

FOLLOW = Program.parse(
    'policy follow for "Breakout-v5" { observe ram  act { when ram[10] > ram[20] => RIGHT  otherwise => LEFT } }'
)


def bouncing(ticks, place, speed, low, high):
    """A point thrown back between two walls."""
    width = high - low
    away = np.mod(place - low + speed * np.arange(ticks), 2 * width)
    return low + np.where(away <= width, away, 2 * width - away)


def recording(columns, ticks=4000):
    ram = np.zeros((ticks, 128), np.uint8)
    for column, values in columns.items():
        ram[:, column] = np.rint(values)
    return Recording({"ram": ram, "reward": np.zeros(ticks), "lives": np.full(ticks, 5)}, np.zeros(ticks, np.int32))


@pytest.mark.parametrize("across, down", [(1.3, 2.0), (0.7, 1.0), (2.1, 1.5)])
def test_landing_point_of_a_ball_is_predicted_without_reward(across, down):
    shown = recording(
        {
            10: bouncing(4000, 80, across, 50, 200),
            20: np.full(4000, 100),
            33: bouncing(4000, 60, down, 30, 180),
            40: np.random.default_rng(0).integers(0, 255, 4000),
        }
    )
    found = forecasts(FOLLOW, shown)
    best = next(one for one in found if one.rising)
    assert (best.moving.component, best.nearing.component) == (10, 33)
    assert abs(best.level - 180) <= 3 and abs(best.low - 50) <= 4 and abs(best.high - 200) <= 4 and best.error < 0.2
    assert all(one.moving.component == 10 for one in found), "only what the program reads is predicted"


def test_no_forecast_from_noise_or_constants():
    draw = np.random.default_rng(1)
    assert (
        forecasts(
            FOLLOW,
            recording(
                {10: draw.integers(0, 255, 4000), 20: draw.integers(0, 255, 4000), 33: draw.integers(0, 255, 4000)}
            ),
        )
        == ()
    )
    assert forecasts(FOLLOW, recording({10: np.full(4000, 7)})) == ()
    assert forecasts(FOLLOW, recording({}, ticks=3)) == ()


def test_behaviour_depends_on_actions_and_length():
    def played(actions):
        return behaviour(Recording({}, np.asarray(actions)))

    assert played([0, 1] * 50) == played([1, 0] * 48)
    assert len({played([0] * 100), played([1] * 100), played([0, 1] * 50), played([0] * 10), played([])}) == 5
    assert played(np.full((40, 2), 0.5)) != played(np.full((40, 2), -0.5))
