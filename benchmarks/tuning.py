"""Cost of a tuning generation: one batch against single evaluations of 64 candidates on 4 seeds each.

    python benchmarks/tuning.py [--steps 100] [--repeats 3] [--json]

Both sides run the same 256 episodes in this process, on one simulator thread, and return the same values to the bit. A
single evaluation includes compiling the policy with its values, an EnvPool of one environment, and the episode.
`simulator` is EnvPool alone, stepped with zeros in a batch of the same size: the lower bound of a batch. The ratio
compares CPU time, because wall time depends on the load of the machine; both are printed. `threaded` is the same batch
with a simulator thread for each core, as in `hl tune`. Episodes are short, so that fixed costs are visible. The
policies are a gait on HalfCheetah, whose physics takes most of the time, and a swing-up on Pendulum, whose physics
takes almost none.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np

from hl_dsl.program import Program
from hl_dsl.synth.candidates.parameter_sampling import anywhere
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.candidate_batch import play_values
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.interrupts import SignalInterrupt
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

POLICIES = ("trot", "swing")
CANDIDATES, SEEDS = 64, (0, 1, 2, 3)
TARGET = 5.0  # CPU time of single evaluations over that of the batch
T = TypeVar("T")


def timed(play: Callable[[], T]) -> tuple[float, float, T]:
    """Returns CPU seconds, wall seconds, and the result of `play`."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = play()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def batch(program: Program, candidates: list[dict[str, Any]], steps: int, threads: int = 1) -> tuple[float, ...]:
    """Returns the returns of all candidates and seeds, evaluated in one batch."""
    columns = {name: [values[name] for values in candidates for _ in SEEDS] for name in candidates[0]}
    rollout = InProcessExecutor().run(
        play_values,
        program.flow,
        columns,
        EpisodeSettings("standard", tuple(seed for _ in candidates for seed in SEEDS), steps),
        hooks=ExecutionHooks(interrupt=SignalInterrupt()),
        resources=Resources(threads),
    )
    return rollout.returns


def single(program: Program, candidates: list[dict[str, Any]], steps: int) -> tuple[float, ...]:
    """Returns the same returns, from one evaluation for each candidate and seed."""
    return tuple(
        evaluate(
            program.compile(parameters=values),
            program.card,
            EpisodeSettings("standard", (seed,), steps),
            Resources(num_threads=1, num_envs=1),
        ).returns[0]
        for values in candidates
        for seed in SEEDS
    )


def physics(program: Program, count: int, steps: int) -> None:
    """Steps the simulator alone, with zeros as actions."""
    environments = Environments(program.card, "standard", [seed for _ in range(count) for seed in SEEDS], 1, steps)
    action = np.zeros(program.card.action.shape(count * len(SEEDS)), program.card.action.dtype)
    environments.reset()
    for _ in range(steps - 1):
        environments.step(action)
    environments.close()


def measure(name: str, steps: int, repeats: int) -> dict[str, Any]:
    """Measures one policy and returns its row."""
    program, random = Program.load(Path(__file__).parent / f"{name}.hl"), Random(0)
    candidates = [
        {parameter.name: anywhere(parameter, random) for parameter in program.flow.parameters}
        for _ in range(CANDIDATES)
    ]
    batch(program, candidates[:1], 10), single(program, candidates[:1], 10)  # one-time costs, such as the compiled tape
    together = [timed(lambda: batch(program, candidates, steps)) for _ in range(repeats)]
    threaded = [timed(lambda: batch(program, candidates, steps, 0)) for _ in range(repeats)]
    alone = [timed(lambda: single(program, candidates, steps)) for _ in range(repeats)]
    bare = [timed(lambda: physics(program, CANDIDATES, steps)) for _ in range(repeats)]
    assert all(run[2] == alone[0][2] for run in [*together, *threaded, *alone]), "the returns differ"
    sides = [[run[:2] for run in runs] for runs in (together, alone, bare, threaded)]
    cpu = [min(seconds for seconds, _ in side) for side in sides]
    wall = [min(seconds for _, seconds in side) for side in sides]
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
    """Runs the benchmark and prints the result."""
    rows = [measure(name, steps, repeats) for name in POLICIES]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(f"tuning {row['policy']}: {row['episodes']} episodes of {row['steps']} steps, equal returns")
        print(f"  one batch {row['batch_cpu']:7.3f} s CPU {row['batch_wall']:7.3f} s wall")
        print(
            f"  singly    {row['single_cpu']:7.3f} s CPU {row['single_wall']:7.3f} s wall: "
            f"{row['cpu_ratio']:.1f} times the CPU of the batch (target {TARGET:g}), "
            f"{row['wall_ratio']:.1f} times its wall time"
        )
        print(
            f"  threaded  {row['threaded_wall']:18.3f} s wall: {row['threaded_wall_ratio']:.1f} times faster with a "
            "thread for each core"
        )
        print(
            f"  simulator {row['simulator_cpu']:7.3f} s CPU: a batch can be at most {row['most_possible']:.1f} times "
            "cheaper"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    main(options.steps, options.repeats, options.json)
