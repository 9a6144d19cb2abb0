"""The noise that a plan's candidates differ by."""

from __future__ import annotations

import math

import numpy as np


def source_of_noise(planner_seed: int, episode_seed: int, tick: int, turn: int) -> np.random.Generator:
    """Random numbers of their own for every tick of every episode and every round at it, whatever was drawn elsewhere."""
    key = np.array([planner_seed, episode_seed], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, tick, turn], np.uint64)))


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
    """(candidates, horizon, components): at tick t normal with deviation `sigma * exp(-decay * t)`, where `sigma` is one for all
    components or (components,), correlated by `smooth` from
    one tick to the next; a candidate has a component at all with probability `active`."""
    drawn = random.standard_normal((candidates, horizon, components))
    taken = random.random((candidates, 1, components)) < active
    if smooth > 0:
        fresh = math.sqrt(1 - smooth * smooth)
        for tick in range(1, horizon):
            drawn[:, tick] = smooth * drawn[:, tick - 1] + fresh * drawn[:, tick]
    sizes = np.array([np.broadcast_to(sigma, components) * math.exp(-decay * tick) for tick in range(horizon)])
    return drawn * sizes * taken
