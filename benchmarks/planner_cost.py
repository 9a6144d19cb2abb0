"""What planning costs: the planner against a bare `mujoco.rollout` of the same steps.

    python -m benchmarks.planner_cost [--json]

The planner chooses for one HalfCheetah (planned_gait.hl: 48 candidates, 14 ticks ahead, 5 steps of the model a tick)
on frames of an episode that it played before: the whole policy in every candidate, noise, scores, bookkeeping. The
bare side takes the very same steps of the model from the same states under the same torques: one call for each tick
of the environment, with nothing between the steps; nothing is pruned, so that there are as many. CPU time of this one
thread, alternated pairs, the median of the pairs' ratios. The last line is the gait as it is written, with pruning,
over one episode.
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
from hl_dsl.compiler.planner.controller import PlannedPolicy
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

from hl_dsl.program import Program

HERE = Path(__file__).parent
PAIRS, TICKS, AWAY = (
    15,
    12,
    40,
)  # a pair plans for so many ticks; the first ones of an episode, of a cat that falls, are left out
LANES = 1
MOST_RATIO, MOST_MILLISECONDS, MOST_STEPS = 1.3, 40.0, 3000
EPISODE = 1000


class Recording(Simulator):
    """Keeps what it is asked to step."""

    def __init__(self, card):
        super().__init__(card)
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []

    def step(self, states, actions):
        self.asked.append((states, np.array(actions, np.float64)))
        return super().step(states, actions)


def without_pruning(flow):
    return replace(flow, plan=replace(flow.plan, settings={**flow.plan.settings, "prune": math.inf}))


def frames_of(flow, lanes: int) -> list:
    """Frames of an episode, as a planned policy meets them."""
    frames = []
    evaluate(
        PlannedPolicy(flow),
        flow.card,
        EpisodeSettings("standard", range(lanes), max_steps=AWAY + TICKS),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_tick=lambda environments, frame, actions: frames.append(frame)),
    )
    return frames[: AWAY + TICKS]


def planner_on(flow, frames: list, simulator: Simulator) -> tuple[float, int]:
    """CPU seconds of the policy with its planner on the last frames, and the steps of the model that it took."""
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
    """The recorded steps, each tick's in one call."""

    def __init__(self, simulator: Recording, horizon: int, substeps: int):
        import mujoco
        from mujoco import rollout

        self._model, self._data = simulator.model, mujoco.MjData(simulator.model)
        self._rollout = rollout.Rollout(nthread=0)
        self._calls = []
        for first in range(0, len(simulator.asked), horizon):
            ticks = simulator.asked[first : first + horizon]
            controls = np.stack([np.repeat(actions[:, None], substeps, axis=1) for _, actions in ticks], axis=1)
            self._calls.append(
                (ticks[0][0], np.ascontiguousarray(controls.reshape(len(controls), horizon * substeps, -1)))
            )
        states, controls = self._calls[0]
        self._models = [self._model] * len(states)
        self._path = np.empty((*controls.shape[:2], states.shape[1]))
        self.steps = sum(controls.shape[0] * controls.shape[1] for _, controls in self._calls)

    def run(self) -> float:
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
    """The ratio, and what a tick costs on either side in milliseconds, pruning left out."""
    flow = without_pruning(Program.load(HERE / "planned_gait.hl").flow)
    frames, simulator = frames_of(flow, LANES), Recording(flow.card)
    planner_on(flow, frames, simulator)
    horizon = flow.plan.settings["horizon"]
    simulator.asked = simulator.asked[horizon:]
    bare, plain = Bare(simulator, horizon, flow.card.model.substeps), Simulator(flow.card)
    pairs = []
    for _ in range(PAIRS):
        seconds, steps = planner_on(flow, frames, plain)
        if steps != bare.steps:
            raise SystemExit(f"{steps} steps are compared with {bare.steps}")
        pairs.append((seconds, bare.run()))
    ours, theirs = (1e3 * statistics.median(values) / (TICKS * LANES) for values in zip(*pairs))
    return dict(
        ratio=statistics.median(a / b for a, b in pairs),
        ours_ms=ours,
        bare_ms=theirs,
        model_steps=bare.steps / (TICKS * LANES),
        target=MOST_RATIO,
    )


def episode() -> dict:
    """The gait as it is written: CPU and steps of the model for each step of the environment, all included."""
    program = Program.load(HERE / "planned_gait.hl")
    rollout = evaluate(
        program.compile(),
        program.card,
        EpisodeSettings("standard", [0], max_steps=EPISODE),
        resources=Resources(num_threads=1),
    )
    planned = rollout.total_counts.planning
    return dict(
        env_steps=rollout.env_steps,
        ms=1e3 * rollout.cpu_seconds / rollout.env_steps,
        model_steps=planned.steps / rollout.env_steps,
        diverged=planned.diverged,
        most_ms=MOST_MILLISECONDS,
        most_model_steps=MOST_STEPS,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    row, whole = compare(), episode()
    if arguments.json:
        print(json.dumps({"schema": "hl.benchmark.planner_cost/1", "planner": row, "episode": whole}))
        return
    print(
        f"planner {row['ours_ms']:.1f} ms, bare rollout {row['bare_ms']:.1f} ms for {row['model_steps']:,.0f} steps of the model: "
        f"ratio {row['ratio']:.2f} (target {row['target']})"
    )
    print(
        f"an episode of {whole['env_steps']:,} steps: {whole['ms']:.1f} ms CPU (target {whole['most_ms']:.0f}) and {whole['model_steps']:,.0f} steps of the "
        f"model (target {whole['most_model_steps']:,}) for each"
    )


if __name__ == "__main__":
    main()
