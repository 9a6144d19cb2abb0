"""What an evaluation costs beside EnvPool alone: process CPU time of a whole evaluation (policy, range checks, monitors,
assumptions, counting) against `env.step` of the same pools with the same actions, ready-made. Alternated pairs.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from hl_dsl.synth.environments.backends.envpool_backend import EnvPoolBackend
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

from hl_dsl.program import Program

CASES = (
    ("policies/breakout/ram.hl", "noop", 16, 400, 1.03),
    ("policies/breakout/ram.hl", "noop", 1, 4000, 1.05),
    ("policies/cartpole/balance.hl", "standard", 256, 400, 1.3),
)


def recorded_actions(program: Program, protocol: str, lanes: int, steps: int) -> np.ndarray:
    """The actions the policy takes, (steps, lanes)."""
    kept: list[np.ndarray] = []

    def keep(environments, frame, actions):
        if actions is not None:
            kept.append(np.array(actions))

    evaluate(
        program.compile(),
        program.card,
        EpisodeSettings(protocol, range(lanes), max_steps=steps),
        resources=Resources(num_threads=1, num_envs=lanes),
        callbacks=RolloutCallbacks(on_tick=keep),
    )
    return np.stack(kept)


def raw_seconds(program: Program, protocol: str, actions: np.ndarray) -> float:
    """CPU seconds of stepping a bare pool through ready-made actions."""
    import envpool

    lanes = actions.shape[1]
    began = time.process_time()
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
    return time.process_time() - began


def evaluation_seconds(program: Program, protocol: str, lanes: int, steps: int) -> float:
    policy = program.compile()
    began = time.process_time()
    evaluate(
        policy,
        program.card,
        EpisodeSettings(protocol, range(lanes), max_steps=steps),
        resources=Resources(num_threads=1, num_envs=lanes),
    )
    return time.process_time() - began


def ratios(program: Program, protocol: str, lanes: int, steps: int, pairs: int) -> list[float]:
    """One ratio a pair, the two sides of a pair in turns of first and second."""
    actions = recorded_actions(program, protocol, lanes, steps)
    found = []
    for pair in range(pairs):
        if pair % 2:
            raw = raw_seconds(program, protocol, actions)
            ours = evaluation_seconds(program, protocol, lanes, steps)
        else:
            ours = evaluation_seconds(program, protocol, lanes, steps)
            raw = raw_seconds(program, protocol, actions)
        found.append(ours / raw)
    return found


def main(pairs: int = 9) -> None:
    EnvPoolBackend.load()
    print(f"evaluation against bare EnvPool, CPU time, median of {pairs} alternated pairs (quartiles)")
    for policy, protocol, lanes, steps, bar in CASES:
        found = ratios(Program.load(policy), protocol, lanes, steps, pairs)
        low, middle, high = statistics.quantiles(found, n=4)
        print(f"  {policy}, {lanes:>3} environments: {middle:.3f} ({low:.3f} to {high:.3f}); bar {bar}")


if __name__ == "__main__":
    main()
