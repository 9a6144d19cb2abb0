"""Ending episodes early: those that bring nothing any more, and those clearly lost to the best one."""

from __future__ import annotations

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.synth.frame import Frame

EVERY = 256  # ticks between looks; fixed, so that a verdict does not depend on what else is in the batch
LAG = 0.5
SLOWER = 1.5


def usual_dry_steps(card: Card) -> int:
    """After how many steps without reward a search ends an episode: a 72nd of the longest (25 seconds of an Atari game)."""
    return max(1, card.max_episode_steps // 72)


class Race:
    """A `leave` hook of `rollout.evaluate`.

    The rule: every 256 ticks a lane is compared with where the best program was on the same seed after two thirds of
    the time, and is left once it lies behind that by more than half of what the best came to in the end. So a lane may
    be half again as slow. `curves[i]` are the best program's returns so far, (T,), for lane i; None: no comparison.
    `left[i]` is true for lanes that were left.
    """

    def __init__(self, curves: list[np.ndarray | None]):
        self.curves = curves
        self.left = np.zeros(len(curves), bool)
        self._returns = np.zeros(len(curves))

    def __call__(self, frame: Frame) -> np.ndarray | None:
        self._returns[frame.lanes] += frame.reward
        step = int(frame.step[0])
        if step % EVERY:
            return None
        behind = np.array([self._behind(lane, step) for lane in frame.lanes.tolist()]) & ~frame.done
        if not behind.any():
            return None
        self.left[frame.lanes[behind]] = True
        return behind

    def _behind(self, lane: int, step: int) -> bool:
        curve = self.curves[lane]
        if curve is None or not len(curve):
            return False
        return curve[min(int(step / SLOWER), len(curve)) - 1] - self._returns[lane] > LAG * abs(curve[-1])
