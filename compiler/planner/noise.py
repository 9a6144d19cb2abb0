"""Random perturbations of a plan's candidates."""

from __future__ import annotations

import math

import numpy as np


def noise_generator(planner_seed: int, episode_seed: int, tick: int, round_number: int) -> np.random.Generator:
    """A generator for one round of one tick of one episode, independent of all others (Philox counter)."""
    key = np.array([planner_seed, episode_seed], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, tick, round_number], np.uint64)))


def noise(
    random: np.random.Generator,
    candidates: int,
    horizon: int,
    components: int,
    sigma: float | np.ndarray,
    decay: float,
    active: float,
    smooth: float,
) -> np.ndarray:
    """Samples the noise of all candidates, (candidates, horizon, components).

    Args:
        random: Source of random numbers.
        candidates: Number of candidates.
        horizon: Ticks of a plan.
        components: Components of the planned value.
        sigma: Standard deviation at the first tick, one number or (components,).
        decay: The deviation at tick t is `sigma * exp(-decay * t)`.
        active: Probability that a candidate has noise in a component.
        smooth: Correlation of successive ticks.
    """
    drawn = random.standard_normal((candidates, horizon, components))
    is_active = random.random((candidates, 1, components)) < active
    if smooth > 0:
        innovation = math.sqrt(1 - smooth * smooth)
        for tick in range(1, horizon):
            drawn[:, tick] = smooth * drawn[:, tick - 1] + innovation * drawn[:, tick]
    deviations = np.array([np.broadcast_to(sigma, components) * math.exp(-decay * tick) for tick in range(horizon)])
    return drawn * deviations * is_active
