"""What the environments show at one tick."""

from __future__ import annotations

import numpy as np


class Frame:
    """One tick of the lanes in `lanes`, row i of every array being lane `lanes[i]`.

    lanes: (k,) int32. ram: (k, 128) uint8, or None where there is none. observation: (k, d) numbers, or pixels
    (k, 3, 210, 160) uint8 on Atari. reward: (k,) of the step just taken. lives: (k,) int32, or None. step: (k,) int32
    steps taken in the episode. done: (k,) bool. truncated: (k,) bool, done by a limit of steps and not by the
    environment's own rules. ended: whether any row is done. plan: (k, m) float64, what a planner has chosen on it, or None.
    """

    __slots__ = ("lanes", "ram", "observation", "reward", "lives", "step", "done", "truncated", "ended", "plan")

    def __init__(self, lanes, ram, observation, reward, lives, step, done, truncated, ended):
        self.lanes = lanes
        self.ram = ram
        self.observation = observation
        self.reward = reward
        self.lives = lives
        self.step = step
        self.done = done
        self.truncated = truncated
        self.ended = ended
        self.plan = None

    def picture(self, row: int) -> np.ndarray:
        """An Atari row's pixels, (210, 160, 3) uint8."""
        return self.observation[row].transpose(1, 2, 0)

    def rows(self, mask: np.ndarray) -> Frame:
        """A frame of the rows where `mask` (k,) is true."""
        done = self.done[mask]
        return Frame(
            self.lanes[mask],
            None if self.ram is None else self.ram[mask],
            self.observation[mask],
            self.reward[mask],
            None if self.lives is None else self.lives[mask],
            self.step[mask],
            done,
            self.truncated[mask],
            bool(done.any()),
        )

    def alive(self) -> Frame:
        """A frame of the rows that are not done."""
        return self.rows(~self.done)
