"""Cost of an evaluation: a whole rollout against bare EnvPool.

An evaluation includes the policy, range checks, monitors, assumptions and counts. The bare side calls `env.step` of the
same pools with the recorded actions. The result is the ratio of the process's CPU time over alternated pairs.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.program import Program
from hl_dsl.synth.environments.backends.envpool_backend import EnvPoolBackend
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

# policy, protocol, environments, steps, target ratio
CASES = (
    ("policies/breakout/ram.hl", "noop", 16, 400, 1.03),
    ("policies/breakout/ram.hl", "noop", 1, 4000, 1.05),
    ("policies/cartpole/balance.hl", "standard", 256, 400, 1.3),
)


def recorded_actions(program: Program, protocol: str, lanes: int, steps: int) -> np.ndarray:
    """Returns the actions of the policy, shape (steps, lanes)."""
    recorded: list[np.ndarray] = []

    def record(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        if actions is not None:
            recorded.append(np.array(actions))

    evaluate(
        program.compile(),
        program.card,
        EpisodeSettings(protocol, tuple(range(lanes)), max_steps=steps),
        resources=Resources(num_threads=1, num_envs=lanes),
        callbacks=RolloutCallbacks(on_tick=record),
    )
    return np.stack(recorded)


def raw_seconds(program: Program, protocol: str, actions: np.ndarray) -> float:
    """Returns the CPU seconds of a bare pool that steps through recorded actions."""
    import envpool

    lanes = actions.shape[1]
    start = time.process_time()
    pool = envpool.make_gymnasium(
        program.card.environment,
        num_envs=lanes,
        num_threads=1,
        env_seed=list(range(lanes)),
        **protocol_options(program.card, protocol),
    )
    pool.reset()
    for row in actions:
        pool.step(row)
    pool.close()
    return time.process_time() - start


def evaluation_seconds(program: Program, protocol: str, lanes: int, steps: int) -> float:
    """Returns the CPU seconds of an evaluation."""
    policy = program.compile()
    start = time.process_time()
    evaluate(
        policy,
        program.card,
        EpisodeSettings(protocol, tuple(range(lanes)), max_steps=steps),
        resources=Resources(num_threads=1, num_envs=lanes),
    )
    return time.process_time() - start


def ratios(program: Program, protocol: str, lanes: int, steps: int, pairs: int) -> list[float]:
    """Returns the ratio of each pair. The side that runs first alternates."""
    actions = recorded_actions(program, protocol, lanes, steps)
    measured = []
    for pair in range(pairs):
        if pair % 2:
            raw = raw_seconds(program, protocol, actions)
            ours = evaluation_seconds(program, protocol, lanes, steps)
        else:
            ours = evaluation_seconds(program, protocol, lanes, steps)
            raw = raw_seconds(program, protocol, actions)
        measured.append(ours / raw)
    return measured


def main(pairs: int = 9) -> None:
    """Runs the benchmark and prints the result."""
    EnvPoolBackend.load()
    print(f"evaluation against bare EnvPool, CPU time, median of {pairs} alternated pairs (quartiles)")
    for policy, protocol, lanes, steps, target in CASES:
        measured = ratios(Program.load(policy), protocol, lanes, steps, pairs)
        low, middle, high = statistics.quantiles(measured, n=4)
        print(f"  {policy}, {lanes:>3} environments: {middle:.3f} ({low:.3f} to {high:.3f}); target {target}")


if __name__ == "__main__":
    main()
