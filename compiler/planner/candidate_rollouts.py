"""What would come of plans: the whole policy, simulated ahead in many candidates at once."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.lowering.plan import simulated
from hl_dsl.compiler.planner.settings import LaneSettings
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.compiler.policy import Policy

NO_SCORE = -np.inf


class CandidateRollouts:
    """Candidate c of lane i of the policy is lane `i * width + c` of the policy that is simulated.

    `steps` and `diverged`, (lanes,) each: steps of the model taken, and candidates that were dropped because the simulation
    came to no number.
    """

    def __init__(
        self, flow: Dataflow, simulator: Simulator, parameters: Sequence, settings: LaneSettings, backend: str
    ):
        self.simulator, self._settings = simulator, settings
        self.width = int(settings.candidates.max())
        lanes = len(settings.candidates)
        program = simulated(flow)
        values = {
            entry.name: np.repeat(value, self.width) if np.ndim(value) else value
            for entry, value in zip(flow.parameters, parameters)
        }
        self._policy = Policy(program, values, backend)
        self._policy.reset(lanes * self.width)
        self._score, self._final = len(program.memories) - 2, len(program.memories) - 1
        self._has_final = flow.plan.final is not None
        self._no_reward = np.zeros(lanes * self.width, np.float32)
        self._rest = np.array([flow.inputs[position].default for position in flow.plan.inputs])
        self._substeps = flow.card.model.substeps
        self.steps, self.diverged = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)

    def scores(
        self, policy: Policy, frame: Frame, begin: np.ndarray, rows: np.ndarray, plans: np.ndarray
    ) -> np.ndarray:
        """(k, width): what each plan comes to, NO_SCORE where it was dropped.

        `policy` stands before its tick on the frame, `begin` (n, s) are the states of its rows; `rows` (k,) are those that are
        planned for; plans: (k, width, horizon, components).
        """
        lanes, width = frame.lanes[rows], self.width
        settings = self._settings
        alive = np.flatnonzero(np.arange(width) < settings.candidates[lanes][:, None])
        owner = np.repeat(np.arange(len(rows)), width)
        horizons = settings.horizon[lanes]
        own = (lanes[:, None] * width + np.arange(width)).ravel().astype(np.int32)
        plans = plans.reshape(len(owner), *plans.shape[2:])
        at = rows[owner[alive]]
        self._policy.adopt(policy, frame.lanes[at], own[alive])
        states, shown, steps = begin[at], np.asarray(frame.observation, np.float64)[at], frame.step[at].astype(np.int32)
        totals = np.full(len(owner), NO_SCORE)
        diverged = np.zeros(len(rows), np.int64)

        def drop(candidates: np.ndarray) -> None:
            totals[candidates] = NO_SCORE
            np.add.at(diverged, owner[candidates], 1)

        for tick in range(int(horizons.max()) + 1):
            over = horizons[owner[alive]] == tick  # these have had their last step, and only `final` is asked of them
            planned = plans[alive, min(tick, plans.shape[1] - 1)]
            planned[over] = self._rest
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
            going = ~over
            if over.any():
                totals[alive[over]] += self._policy.stored(self._final, own[alive[over]])
            totals[alive[going]] = self._policy.stored(self._score, own[alive[going]])
            if not (finite := np.isfinite(totals[alive])).all():
                drop(alive[~finite])
            going &= self._promising(totals, alive, owner, settings.prune[lanes])
            totals[alive[~(going | over)]] = NO_SCORE
            if not self._has_final:
                going &= horizons[owner[alive]] > tick + 1
            if not going.any():
                break
            np.add.at(self.steps, lanes[owner[alive[going]]], self._substeps)
            states = self.simulator.step(states[going], actions[going])
            alive, steps = alive[going], steps[going]
            sound = ~np.isnan(states).any(axis=1)
            if not sound.all():
                drop(alive[~sound])
                alive, steps, states = alive[sound], steps[sound], states[sound]
                if not len(alive):
                    break
            shown = self.simulator.observations(states)
        self.diverged[lanes] += diverged
        return totals.reshape(len(rows), width)

    def one_step(self, lanes: np.ndarray, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """(n, s): what the model makes of one step of the environment in each of these lanes."""
        self.steps[lanes] += self._substeps
        return self.simulator.step(states, np.asarray(actions, np.float64))

    @staticmethod
    def _promising(totals: np.ndarray, alive: np.ndarray, owner: np.ndarray, prune: np.ndarray) -> np.ndarray:
        """Which candidates have a score, and are not too far behind the best of their lane."""
        partial, at = totals[alive], owner[alive]
        best = np.full(len(prune), NO_SCORE)
        np.maximum.at(best, at, partial)
        return (partial > NO_SCORE) & (partial >= best[at] - prune[at])
