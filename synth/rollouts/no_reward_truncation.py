"""Truncation of episodes without reward."""

from __future__ import annotations

import numpy as np

from hl_dsl.compiler.backends.frame import Frame


class NoRewardTruncation:
    """Ends episodes in which the last `steps` steps brought no reward other than zero."""

    def __init__(self, lanes: int, steps: int):
        self.steps = steps
        self._last_rewarded = np.zeros(lanes, np.int64)

    def apply(self, frame: Frame) -> None:
        """Marks rows without a reward for too long as done and truncated."""
        step = int(frame.step[0])
        rewarded = frame.reward != 0
        if rewarded.any():
            self._last_rewarded[frame.lanes[rewarded]] = step
        if step < self.steps:
            return
        ended = (step - self._last_rewarded[frame.lanes] >= self.steps) & ~frame.done
        if ended.any():
            frame.done = frame.done | ended
            frame.truncated = frame.truncated | ended
            frame.ended = True
