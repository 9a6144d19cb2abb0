"""The planner: at every tick it tries futures, takes the best first step, and keeps the rest for the next tick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.candidate_rollouts import NO_SCORE, CandidateRollouts
from hl_dsl.compiler.planner.noise import noise, source_of_noise
from hl_dsl.compiler.planner.settings import lane_settings
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.compiler.policy import Policy


class Planner:
    """Plans for lanes of one program. `episode_seeds`: one for each lane; with `planner_seed` and the tick they are where the
    noise comes from, so that a lane's plans are the same whatever else is in the batch."""

    def __init__(
        self,
        flow: Dataflow,
        simulator: Simulator,
        parameters: Sequence,
        episode_seeds: Sequence[int],
        planner_seed: int,
        backend: str,
    ):
        lanes = len(episode_seeds)
        self._settings = lane_settings(flow, parameters, lanes)
        self._futures = CandidateRollouts(flow, simulator, parameters, self._settings, backend)
        planned = [flow.inputs[position] for position in flow.plan.inputs]
        self._low, self._high, self._rest = (
            np.array([getattr(entry, part) for entry in planned]) for part in ("low", "high", "default")
        )
        self._plans = np.empty((lanes, int(self._settings.horizon.max()), len(planned)))
        self._plans[:] = self._rest
        self._ticks = np.zeros(lanes, np.int64)
        self._foreseen = np.full((lanes, simulator.size), np.nan)
        self._seeds, self._planner_seed = tuple(map(int, episode_seeds)), planner_seed
        self._blind = np.zeros(lanes, np.int64)

    @property
    def counts(self) -> list[PlanningCounts]:
        """One for each lane."""
        return [PlanningCounts(*map(int, row)) for row in zip(self._futures.steps, self._futures.diverged, self._blind)]

    def choose(self, policy: Policy, frame: Frame) -> np.ndarray:
        """(k, components): what is planned for this tick, for each row of the frame. `policy` stands before its tick on it."""
        lanes = frame.lanes
        begins = lanes[frame.step == 0]
        self._plans[begins], self._ticks[begins], self._foreseen[begins] = self._rest, 0, np.nan
        self._states = self._futures.simulator.states(np.asarray(frame.observation, np.float64), self._foreseen[lanes])
        best, scores = self._best(policy, frame)
        none = scores == NO_SCORE
        if none.any():
            self._blind[lanes[none]] += 1
            best[none] = self._rest
        self._keep(lanes, best)
        self._ticks[lanes] += 1
        return np.ascontiguousarray(best[:, 0])

    def acted(self, frame: Frame, actions: np.ndarray) -> None:
        """Tells what was done at this tick: what an observation hides, the next tick takes from what the model makes of that."""
        if self._futures.simulator.is_clipped:
            self._foreseen[frame.lanes] = self._futures.one_step(frame.lanes, self._states, actions)

    def _best(self, policy: Policy, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """For each row the best plan found, (k, horizon, components), and its score."""
        settings, lanes = self._settings, frame.lanes
        around = self._plans[lanes]
        best, scores = around.copy(), np.full(len(lanes), NO_SCORE)
        for turn in range(int(settings.rounds[lanes].max())):
            rows = np.flatnonzero(settings.rounds[lanes] > turn)
            candidates = self._candidates(lanes[rows], around[rows], turn)
            found = self._futures.scores(policy, frame, self._states, rows, candidates)
            first = found.argmax(axis=1)
            score = found[np.arange(len(rows)), first]
            better = score > scores[rows]
            best[rows[better]], scores[rows[better]] = candidates[better, first[better]], score[better]
            if turn + 1 < settings.rounds[lanes].max():
                self._refit(around, rows, candidates, found, settings.elites[lanes[rows]])
        return best, scores

    def _candidates(self, lanes: np.ndarray, around: np.ndarray, turn: int) -> np.ndarray:
        """(k, width, horizon, components): the plan as it stands, nothing planned, and the plan with noise."""
        settings = self._settings
        every = np.repeat(around[:, None], self._futures.width, axis=1)
        for row, lane in enumerate(lanes.tolist()):
            count, horizon = int(settings.candidates[lane]), int(settings.horizon[lane])
            random = source_of_noise(self._planner_seed, self._seeds[lane], int(self._ticks[lane]), turn)
            every[row, 2:count, :horizon] += noise(
                random,
                count - 2,
                horizon,
                len(self._rest),
                settings.sigma[lane],
                float(settings.decay[lane]),
                float(settings.active[lane]),
                float(settings.smooth[lane]),
            )
        every[:, 1] = self._rest
        return np.clip(every, self._low, self._high, out=every)

    @staticmethod
    def _refit(
        around: np.ndarray, rows: np.ndarray, candidates: np.ndarray, found: np.ndarray, elites: np.ndarray
    ) -> None:
        """The next round goes around the mean of the best. Of equal ones the first counts."""
        order = np.argsort(-found, axis=1, kind="stable")
        for place, row in enumerate(rows.tolist()):
            chosen = order[place, : int(elites[place])]
            chosen = chosen[found[place, chosen] > NO_SCORE]
            if len(chosen):
                around[row] = candidates[place, chosen].mean(axis=0)

    def _keep(self, lanes: np.ndarray, best: np.ndarray) -> None:
        """The rest of a plan is the next tick's, moved up by one; behind it nothing is planned."""
        settings = self._settings
        following = np.empty_like(best)
        following[:, :-1] = best[:, 1:] * settings.warm_start[lanes][:, None, None]
        following[np.arange(len(lanes)), settings.horizon[lanes] - 1] = self._rest
        following[:, -1] = self._rest
        self._plans[lanes] = np.clip(following, self._low, self._high)
