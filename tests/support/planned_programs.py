"""A program with a plan, its recorded plans, and a reference planner that is slow and simple."""

from __future__ import annotations

import math

import numpy as np

from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import OfParameter
from hl_dsl.compiler.planner.noise import noise, noise_generator
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

TEXT = """
policy gait for "HalfCheetah-v5" {
  observe torso.pitch, joint.angle, velocity.x, step

  param kp:    real = 1.5 in [0, 4]
  param width: real = 0.4 in [0, 1]
  param tries: int = 5 in [2, 9]
  param ahead: int = 3 in [1, 6]

  memory phase: real in [0, 1] = 0.25 { next = mod(phase + 0.11, 1) }

  modes {
    start push { act clamp(kp * (0.4 * sin(6.3 * phase + [0, 1, 2, 3, 4, 5]) - joint.angle) + residual, -1, 1)
                 when phase > 0.7 or step > 30 -> rest }
    rest { act clamp(residual - 0.2 * joint.angle, -1, 1)  when phase < 0.3 -> push }
  }

  plan residual: vec[6] in [-0.5, 0.6] {
    SETTINGS
    each  velocity.x - 0.1 * sum(action * action) - previous(torso.pitch, 0) + (if mode == rest then phase else 0)
    FINAL
  }

  invariant torque: all(abs(action) <= 1)
  monitor upright: within 5 of torso.pitch > 1: torso.pitch < 1
}
"""


def program(
    settings: str = "horizon ahead   candidates tries   sigma width   smooth 0.3   warm_start 0.9",
    final: str = "final 0.3 * velocity.x",
) -> Program:
    return Program.parse(TEXT.replace("SETTINGS", settings).replace("FINAL", final))


def reference_plans(flow, parameters: dict, seed: int, frames: list[Frame]) -> list[list[float]]:
    """The plans' first steps for one lane on these frames, computed candidate by candidate and tick by tick."""
    simulator = Simulator(flow.card)
    machine = Interpreter(flow, parameters)
    names = [entry.name for entry in flow.parameters]
    defaults = {entry.name: entry.default for entry in flow.parameters} | parameters
    setting = {
        name: defaults[names[value.position]] if type(value) is OfParameter else value
        for name, value in flow.plan.settings.items()
    }
    planned = [flow.inputs[place] for place in flow.plan.inputs]
    plan = [[entry.default for entry in planned] for _ in range(setting["horizon"])]
    chosen = []

    def held(values) -> list[float]:
        return [min(max(float(value), entry.low), entry.high) for value, entry in zip(values, planned)]

    def raw(observation, step: int, residual) -> list:
        shown = {"observation": observation, "step": [step], "plan": residual}
        return [float(shown[entry.source][entry.column]) for entry in flow.inputs]

    for tick, frame in enumerate(frames):
        center, best, best_score = [list(row) for row in plan], None, -math.inf
        for round_number in range(setting["rounds"]):
            drawn = noise(
                noise_generator(0, seed, tick, round_number),
                setting["candidates"] - 2,
                setting["horizon"],
                len(planned),
                setting["sigma"],
                setting["decay"],
                setting["active"],
                setting["smooth"],
            )
            tried = [center, [[entry.default for entry in planned] for _ in center]]
            tried += [[held(np.array(row) + change) for row, change in zip(center, changes)] for changes in drawn]
            # Candidates advance together, because those far behind the best are pruned at each tick.
            lives = [
                {
                    "machine": Interpreter(flow, parameters),
                    "observation": frame.observation[0],
                    "score": 0.0,
                    "state": simulator.states(frame.observation),
                }
                for _ in tried
            ]
            for life in lives:
                life["machine"].memory, life["machine"].last_valid = machine.memory, machine.last_valid
            alive = list(range(len(tried)))
            for ahead in range(setting["horizon"]):
                for number in alive:
                    life = lives[number]
                    done = life["machine"].tick(
                        raw(life["observation"], int(frame.step[0]) + ahead, tried[number][ahead])
                    )
                    life["score"] = life["score"] + done.values[flow.plan.each]
                    life["action"] = np.array([done.action])
                top = max(lives[number]["score"] for number in alive)
                alive = [number for number in alive if not lives[number]["score"] < top - setting["prune"]]
                if flow.plan.final is None and ahead == setting["horizon"] - 1:
                    break
                for number in alive:
                    life = lives[number]
                    life["state"] = simulator.step(life["state"], life["action"])
                    life["observation"] = simulator.observations(life["state"])[0]
            if flow.plan.final is not None:
                for number in alive:
                    life = lives[number]
                    done = life["machine"].tick(
                        raw(
                            life["observation"],
                            int(frame.step[0]) + setting["horizon"],
                            [entry.default for entry in planned],
                        )
                    )
                    life["score"] = life["score"] + done.values[flow.plan.final]
            order = sorted(alive, key=lambda number: (-lives[number]["score"], number))
            if lives[order[0]]["score"] > best_score:
                best, best_score = tried[order[0]], lives[order[0]]["score"]
            center = np.mean([tried[number] for number in order[: setting["elites"]]], axis=0).tolist()
        assert best is not None
        chosen.append(best[0])
        machine.tick(raw(frame.observation[0], int(frame.step[0]), best[0]))
        plan = [held(setting["warm_start"] * np.array(row)) for row in best[1:]] + [
            held([entry.default for entry in planned])
        ]
    return chosen


def recorded(controller, lanes: int, ticks: int, seeds=None) -> tuple[list[Frame], list[np.ndarray], object]:
    """The frames of an evaluation, the plans on them, and the rollout."""
    frames, plans = [], []

    def watch(environments, frame, actions):
        if actions is not None:
            frames.append(frame)
            plans.append(frame.plan.copy())

    rollout = evaluate(
        controller,
        controller.flow.card,
        EpisodeSettings("standard", tuple(seeds or range(lanes)), max_steps=ticks),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_tick=watch),
    )
    return frames, plans, rollout


def planning_of(rollout) -> tuple[PlanningCounts, ...]:
    return tuple(counts.planning for counts in rollout.counts)


def row_of(frame: Frame, row: int) -> Frame:
    return frame.rows(frame.lanes == row)
