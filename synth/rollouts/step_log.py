"""What is kept of every step while lanes run, and what it adds up to."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from hl_dsl.compiler.backends.frame import Frame

BLOCK = 256


class StepLog:
    """Returns, lengths and a digest of actions and rewards for each of `lanes` lanes.

    `block`: steps that are added up at a time. A step costs two row copies; sums and digests are taken in blocks. Sums run in the order of the steps, one lane by
    itself, so neither the block nor the other lanes show in a return. `returns` (n,) float64, `lengths` (n,) int64,
    `finished` and `truncated` (n,) bool, `last_scored` (n,) int64: the step of the last positive reward, 0 before one.
    """

    def __init__(self, lanes: int, action_shape: tuple[int, ...], action_dtype: np.dtype, block: int = BLOCK):
        self.returns = np.zeros(lanes)
        self.lengths = np.zeros(lanes, np.int64)
        self.last_scored = np.zeros(lanes, np.int64)
        self.finished = np.zeros(lanes, bool)
        self.truncated = np.zeros(lanes, bool)
        self._action_shape = action_shape
        self._action_dtype = action_dtype
        self._digests = [(blake2b(digest_size=16), blake2b(digest_size=16)) for _ in range(lanes)]
        self._rows, self._block = 0, block
        self.follow(np.arange(lanes, dtype=np.int32))

    def follow(self, lanes: np.ndarray) -> None:
        """From here on a row of `keep` is of `lanes`."""
        self.flush()
        self._lanes = lanes
        self._actions = np.empty((self._block, len(lanes), *self._action_shape), self._action_dtype)
        self._rewards = np.empty((self._block, len(lanes)))

    def keep(self, actions: np.ndarray, reward: np.ndarray) -> bool:
        """Takes one step. Says whether the block is full, and then `flush` must be called."""
        row = self._rows
        self._actions[row] = actions
        self._rewards[row] = reward
        self._rows = row = row + 1
        return row == self._block

    def end(self, frame: Frame) -> None:
        """Closes the lanes that `frame` shows as done."""
        self.flush()
        self.finished[frame.lanes[frame.done]] = True
        self.truncated[frame.lanes[frame.truncated]] = True

    def flush(self) -> None:
        """Adds up what was kept since the last time."""
        rows, self._rows = self._rows, 0
        if not rows:
            return
        lanes, rewards, actions = self._lanes, self._rewards[:rows], self._actions[:rows]
        scored = rewards > 0
        latest = self.lengths[lanes] + rows - np.argmax(scored[::-1], axis=0)
        self.last_scored[lanes] = np.where(scored.any(axis=0), latest, self.last_scored[lanes])
        # cumsum, because sum may add in pairs and so depend on how many lanes stand side by side.
        self.returns[lanes] = np.cumsum(np.vstack([self.returns[lanes], rewards]), axis=0)[-1]
        self.lengths[lanes] += rows
        for column, lane in enumerate(lanes):
            of_actions, of_rewards = self._digests[lane]
            of_actions.update(actions[:, column].tobytes())
            of_rewards.update(rewards[:, column].tobytes())

    def digests(self) -> list[str]:
        """One digest for each lane, of its whole sequence of actions and rewards."""
        return [of_actions.hexdigest() + of_rewards.hexdigest() for of_actions, of_rewards in self._digests]
