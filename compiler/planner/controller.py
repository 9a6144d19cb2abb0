"""Controllers of programs: a policy, or a policy with a planner if the program has a plan."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts, PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.planner import Planner
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.compiler.policy import Policy


def controller_for(
    flow: Dataflow, parameters: Mapping[str, object] | None = None, backend: str = "auto", planner_seed: int = 0
) -> Policy:
    """The controller of a program. See `Policy` for the arguments; `planner_seed` is the seed of a planner's noise."""
    if flow.plan is None:
        return Policy(flow, parameters, backend)
    return PlannedPolicy(flow, parameters, backend, planner_seed)


class PlannedPolicy(Policy):
    """A policy with a planner, which plans for all lanes at once.

    Raises:
        HLError: The environment cannot be simulated, or the planner seed is not valid.
    """

    own_sources = frozenset({"plan"})
    report_every = 4  # ticks; one may take a second

    def __init__(
        self,
        flow: Dataflow,
        parameters: Mapping[str, object] | None = None,
        backend: str = "auto",
        planner_seed: int = 0,
    ):
        super().__init__(flow, parameters, backend)
        self.tick = self._planned_tick  # type: ignore[method-assign]  # see Policy
        if not 0 <= planner_seed < 2**64:
            raise HLError(f"the planner seed {planner_seed} is not valid", "give a whole number from 0 to 2^64 - 1")
        self.planner_seed, self.options = planner_seed, {"planner_seed": planner_seed}
        self._simulator: Simulator | None = None
        self._threads = 1
        self._seeds: tuple[int, ...] | None = None

    def prepare(self, seeds: Sequence[int], num_threads: int) -> None:
        """Announces the episodes of the next `reset`, and the threads of the simulator (0: one for each core)."""
        self._seeds = tuple(seeds)
        threads = num_threads or os.cpu_count() or 1
        if threads != self._threads:
            self._simulator, self._threads = None, threads

    def reset(self, num_lanes: int) -> None:
        """Starts an episode in each lane. Without `prepare`, lane i has the episode seed i."""
        super().reset(num_lanes)
        if self._simulator is None:
            self._simulator = Simulator(self.flow.card, self._threads)
        seeds = self._seeds if self._seeds is not None and len(self._seeds) == num_lanes else range(num_lanes)
        self._planner = Planner(self.flow, self._simulator, self.parameters, seeds, self.planner_seed, self.backend)

    @property
    def planning(self) -> list[PlanningCounts]:
        """Work of the planner since the last `reset`, for each lane."""
        return self._planner.counts

    def counts(self) -> tuple[EpisodeCounts, ...]:
        """The counts since the last `reset`, one for each lane, with those of the planner."""
        return EpisodeCounts.rows(self.out_of_range, self.assumption_violations, self.monitor_violations, self.planning)

    def _planned_tick(self, frame: Frame) -> np.ndarray:
        """Plans, stores the plan in the frame, and acts."""
        frame.plan = self._planner.choose(self, frame)
        actions = self._lanes.tick(frame)
        self._planner.note_actions(frame, actions)
        return actions
