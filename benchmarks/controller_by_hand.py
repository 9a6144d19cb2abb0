"""Handwritten versions of controller.hl, with numba and with NumPy."""

import math

import numpy as np
from numba import njit

from hl_dsl.compiler.backends.frame import Frame

PARAMETERS = np.array([3.0, 1.0, 0.5, 1024.0, 4.0])
SERVE, RALLY, SHAKE = 0, 1, 2
NOOP, FIRE, RIGHT, LEFT = 0, 1, 2, 3


@njit
def numba_step(
    ram: np.ndarray,
    reward: np.ndarray,
    step: np.ndarray,
    parameters: np.ndarray,
    reals: np.ndarray,
    ints: np.ndarray,
    actions: np.ndarray,
) -> None:
    """Runs one tick of all lanes.

    Args:
        ram: Memory of the console, shape (n, 128), uint8.
        reward: Rewards of the last tick, shape (n,).
        step: Tick in the episode, shape (n,); 0 resets the lane.
        parameters: Values of the five parameters.
        reals: Real memory of the controller, shape (n, 4), written in place.
        ints: Integer memory of the controller, shape (n, 3), written in place.
        actions: Actions, shape (n,), written in place.
    """
    deadband, lead, smoothing, stuck_after, shake_width = parameters
    for i in range(ram.shape[0]):
        if step[i] == 0:
            reals[i, :] = 0.0
            ints[i, :] = 0
        last_x, last_y, speed_x, speed_y = reals[i, 0], reals[i, 1], reals[i, 2], reals[i, 3]
        tracked, dry, mode = ints[i, 0], ints[i, 1], ints[i, 2]
        ball_x = ram[i, 99] + ram[i, 100] / 256.0
        ball_y = ram[i, 101] + ram[i, 102] / 256.0
        fall = np.int8(ram[i, 103]) + ram[i, 104] / 256.0
        drift = -(np.int8(ram[i, 105]) + ram[i, 106] / 256.0)
        in_play = ram[i, 101] != 0

        if mode == SERVE:
            mode = RALLY if in_play else SERVE
        elif not in_play:
            mode = SERVE
        elif mode == RALLY:
            mode = SHAKE if dry > stuck_after else RALLY
        elif dry == 0:
            mode = RALLY

        ticks = 0.0
        if fall >= 0.25:
            ticks = min(max((177.0 - ball_y) / fall, 0.0), 256.0)
        odd = 1 - ram[i, 99] % 2
        left_wall = 55.0 + odd
        width = 146.0 - 2.0 * odd
        unfolded = ball_x + drift * (ticks + lead) - left_wall
        landing = left_wall + (width - abs(unfolded % (2.0 * width) - width))
        walls_met = int(math.floor(unfolded / width))
        rightward = drift > 0.0 if walls_met % 2 == 0 else drift <= 0.0
        wide = ram[i, 108] >= 8
        right_offset, left_offset = (13.0, 5.0) if wide else (10.0, 4.0)
        offset = right_offset if rightward else left_offset
        shaking = 0.0
        if mode == SHAKE:
            shaking = shake_width if (dry // 64) % 2 == 0 else -shake_width
        meeting = landing if speed_y > 0.25 else min(max(ball_x + 8.0 * speed_x, 55.0), 200.0)
        error = min(max(meeting - offset + shaking, 55.0), 191.0) - (234 - ram[i, 70])

        tolerated = 2.0 * deadband if mode == SHAKE else deadband
        if error > tolerated:
            actions[i] = RIGHT
        elif error < -tolerated:
            actions[i] = LEFT
        else:
            actions[i] = FIRE if mode == SERVE else NOOP

        if tracked and in_play:
            reals[i, 2] = min(max(speed_x + smoothing * (ball_x - last_x - speed_x), -256.0), 256.0)
            reals[i, 3] = min(max(speed_y + smoothing * (ball_y - last_y - speed_y), -256.0), 256.0)
        else:
            reals[i, 2] = 0.0
            reals[i, 3] = 0.0
        reals[i, 0] = ball_x
        reals[i, 1] = ball_y
        ints[i, 0] = in_play
        ints[i, 1] = 0 if reward[i] > 0.0 else min(dry + 1, 100000)
        ints[i, 2] = mode


class NumbaController:
    """The controller as a loop over lanes, compiled by numba."""

    def reset(self, num_lanes: int) -> None:
        """Clears the memory."""
        self.reals, self.ints = np.zeros((num_lanes, 4)), np.zeros((num_lanes, 3), np.int64)

    def tick(self, frame: Frame) -> np.ndarray:
        """Returns the actions, shape (n,), int32."""
        actions = np.empty(len(frame.lanes), np.int32)
        numba_step(frame.ram, frame.reward, frame.step, PARAMETERS, self.reals, self.ints, actions)
        return actions


class NumpyController:
    """The controller as NumPy expressions over all lanes."""

    def reset(self, num_lanes: int) -> None:
        """Clears the memory."""
        self.last_x, self.last_y, self.speed_x, self.speed_y = np.zeros((4, num_lanes))
        self.tracked = np.zeros(num_lanes, bool)
        self.dry, self.mode = np.zeros((2, num_lanes), np.int64)

    def tick(self, frame: Frame) -> np.ndarray:
        """Returns the actions, shape (n,), int32."""
        deadband, lead, smoothing, stuck_after, shake_width = PARAMETERS
        if not frame.step.all():
            starts = frame.step == 0
            for name in ("last_x", "last_y", "speed_x", "speed_y", "tracked", "dry", "mode"):
                getattr(self, name)[starts] = 0
        ram = frame.ram
        ball_x = ram[:, 99] + ram[:, 100] / 256.0
        ball_y = ram[:, 101] + ram[:, 102] / 256.0
        fall = ram[:, 103].astype(np.int8) + ram[:, 104] / 256.0
        drift = -(ram[:, 105].astype(np.int8) + ram[:, 106] / 256.0)
        in_play = ram[:, 101] != 0

        from_rally = np.where(self.dry > stuck_after, SHAKE, RALLY)
        from_shake = np.where(self.dry == 0, RALLY, SHAKE)
        mode = np.where(
            in_play, np.where(self.mode == SERVE, RALLY, np.where(self.mode == RALLY, from_rally, from_shake)), SERVE
        )

        falling = fall >= 0.25
        ticks = np.where(falling, np.clip((177.0 - ball_y) / np.where(falling, fall, 1.0), 0.0, 256.0), 0.0)
        odd = 1.0 - ram[:, 99] % 2
        left_wall = 55.0 + odd
        width = 146.0 - 2.0 * odd
        unfolded = ball_x + drift * (ticks + lead) - left_wall
        landing = left_wall + (width - np.abs(unfolded % (2.0 * width) - width))
        walls_met = np.floor(unfolded / width).astype(np.int64)
        rightward = np.where(walls_met % 2 == 0, drift > 0.0, drift <= 0.0)
        wide = ram[:, 108] >= 8
        offset = np.where(rightward, np.where(wide, 13.0, 10.0), np.where(wide, 5.0, 4.0))
        shake = mode == SHAKE
        shaking = np.where(shake, np.where(self.dry // 64 % 2 == 0, shake_width, -shake_width), 0.0)
        meeting = np.where(self.speed_y > 0.25, landing, np.clip(ball_x + 8.0 * self.speed_x, 55.0, 200.0))
        error = np.clip(meeting - offset + shaking, 55.0, 191.0) - (234.0 - ram[:, 70])

        tolerated = np.where(shake, 2.0 * deadband, deadband)
        otherwise = np.where(mode == SERVE, FIRE, NOOP)
        action = np.where(error > tolerated, RIGHT, np.where(error < -tolerated, LEFT, otherwise))

        moving = self.tracked & in_play
        self.speed_x = np.where(
            moving, np.clip(self.speed_x + smoothing * (ball_x - self.last_x - self.speed_x), -256.0, 256.0), 0.0
        )
        self.speed_y = np.where(
            moving, np.clip(self.speed_y + smoothing * (ball_y - self.last_y - self.speed_y), -256.0, 256.0), 0.0
        )
        self.last_x, self.last_y, self.tracked = ball_x, ball_y, in_play
        self.dry = np.where(frame.reward > 0.0, 0, np.minimum(self.dry + 1, 100000))
        self.mode = mode
        return action.astype(np.int32)
