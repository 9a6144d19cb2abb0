"""Pruning: stops episodes and candidates that are far behind the best program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.backends.frame import Frame

PRUNE_EVERY = 256  # steps between comparisons; fixed, so that a result does not depend on the rest of the batch
_LAG = 0.5  # of the best program's return range: the deficit at which a lane is pruned
_SLOWDOWN = 1.5  # a lane may need this many times as many steps as the best program
_STANDARD_ERRORS = 1.4  # one-sided paired t-test at about the 10 % level, for the 8 seeds of the second rung
_QUICK_STANDARD_ERRORS = 2.0  # margin on the quick seeds
_RUNG_FACTOR = 4  # seeds up to the end of a rung, in relation to those before it
_SHORTEST_NO_REWARD_STEPS = 200


def default_no_reward_steps(card: Card) -> int:
    """Steps without reward after which a search truncates an episode.

    A 72nd of the longest episode (25 seconds of an Atari game), but at least 200: truncating short episodes saves
    little, and some rewards are given for standing still.
    """
    return max(_SHORTEST_NO_REWARD_STEPS, card.max_episode_steps // 72)


def rungs(seeds: Sequence[int], quick: int) -> list[tuple[int, ...]]:
    """Rungs of successive halving: the new seeds of each rung.

    The first rung has the first `quick` seeds. After each further rung a candidate has four times as many as before.
    """
    parts, done = [], 0
    size = quick
    while done < len(seeds):
        parts.append(tuple(seeds[done:size]))
        done, size = min(size, len(seeds)), size * _RUNG_FACTOR
    return parts


def margin(returns: Sequence[float], episodes: int) -> float:
    """Two standard errors of the mean of `episodes` episodes, from the spread of a program's returns.

    Infinite if there is only one return.
    """
    return _QUICK_STANDARD_ERRORS * stdev(returns) / math.sqrt(episodes) if len(returns) > 1 else math.inf


def clearly_worse(returns: Sequence[float], best: Sequence[float]) -> bool:
    """Whether a candidate is behind the best program by more than 1.4 standard errors of the paired differences.

    Args:
        returns: The candidate's returns.
        best: The best program's returns on the same seeds.
    """
    differences = [theirs - own for own, theirs in zip(returns, best, strict=True)]
    if len(differences) < 2:
        return False
    return mean(differences) > _STANDARD_ERRORS * stdev(differences) / math.sqrt(len(differences))


class Pruner:
    """A `prune` callback of `rollout.evaluate`.

    Every 256 steps, each lane's return is compared with the best program's return on the same seed after 2/3 of the
    steps. The lane is pruned if the deficit exceeds half the range of the best program's return over its episode.

    Args:
        curves: For each lane the best program's returns so far, (T,), or None for no comparison.

    Attributes:
        pruned: (n,) bool, lanes that were pruned.
    """

    def __init__(self, curves: list[np.ndarray | None]):
        self.curves = curves
        self._ranges = [float(np.ptp(np.append(curve, 0.0))) if curve is not None else 0.0 for curve in curves]
        self.pruned = np.zeros(len(curves), bool)
        self._returns = np.zeros(len(curves))

    def __call__(self, frame: Frame) -> np.ndarray | None:
        """Takes a step. Returns the mask of the rows to prune, or None."""
        self._returns[frame.lanes] += frame.reward
        step = int(frame.step[0])
        if step % PRUNE_EVERY:
            return None
        behind = np.array([self._is_behind(lane, step) for lane in frame.lanes.tolist()]) & ~frame.done
        if not behind.any():
            return None
        self.pruned[frame.lanes[behind]] = True
        return behind

    def _is_behind(self, lane: int, step: int) -> bool:
        curve = self.curves[lane]
        if curve is None or not len(curve):
            return False
        return curve[min(int(step / _SLOWDOWN), len(curve)) - 1] - self._returns[lane] > _LAG * self._ranges[lane]
