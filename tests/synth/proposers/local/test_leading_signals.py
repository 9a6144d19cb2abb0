"""Rate and lead signals: found exactly where there are some, and nowhere else."""

import numpy as np
from hypothesis import given, settings, strategies

from hl_dsl.synth.mutation.signal_terms import Signal
from hl_dsl.synth.proposers.local.leading_signals import lead_of, rate_of

TICKS = 1500


def source(number):
    return Signal("ram", number, "int")


def stretches(speeds, each=60):
    return np.resize(np.repeat(speeds, each), TICKS)


@settings(max_examples=30, deadline=None)
@given(
    strategies.lists(strategies.sampled_from([-3.5, -2.75, -2.0, 1.75, 2.5, 3.0]), min_size=3, max_size=6, unique=True),
    strategies.booleans(),
)
def test_speed_in_a_signed_byte_and_256ths_is_found(speeds, backwards):
    speed = stretches(speeds)
    place = np.cumsum(np.concatenate([[0], speed[:-1]]))
    kept = -speed if backwards else speed
    shown = {
        source(4): np.floor(kept) % 256,
        source(9): (kept - np.floor(kept)) * 256,
        source(11): np.random.default_rng(0).integers(0, 256, TICKS).astype(float),
        source(12): np.full(TICKS, 7.0),
    }
    found = rate_of(np.floor(place), shown)
    assert found is not None and found.whole == source(4) and found.reversed == backwards and found.error < 0.2
    assert found.part == source(9) or all(one == int(one) for one in speeds) or found.error < 0.2


@settings(max_examples=30, deadline=None)
@given(strategies.integers(1, 4), strategies.booleans(), strategies.integers(-40, 40))
def test_leading_command_is_found(ticks, reversed_, constant):
    draw = np.random.default_rng(ticks)
    place = np.cumsum(draw.integers(-4, 5, TICKS)).astype(float)
    command = np.concatenate([place[ticks:], np.full(ticks, place[-1])])
    shown = {
        source(3): draw.integers(0, 256, TICKS).astype(float),
        source(8): constant - command if reversed_ else command - constant,
    }
    found = lead_of(place, shown)
    assert (found.source, found.ticks, found.reversed, found.constant) == (
        source(8),
        ticks,
        reversed_,
        constant,
    ) and found.error < 0.01


def test_noise_and_constants_predict_nothing():
    draw = np.random.default_rng(1)
    noise = {source(number): draw.integers(0, 256, TICKS).astype(float) for number in range(6)}
    moving = np.cumsum(draw.choice([-2.0, 2.0], TICKS))
    assert rate_of(moving, noise) is None and lead_of(moving, noise) is None
    assert rate_of(moving, {}) is None and lead_of(moving, {}) is None
    assert (
        lead_of(np.full(TICKS, 3.0), noise) is None
        and rate_of(np.zeros(3), noise) is None
        and lead_of(np.zeros(1), noise) is None
    )
