"""Ending early what is clearly lost to the best one: an episode, or a candidate before all its episodes are played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

import numpy as np
from hl_dsl.compiler.backends.frame import Frame

from hl_dsl.cards import Card

EVERY = 256  # ticks between looks; fixed, so that a verdict does not depend on what else is in the batch
LAG = 0.5
SLOWER = 1.5
ERRORS = 1.4  # standard errors; a one-sided paired t-test at about the tenth part, for the 8 seeds it is first asked on
_SMOKE_ERRORS = 2.0
STAGE = 4  # how many times as many seeds as before a candidate is played on


def default_no_reward_steps(card: Card) -> int:
    """After how many steps without reward a search ends an episode: a 72nd of the longest (25 seconds of an Atari game), or
    200 where that is more: in short episodes nothing is saved, and a reward may come for having come to rest."""
    return max(200, card.max_episode_steps // 72)


def rungs(seeds: Sequence[int], smoke: int) -> list[tuple[int, ...]]:
    """The seeds in the order in which they are played: the smoke seeds, and each time so many that there are four times as
    many as before."""
    found, done = [], 0
    size = smoke
    while done < len(seeds):
        found.append(tuple(seeds[done:size]))
        done, size = min(size, len(seeds)), size * STAGE
    return found


def margin(returns: Sequence[float], episodes: int) -> float:
    """How far the mean of so few episodes may lie below a program's mean by chance: two standard errors, of the spread of
    all its returns. Infinite where there is one return only."""
    return _SMOKE_ERRORS * stdev(returns) / math.sqrt(episodes) if len(returns) > 1 else math.inf


def clearly_worse(returns: Sequence[float], best: Sequence[float]) -> bool:
    """Whether a candidate lies behind the best program on the same seeds by more than 1.4 standard errors of the paired
    differences."""
    differences = [theirs - own for own, theirs in zip(returns, best)]
    if len(differences) < 2:
        return False
    return mean(differences) > ERRORS * stdev(differences) / math.sqrt(len(differences))


class Pruner:
    """A `prune` callback of `rollout.evaluate`.

    The rule: every 256 ticks a lane is compared with where the best program was on the same seed after two thirds of
    the time, and is pruned once it lies behind that by more than half of all that the best one's return moved in the
    episode (what it came to in the end, where every reward is positive). So a lane may be half again as slow. `curves[i]` are the best program's returns so far, (T,), for lane i; None: no comparison.
    `pruned[i]` is true for lanes that were pruned.
    """

    def __init__(self, curves: list[np.ndarray | None]):
        self.curves = curves
        self._moved = [float(np.ptp(np.append(curve, 0.0))) if curve is not None else 0.0 for curve in curves]
        self.pruned = np.zeros(len(curves), bool)
        self._returns = np.zeros(len(curves))

    def __call__(self, frame: Frame) -> np.ndarray | None:
        self._returns[frame.lanes] += frame.reward
        step = int(frame.step[0])
        if step % EVERY:
            return None
        behind = np.array([self._behind(lane, step) for lane in frame.lanes.tolist()]) & ~frame.done
        if not behind.any():
            return None
        self.pruned[frame.lanes[behind]] = True
        return behind

    def _behind(self, lane: int, step: int) -> bool:
        curve = self.curves[lane]
        if curve is None or not len(curve):
            return False
        return curve[min(int(step / SLOWER), len(curve)) - 1] - self._returns[lane] > LAG * self._moved[lane]
