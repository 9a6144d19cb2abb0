"""Cost of planning: the planner against a bare `mujoco.rollout` of the same steps.

    python -m benchmarks.planner_cost [--json]

The planner controls one HalfCheetah (planned_gait.hl: 48 candidates, a horizon of 14 ticks, 5 model steps a tick) on
recorded frames of one episode. Its cost includes the whole policy in every candidate, noise, scores and bookkeeping.
The bare side takes the same model steps from the same states under the same torques, in one call for each tick of the
environment. Pruning is disabled, so that both sides take the same number of steps. The result is the median ratio of
CPU time over alternated pairs, in one thread. The last line of the output is the unchanged gait, with pruning, over
one episode.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.controller import PlannedPolicy
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

HERE = Path(__file__).parent
PAIRS = 15
TICKS = 12  # ticks that are planned in a pair
AWAY = 40  # first ticks of the episode, which are omitted: the cheetah still falls to the ground
LANES = 1
MOST_RATIO, MOST_MILLISECONDS, MOST_STEPS = (
    1.3,
    40.0,
    3000,
)  # targets: ratio, CPU and model steps of an environment step
EPISODE = 1000  # environment steps


class Recording(Simulator):
    """Simulator of the model that records the states and actions of every step."""

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.requests: list[tuple[np.ndarray, np.ndarray]] = []

    def step(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Records the request, then steps."""
        self.requests.append((states, np.array(actions, np.float64)))
        return super().step(states, actions)


def without_pruning(flow: Dataflow) -> Dataflow:
    """Returns the program with pruning disabled."""
    assert flow.plan is not None, "the gait has a plan"
    return replace(flow, plan=replace(flow.plan, settings={**flow.plan.settings, "prune": math.inf}))


def frames_of(flow: Dataflow, lanes: int) -> list[Frame]:
    """Returns the frames of an episode of the planned policy."""
    frames: list[Frame] = []
    evaluate(
        PlannedPolicy(flow),
        flow.card,
        EpisodeSettings("standard", tuple(range(lanes)), max_steps=AWAY + TICKS),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_tick=lambda environments, frame, actions: frames.append(frame)),
    )
    return frames[: AWAY + TICKS]


def planner_on(flow: Dataflow, frames: list[Frame], simulator: Simulator) -> tuple[float, int]:
    """Returns CPU seconds and model steps of the policy with its planner on the last frames."""
    controller = PlannedPolicy(flow)
    controller._simulator = simulator
    controller.prepare(range(len(frames[0].lanes)), 1)
    controller.reset(len(frames[0].lanes))
    controller.tick(frames[0])
    before, start = simulator.steps, time.process_time()
    for frame in frames[AWAY:]:
        controller.tick(frame)
    return time.process_time() - start, simulator.steps - before


class Bare:
    """The recorded steps as bare rollouts: one call for each tick."""

    def __init__(self, simulator: Recording, horizon: int, substeps: int) -> None:
        import mujoco
        from mujoco import rollout

        self._model, self._data = simulator.model, mujoco.MjData(simulator.model)
        self._rollout = rollout.Rollout(nthread=0)
        self._calls = []
        for first in range(0, len(simulator.requests), horizon):
            ticks = simulator.requests[first : first + horizon]
            controls = np.stack([np.repeat(actions[:, None], substeps, axis=1) for _, actions in ticks], axis=1)
            self._calls.append(
                (ticks[0][0], np.ascontiguousarray(controls.reshape(len(controls), horizon * substeps, -1)))
            )
        states, controls = self._calls[0]
        self._models = [self._model] * len(states)
        self._path = np.empty((*controls.shape[:2], states.shape[1]))
        self.steps = sum(controls.shape[0] * controls.shape[1] for _, controls in self._calls)

    def run(self) -> float:
        """Runs the rollouts and returns their CPU seconds."""
        start = time.process_time()
        for states, controls in self._calls:
            self._rollout.rollout(
                self._models,
                [self._data],
                states,
                controls,
                skip_checks=True,
                nstep=controls.shape[1],
                state=self._path,
            )
        return time.process_time() - start


def compare() -> dict:
    """Returns the ratio and the milliseconds a tick of both sides, without pruning."""
    flow = without_pruning(Program.load(HERE / "planned_gait.hl").flow)
    frames, simulator = frames_of(flow, LANES), Recording(flow.card)
    planner_on(flow, frames, simulator)
    assert flow.plan is not None and flow.card.model is not None, "the gait has a plan"
    horizon = flow.plan.settings["horizon"]
    assert isinstance(horizon, int), "planned_gait.hl sets a number"
    simulator.requests = simulator.requests[horizon:]
    bare, plain = Bare(simulator, horizon, flow.card.model.substeps), Simulator(flow.card)
    pairs = []
    for _ in range(PAIRS):
        seconds, steps = planner_on(flow, frames, plain)
        if steps != bare.steps:
            raise SystemExit(f"{steps} steps are compared with {bare.steps}")
        pairs.append((seconds, bare.run()))
    ours, theirs = (1e3 * statistics.median(values) / (TICKS * LANES) for values in zip(*pairs))
    return {
        "ratio": statistics.median(a / b for a, b in pairs),
        "ours_ms": ours,
        "bare_ms": theirs,
        "model_steps": bare.steps / (TICKS * LANES),
        "target": MOST_RATIO,
    }


def episode() -> dict:
    """Returns CPU milliseconds and model steps for each environment step of the unchanged gait."""
    program = Program.load(HERE / "planned_gait.hl")
    rollout = evaluate(
        program.compile(),
        program.card,
        EpisodeSettings("standard", (0,), max_steps=EPISODE),
        resources=Resources(num_threads=1),
    )
    planned = rollout.total_counts.planning
    assert planned is not None, "the gait has a plan"
    return {
        "env_steps": rollout.env_steps,
        "ms": 1e3 * rollout.cpu_seconds / rollout.env_steps,
        "model_steps": planned.steps / rollout.env_steps,
        "diverged": planned.diverged,
        "most_ms": MOST_MILLISECONDS,
        "most_model_steps": MOST_STEPS,
    }


def main() -> None:
    """Runs the benchmark and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    row, whole = compare(), episode()
    if arguments.json:
        print(json.dumps({"schema": "hl.benchmark.planner_cost/1", "planner": row, "episode": whole}))
        return
    print(
        f"planner {row['ours_ms']:.1f} ms, bare rollout {row['bare_ms']:.1f} ms for {row['model_steps']:,.0f} model "
        f"steps: ratio {row['ratio']:.2f} (target {row['target']})"
    )
    print(
        f"an episode of {whole['env_steps']:,} steps: {whole['ms']:.1f} ms CPU (target {whole['most_ms']:.0f}) and "
        f"{whole['model_steps']:,.0f} model steps (target {whole['most_model_steps']:,}) for each"
    )


if __name__ == "__main__":
    main()
