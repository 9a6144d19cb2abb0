"""Noise of candidates: its seeds and its distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.compiler.planner.noise import noise, noise_generator


@given(st.lists(st.floats(0, 10), min_size=1, max_size=5), st.floats(0, 2), st.floats(0, 1), st.floats(0, 1))
def test_sigma_may_differ_between_components(sigma, decay, active, smooth):
    unit, own = (
        noise(noise_generator(0, 1, 2, 3), 4, 3, len(sigma), size, decay, active, smooth)
        for size in (1.0, np.array(sigma))
    )
    assert own == pytest.approx(unit * np.array(sigma), rel=1e-12, abs=1e-300)


@given(st.integers(0, 2**63), st.integers(0, 2**31 - 1), st.integers(0, 10**6), st.integers(0, 50))
def test_noise_depends_on_each_of_its_seeds(planner_seed, seed, tick, round_number):
    def draw(*key):
        return noise_generator(*key).standard_normal(4).tolist()

    key = (planner_seed, seed, tick, round_number)
    assert draw(*key) == draw(*key)
    for place in range(4):
        assert draw(*key) != draw(*(number + (at == place) for at, number in enumerate(key)))


def test_noise_has_the_stated_deviation_activity_and_correlation():
    drawn = noise(noise_generator(0, 0, 0, 0), 20_000, 4, 3, sigma=0.5, decay=0.7, active=0.4, smooth=0.6)
    idle = (drawn == 0).all(axis=1)
    assert abs((~idle).mean() - 0.4) < 0.01
    moved = drawn.transpose(0, 2, 1)[~idle]
    assert np.allclose(moved.std(axis=0), 0.5 * np.exp(-0.7 * np.arange(4)), rtol=0.03)
    assert abs(np.corrcoef(moved[:, 0], moved[:, 1])[0, 1] - 0.6) < 0.02
