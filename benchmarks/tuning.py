"""A generation of a tuning in one batch, against as many single evaluations: 64 candidates on 4 seeds each.

    python benchmarks/tuning.py [--steps 100] [--repeats 3] [--json]

Both play the same 256 episodes in this process, on one simulator thread, and come to the same returns to the bit. A
single evaluation is what a loop over `evaluate` costs: a policy with its values, an EnvPool of one environment, the
episode. `simulator` is EnvPool alone, stepped with zeros in a batch as large: what no batch can go below. CPU time is
compared, for on a shared machine wall time is others' time too; both are printed. `threaded` is the same batch with a
simulator thread for each core, as `hl tune` plays it, which a single evaluation has no use for. Episodes are short,
so that fixed costs show. A gait on HalfCheetah, whose physics takes most of the time, and a swing-up on Pendulum,
whose physics takes next to none.
"""

import argparse
import json
import time
from pathlib import Path
from random import Random

import numpy as np
from hl_dsl.synth.candidates.parameter_sampling import anywhere
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.candidate_batch import play_values
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.interrupts import SignalInterrupt
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

from hl_dsl.program import Program

POLICIES = ("trot", "swing")
CANDIDATES, SEEDS = 64, (0, 1, 2, 3)
TARGET = 5.0


def timed(play) -> tuple[float, float, object]:
    """CPU seconds, wall seconds, and what it came to."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = play()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def batch(program: Program, every: list[dict], steps: int, threads: int = 1) -> tuple[float, ...]:
    columns = {name: [values[name] for values in every for _ in SEEDS] for name in every[0]}
    rollout = InProcessExecutor().run(
        play_values,
        program.flow,
        columns,
        EpisodeSettings("standard", [seed for _ in every for seed in SEEDS], steps),
        hooks=ExecutionHooks(interrupt=SignalInterrupt()),
        resources=Resources(threads),
    )
    return rollout.returns


def single(program: Program, every: list[dict], steps: int) -> tuple[float, ...]:
    return tuple(
        evaluate(
            program.compile(parameters=values),
            program.card,
            EpisodeSettings("standard", [seed], steps),
            Resources(num_threads=1, num_envs=1),
        ).returns[0]
        for values in every
        for seed in SEEDS
    )


def physics(program: Program, count: int, steps: int) -> None:
    environments = Environments(program.card, "standard", [seed for _ in range(count) for seed in SEEDS], 1, steps)
    action = np.zeros(program.card.action.shape(count * len(SEEDS)), program.card.action.dtype)
    environments.reset()
    for _ in range(steps - 1):
        environments.step(action)
    environments.close()


def measured(name: str, steps: int, repeats: int) -> dict:
    program, random = Program.load(Path(__file__).parent / f"{name}.hl"), Random(0)
    every = [{one.name: anywhere(one, random) for one in program.flow.parameters} for _ in range(CANDIDATES)]
    batch(program, every[:1], 10), single(program, every[:1], 10)  # what is made once, such as the compiled tape
    together = [timed(lambda: batch(program, every, steps)) for _ in range(repeats)]
    threaded = [timed(lambda: batch(program, every, steps, 0)) for _ in range(repeats)]
    alone = [timed(lambda: single(program, every, steps)) for _ in range(repeats)]
    bare = [timed(lambda: physics(program, CANDIDATES, steps)) for _ in range(repeats)]
    assert all(one[2] == alone[0][2] for one in [*together, *threaded, *alone]), "the returns differ"
    cpu, wall = ([min(one[place] for one in rows) for rows in (together, alone, bare, threaded)] for place in (0, 1))
    return {
        "policy": name,
        "episodes": CANDIDATES * len(SEEDS),
        "steps": steps,
        "batch_cpu": cpu[0],
        "single_cpu": cpu[1],
        "simulator_cpu": cpu[2],
        "batch_wall": wall[0],
        "single_wall": wall[1],
        "cpu_ratio": cpu[1] / cpu[0],
        "wall_ratio": wall[1] / wall[0],
        "most_possible": cpu[1] / cpu[2],
        "threaded_wall": wall[3],
        "threaded_wall_ratio": wall[1] / wall[3],
        "target": TARGET,
        "same_returns": True,
    }


def main(steps: int = 100, repeats: int = 3, as_json: bool = False) -> None:
    rows = [measured(name, steps, repeats) for name in POLICIES]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(
            f"tuning {row['policy']}: {row['episodes']} episodes of {row['steps']} steps, returns the same to the bit"
        )
        print(f"  one batch {row['batch_cpu']:7.3f} s CPU {row['batch_wall']:7.3f} s wall")
        print(
            f"  singly    {row['single_cpu']:7.3f} s CPU {row['single_wall']:7.3f} s wall: {row['cpu_ratio']:.1f} times the CPU of the batch (target {TARGET:g}), {row['wall_ratio']:.1f} times its wall time"
        )
        print(
            f"  threaded  {row['threaded_wall']:18.3f} s wall: {row['threaded_wall_ratio']:.1f} times faster with a thread for each core"
        )
        print(
            f"  simulator {row['simulator_cpu']:7.3f} s CPU: no batch could be more than {row['most_possible']:.1f} times cheaper"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    main(options.steps, options.repeats, options.json)
