"""Step log: returns, lengths and digests of running lanes."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from hl_dsl.compiler.backends.frame import Frame

BLOCK = 256  # steps


class StepLog:
    """Log of `lanes` lanes.

    A step costs two row copies; sums and digests are computed for `block` steps at a time. Rewards are added in the
    order of the steps, for each lane alone, so a return depends neither on the block nor on the other lanes.

    Attributes:
        returns: (n,) float64.
        lengths: (n,) int64.
        last_scored: (n,) int64, step of the last positive reward, 0 before one.
        finished: (n,) bool, whether the episode ended.
        truncated: (n,) bool, whether a limit of steps ended it.
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
        """Sets the lanes of the rows of the next steps."""
        self.flush()
        self._lanes = lanes
        self._actions = np.empty((self._block, len(lanes), *self._action_shape), self._action_dtype)
        self._rewards = np.empty((self._block, len(lanes)))

    def keep(self, actions: np.ndarray, reward: np.ndarray) -> bool:
        """Logs one step. Returns whether the block is full; `flush` must then be called."""
        row = self._rows
        self._actions[row] = actions
        self._rewards[row] = reward
        self._rows = row = row + 1
        return row == self._block

    def end(self, frame: Frame) -> None:
        """Ends the lanes that are done in `frame`."""
        self.flush()
        self.finished[frame.lanes[frame.done]] = True
        self.truncated[frame.lanes[frame.truncated]] = True

    def flush(self) -> None:
        """Adds the logged steps to the sums and digests."""
        rows, self._rows = self._rows, 0
        if not rows:
            return
        lanes, rewards, actions = self._lanes, self._rewards[:rows], self._actions[:rows]
        scored = rewards > 0
        latest = self.lengths[lanes] + rows - np.argmax(scored[::-1], axis=0)
        self.last_scored[lanes] = np.where(scored.any(axis=0), latest, self.last_scored[lanes])
        # cumsum adds in order; the pairwise additions of sum would depend on the number of lanes.
        self.returns[lanes] = np.cumsum(np.vstack([self.returns[lanes], rewards]), axis=0)[-1]
        self.lengths[lanes] += rows
        for column, lane in enumerate(lanes):
            action_digest, reward_digest = self._digests[lane]
            action_digest.update(actions[:, column].tobytes())
            reward_digest.update(rewards[:, column].tobytes())

    def digests(self) -> list[str]:
        """Digest of each lane's sequence of actions and rewards."""
        return [actions.hexdigest() + rewards.hexdigest() for actions, rewards in self._digests]
