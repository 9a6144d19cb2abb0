"""Simulated rollouts of candidate plans: the whole policy, many candidates at once."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.lowering.plan import simulated
from hl_dsl.compiler.planner.settings import LaneSettings
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.compiler.policy import Policy

NO_SCORE = -np.inf  # score of a dropped candidate


class CandidateRollouts:
    """Simulates candidate c of the policy's lane i in lane `i * width + c` of the simulated policy.

    Attributes:
        simulator: Model of the environment.
        width: Candidates of a lane.
        steps: (lanes,) steps of the model taken.
        diverged: (lanes,) candidates dropped because the simulation did not give finite numbers.
    """

    def __init__(
        self, flow: Dataflow, simulator: Simulator, parameters: Sequence[Any], settings: LaneSettings, backend: str
    ):
        assert flow.plan is not None and flow.card.model is not None
        self.simulator, self._settings = simulator, settings
        self.width = int(settings.candidates.max())
        lanes = len(settings.candidates)
        program = simulated(flow)
        values = {
            entry.name: np.repeat(value, self.width) if np.ndim(value) else value
            for entry, value in zip(flow.parameters, parameters, strict=True)
        }
        self._policy = Policy(program, values, backend)
        self._policy.reset(lanes * self.width)
        # `simulated` appends two memory cells: the score so far, and the value of `final`.
        self._score, self._final = len(program.memories) - 2, len(program.memories) - 1
        self._has_final = flow.plan.final is not None
        self._no_reward = np.zeros(lanes * self.width, np.float32)
        self._zero_plan = np.array([flow.inputs[position].default for position in flow.plan.inputs])
        self._substeps = flow.card.model.substeps
        self.steps, self.diverged = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)

    def scores(
        self, policy: Policy, frame: Frame, states: np.ndarray, rows: np.ndarray, plans: np.ndarray
    ) -> np.ndarray:
        """Scores of the plans, (k, width); NO_SCORE for dropped candidates.

        Args:
            policy: The policy, before its tick on `frame`.
            frame: What the environments show.
            states: (n, s) states of the frame's rows.
            rows: (k,) rows of the frame that are planned for.
            plans: (k, width, horizon, components).
        """
        lanes, width = frame.lanes[rows], self.width
        settings = self._settings
        alive = np.flatnonzero(np.arange(width) < settings.candidates[lanes][:, None])
        owner = np.repeat(np.arange(len(rows)), width)
        horizons = settings.horizon[lanes]
        own = (lanes[:, None] * width + np.arange(width)).ravel().astype(np.int32)
        plans = plans.reshape(len(owner), *plans.shape[2:])
        start = rows[owner[alive]]
        self._policy.adopt(policy, frame.lanes[start], own[alive])
        states, steps = states[start], frame.step[start].astype(np.int32)
        shown = np.asarray(frame.observation, np.float64)[start]
        totals = np.full(len(owner), NO_SCORE)
        diverged = np.zeros(len(rows), np.int64)

        def drop(candidates: np.ndarray) -> None:
            totals[candidates] = NO_SCORE
            np.add.at(diverged, owner[candidates], 1)

        for tick in range(int(horizons.max()) + 1):
            is_over = horizons[owner[alive]] == tick  # past the last step: only `final` is evaluated
            planned = plans[alive, min(tick, plans.shape[1] - 1)]
            planned[is_over] = self._zero_plan
            actions = self._policy.tick(
                SimpleNamespace(
                    lanes=own[alive],
                    ram=None,
                    observation=shown,
                    reward=self._no_reward[: len(alive)],
                    lives=None,
                    step=steps + np.int32(tick),
                    plan=planned,
                )
            )
            continues = ~is_over
            if is_over.any():
                totals[alive[is_over]] += self._policy.stored(self._final, own[alive[is_over]])
            totals[alive[continues]] = self._policy.stored(self._score, own[alive[continues]])
            if not (finite := np.isfinite(totals[alive])).all():
                drop(alive[~finite])
            continues &= self._is_promising(totals, alive, owner, settings.prune[lanes])
            totals[alive[~(continues | is_over)]] = NO_SCORE
            if not self._has_final:
                continues &= horizons[owner[alive]] > tick + 1
            if not continues.any():
                break
            np.add.at(self.steps, lanes[owner[alive[continues]]], self._substeps)
            states = self.simulator.step(states[continues], actions[continues])
            alive, steps = alive[continues], steps[continues]
            is_valid = ~np.isnan(states).any(axis=1)
            if not is_valid.all():
                drop(alive[~is_valid])
                alive, steps, states = alive[is_valid], steps[is_valid], states[is_valid]
                if not len(alive):
                    break
            shown = self.simulator.observations(states)
        self.diverged[lanes] += diverged
        return totals.reshape(len(rows), width)

    def one_step(self, lanes: np.ndarray, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Simulates one environment step in each of these lanes, (n, s)."""
        self.steps[lanes] += self._substeps
        return self.simulator.step(states, np.asarray(actions, np.float64))

    @staticmethod
    def _is_promising(totals: np.ndarray, alive: np.ndarray, owner: np.ndarray, prune: np.ndarray) -> np.ndarray:
        """Whether each candidate has a score that is at most `prune` below the best of its lane."""
        partial, lane = totals[alive], owner[alive]
        best = np.full(len(prune), NO_SCORE)
        np.maximum.at(best, lane, partial)
        return (partial > NO_SCORE) & (partial >= best[lane] - prune[lane])
