"""Lanes of an evaluation that are stepped side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.controller import Controller
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.rollouts.callbacks import OnTick, RolloutCallbacks
from hl_dsl.synth.rollouts.no_reward_truncation import NoRewardTruncation
from hl_dsl.synth.rollouts.step_log import StepLog

# Called after each block of steps. Returns a mask of lanes to stop unfinished, or None.
Report = Callable[[], "np.ndarray | None"]


class Wave:
    """One episode in each lane of `environments`.

    Attributes:
        first: Index in the evaluation's seeds of lane 0.
        record: Returns, lengths and digests of the lanes.
        running: (k,) int32, lanes whose episodes have not ended.
        counts: Counts of each lane, after `close`.
    """

    def __init__(
        self, controller: Controller, environments: Environments, first: int, no_reward_steps: int | None = None
    ):
        action, lanes = environments.card.action, len(environments.seeds)
        self.controller = controller
        self.environments = environments
        self.first = first
        self.record = StepLog(lanes, action.shape(1)[1:], np.dtype(action.dtype), controller.report_every)
        self.running = np.arange(lanes, dtype=np.int32)
        self.counts: tuple[EpisodeCounts, ...] = (EpisodeCounts(),) * lanes
        self._no_reward = None if no_reward_steps is None else NoRewardTruncation(lanes, no_reward_steps)
        self._is_started = False

    def run(self, callbacks: RolloutCallbacks, report: Report | None, budget: int | None) -> bool:
        """Plays until the last lane ends. Returns False if the budget of environment steps was too small."""
        environments, record, tick = self.environments, self.record, self.controller.tick
        on_tick, prune, no_reward = callbacks.on_tick, callbacks.prune, self._no_reward
        step, keep, limit = environments.step, record.keep, float("inf") if budget is None else budget
        self.controller.reset(len(environments.seeds))
        self._is_started = True
        frame = environments.reset()
        while environments.steps + len(frame.lanes) <= limit:
            actions = tick(frame)
            if on_tick is not None:
                on_tick(environments, frame, actions)
            del frame  # frees its pixels before the next ones are allocated: 3 % of an Atari step
            frame = step(actions)
            is_full = keep(actions, frame.reward)
            if no_reward is not None:
                no_reward.apply(frame)
            pruned = prune(frame) if prune is not None else None
            if pruned is not None:
                frame = self._prune(frame, pruned, on_tick)
                if not len(frame.lanes):
                    return True
                continue
            if not (is_full or frame.ended):
                continue
            if frame.ended:
                record.end(frame)
                if on_tick is not None:
                    on_tick(environments, frame.rows(frame.done), None)
                frame = self._follow(frame.alive())
            else:
                record.flush()
            abandoned = report() if report is not None else None
            if abandoned is not None and abandoned[frame.lanes].any():
                frame = self._follow(frame.rows(~abandoned[frame.lanes]))
            if not len(frame.lanes):
                return True
        return False

    def _prune(self, frame: Frame, pruned: np.ndarray, on_tick: OnTick | None) -> Frame:
        """Ends the rows that are done or in `pruned`. Returns the others."""
        self.record.end(frame)
        if on_tick is not None and frame.ended:
            on_tick(self.environments, frame.rows(frame.done), None)
        return self._follow(frame.rows(~frame.done & ~pruned))

    def _follow(self, frame: Frame) -> Frame:
        self.record.follow(frame.lanes)
        self.running = frame.lanes
        self.environments.keep(frame.lanes)
        return frame

    def close(self) -> None:
        """Ends the wave and reads the controller's counts."""
        self.record.flush()
        self.environments.close()
        if self._is_started:
            self.counts = tuple(self.controller.counts()[: len(self.environments.seeds)])
