"""Stages of a proof that search for violations by running the program."""

from __future__ import annotations

from time import perf_counter

from hl_dsl.verify.methods.background_task import BackgroundTask
from hl_dsl.verify.proof_state import ProofState
from hl_dsl.verify.simulation.replay import SimulatedRun
from hl_dsl.verify.simulation.simulate import simulate

_QUICK = (4, 24)  # episodes and ticks of the simulation before induction
_GUIDED = (6, 40)  # the same where assumptions relate inputs to the last tick, which makes a tick expensive


class SimulationStages:
    """Simulations of one proof."""

    def __init__(self, state: ProofState):
        self.state = state

    def run_quick(self) -> None:
        """Simulates a few short episodes with the interpreter."""
        self._simulate(*_QUICK)

    def start_batch(self) -> BackgroundTask[dict[str, SimulatedRun]]:
        """Starts the long simulation of the open goals in many lanes, in another process if the limits allow it."""
        state, limits = self.state, self.state.limits
        goals = state.open_goals()

        def run_batch() -> dict[str, SimulatedRun]:
            from hl_dsl.verify.simulation.batch import simulate_batch  # loads NumPy

            return simulate_batch(state.index, state.stage.ranges, goals, limits.lanes, limits.ticks, seed=0)

        return BackgroundTask(run_batch, fork=limits.processes > 1 and limits.lanes > 0 and bool(goals))

    def finish_batch(self, batch: BackgroundTask[dict[str, SimulatedRun]]) -> None:
        """Records the violations that the long simulation found."""
        start = perf_counter()
        runs = batch.result()
        seconds = perf_counter() - start
        if self.state.index.assumes:
            self._simulate(*_GUIDED)
        self._record(runs, seconds)

    def _simulate(self, episodes: int, ticks: int) -> None:
        start = perf_counter()
        result = simulate(self.state.index, self.state.open_goals(), episodes, ticks)
        self._record(result.broken, perf_counter() - start)

    def _record(self, runs: dict[str, SimulatedRun], seconds: float) -> None:
        for goal in self.state.open_goals():
            if goal.id in runs:
                self.state.record_violation(goal, runs[goal.id], "simulation", seconds)
