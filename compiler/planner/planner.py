"""Planner: at each tick it simulates candidate plans, applies the first step of the best, and keeps the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.candidate_rollouts import NO_SCORE, CandidateRollouts
from hl_dsl.compiler.planner.noise import noise, noise_generator
from hl_dsl.compiler.planner.settings import lane_settings
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.compiler.policy import Policy


class Planner:
    """Plans for the lanes of one program.

    The noise of a tick depends on the planner seed, the episode seed and the tick only, so a lane's plans do not depend
    on the rest of the batch.

    Args:
        flow: The program.
        simulator: Model of the environment.
        parameters: Values of the program's parameters, a number or one for each lane.
        episode_seeds: One for each lane.
        planner_seed: Seed of the noise.
        backend: Back end of the simulated policy.
    """

    def __init__(
        self,
        flow: Dataflow,
        simulator: Simulator,
        parameters: Sequence[Any],
        episode_seeds: Sequence[int],
        planner_seed: int,
        backend: str,
    ):
        assert flow.plan is not None
        lanes = len(episode_seeds)
        self._settings = lane_settings(flow, parameters, lanes)
        self._rollouts = CandidateRollouts(flow, simulator, parameters, self._settings, backend)
        planned = [flow.inputs[position] for position in flow.plan.inputs]
        self._low = np.array([entry.low for entry in planned])
        self._high = np.array([entry.high for entry in planned])
        self._zero_plan = np.array([entry.default for entry in planned])
        self._plans = np.empty((lanes, int(self._settings.horizon.max()), len(planned)))
        self._plans[:] = self._zero_plan
        self._ticks = np.zeros(lanes, np.int64)
        self._predicted = np.full((lanes, simulator.size), np.nan)
        self._seeds, self._planner_seed = tuple(map(int, episode_seeds)), planner_seed
        self._blind = np.zeros(lanes, np.int64)

    @property
    def counts(self) -> list[PlanningCounts]:
        """One for each lane."""
        rows = zip(self._rollouts.steps, self._rollouts.diverged, self._blind, strict=True)
        return [PlanningCounts(*map(int, row)) for row in rows]

    def choose(self, policy: Policy, frame: Frame) -> np.ndarray:
        """Plans for each row of `frame`, before the policy's tick on it. Returns the first steps, (k, components)."""
        lanes = frame.lanes
        starting = lanes[frame.step == 0]
        self._plans[starting], self._ticks[starting], self._predicted[starting] = self._zero_plan, 0, np.nan
        self._states = self._rollouts.simulator.states(
            np.asarray(frame.observation, np.float64), self._predicted[lanes]
        )
        best, scores = self._best(policy, frame)
        is_blind = scores == NO_SCORE
        if is_blind.any():
            self._blind[lanes[is_blind]] += 1
            best[is_blind] = self._zero_plan
        self._shift(lanes, best)
        self._ticks[lanes] += 1
        return np.ascontiguousarray(best[:, 0])

    def note_actions(self, frame: Frame, actions: np.ndarray) -> None:
        """Predicts the next states from the actions, for the velocities that observations clip."""
        if self._rollouts.simulator.is_clipped:
            self._predicted[frame.lanes] = self._rollouts.one_step(frame.lanes, self._states, actions)

    def _best(self, policy: Policy, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """The best plan of each row, (k, horizon, components), and its score, (k,)."""
        settings, lanes = self._settings, frame.lanes
        centers = self._plans[lanes]
        best, scores = centers.copy(), np.full(len(lanes), NO_SCORE)
        for round_number in range(int(settings.rounds[lanes].max())):
            rows = np.flatnonzero(settings.rounds[lanes] > round_number)
            candidates = self._candidates(lanes[rows], centers[rows], round_number)
            values = self._rollouts.scores(policy, frame, self._states, rows, candidates)
            first = values.argmax(axis=1)
            score = values[np.arange(len(rows)), first]
            is_better = score > scores[rows]
            best[rows[is_better]] = candidates[is_better, first[is_better]]
            scores[rows[is_better]] = score[is_better]
            if round_number + 1 < settings.rounds[lanes].max():
                self._refit(centers, rows, candidates, values, settings.elites[lanes[rows]])
        return best, scores

    def _candidates(self, lanes: np.ndarray, centers: np.ndarray, round_number: int) -> np.ndarray:
        """(k, width, horizon, components): the kept plan, the zero plan, and the kept plan with noise."""
        settings = self._settings
        candidates = np.repeat(centers[:, None], self._rollouts.width, axis=1)
        for row, lane in enumerate(lanes.tolist()):
            count, horizon = int(settings.candidates[lane]), int(settings.horizon[lane])
            random = noise_generator(self._planner_seed, self._seeds[lane], int(self._ticks[lane]), round_number)
            candidates[row, 2:count, :horizon] += noise(
                random,
                count - 2,
                horizon,
                len(self._zero_plan),
                settings.sigma[lane],
                float(settings.decay[lane]),
                float(settings.active[lane]),
                float(settings.smooth[lane]),
            )
        candidates[:, 1] = self._zero_plan
        return np.clip(candidates, self._low, self._high, out=candidates)

    @staticmethod
    def _refit(
        centers: np.ndarray, rows: np.ndarray, candidates: np.ndarray, values: np.ndarray, elites: np.ndarray
    ) -> None:
        """Moves each center to the mean of the best candidates. Of equal ones the first counts."""
        order = np.argsort(-values, axis=1, kind="stable")
        for place, row in enumerate(rows.tolist()):
            chosen = order[place, : int(elites[place])]
            chosen = chosen[values[place, chosen] > NO_SCORE]
            if len(chosen):
                centers[row] = candidates[place, chosen].mean(axis=0)

    def _shift(self, lanes: np.ndarray, best: np.ndarray) -> None:
        """Keeps the rest of each plan for the next tick, one tick earlier, with the zero plan at its end."""
        settings = self._settings
        following = np.empty_like(best)
        following[:, :-1] = best[:, 1:] * settings.warm_start[lanes][:, None, None]
        following[np.arange(len(lanes)), settings.horizon[lanes] - 1] = self._zero_plan
        following[:, -1] = self._zero_plan
        self._plans[lanes] = np.clip(following, self._low, self._high)
