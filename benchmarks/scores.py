"""Held-out scores of the policy library, under every protocol of each environment.

    make scores [POLICY=…] [SEEDS=50..59]

The trials are appended to the ledger of each policy, and the results are written to its header. If a protocol is
deterministic, all seeds give the same episode, and one seed is evaluated. `SEEDS=50..59` evaluates fewer seeds: a
policy that neither wins nor loses takes 108,000 steps, and a policy with a planner takes minutes for an episode.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.progress import episode_progress
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import HELD_OUT
from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, evaluate_program, policy_ledger
from hl_dsl.synth.evaluation.policy_header import write_header
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.runs.statuses import TrialKind


def score(path: Path, held_out: Sequence[int]) -> None:
    """Evaluates a policy on held-out seeds, prints the scores and writes its header."""
    program = Program.load(path)
    evaluations = []
    print(f"{path} ({program.hash})")
    for protocol in program.card.protocols:
        seeds = held_out if draws_at_random(program.card, protocol) else held_out[:1]
        with episode_progress(f"{program.name} {protocol}") as progress:
            evaluation = evaluate_program(
                program,
                EpisodeSettings(protocol, tuple(seeds)),
                ledger=policy_ledger(path),
                callbacks=RolloutCallbacks(on_progress=progress),
                options=EvaluationOptions(kind=TrialKind.HELD_OUT),
            )
        trial = evaluation.trial
        print(
            f"  {protocol:<14} mean {trial.mean:8.6g}  min {trial.min:8.6g}  max {trial.max:8.6g}  "
            f"over {len(seeds)} seeds, {trial.distinct_trajectories} distinct; {trial.environment_steps:,} steps; "
            f"assumption violations {sum(trial.assumption_violations.values()):,}, "
            f"out of range {evaluation.rollout.total_counts.out_of_range:,}",
            flush=True,
        )
        evaluations.append(evaluation)
    write_header(path, program, evaluations[0].proof, evaluations)


def main() -> None:
    """Runs the benchmark and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("policies", nargs="*", type=Path)
    parser.add_argument("--seeds", type=parse_seeds, default=list(HELD_OUT))
    given = parser.parse_args()
    if not set(given.seeds) <= set(HELD_OUT):
        parser.error(f"held-out seeds are {HELD_OUT[0]}..{HELD_OUT[-1]}")
    for path in given.policies or sorted(Path("policies").glob("*/*.hl")):
        score(path, given.seeds)


if __name__ == "__main__":
    main()
