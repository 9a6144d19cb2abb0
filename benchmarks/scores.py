"""Every policy of the library on held-out seeds, under every protocol of its environment: `make scores [POLICY=…]
[SEEDS=50..59]`.

The trials go into each policy's own ledger and the results into its header. Where a protocol leaves nothing to
chance, every seed is the same episode, and one is played. `SEEDS=50..59` plays fewer: a policy that neither wins nor
loses plays on for 108,000 steps, and one that plans takes minutes for an episode.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import HELD_OUT
from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, evaluate_program, policy_ledger
from hl_dsl.synth.evaluation.policy_header import write_header
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.runs.statuses import TrialKind

from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.progress import episode_progress
from hl_dsl.program import Program


def score(path: Path, held_out: Sequence[int]) -> None:
    program = Program.load(path)
    evaluations = []
    print(f"{path} ({program.hash})")
    for protocol in program.card.protocols:
        seeds = held_out if draws_at_random(program.card, protocol) else held_out[:1]
        with episode_progress(f"{program.name} {protocol}") as progress:
            evaluation = evaluate_program(
                program,
                EpisodeSettings(protocol, seeds),
                ledger=policy_ledger(path),
                callbacks=RolloutCallbacks(on_progress=progress),
                options=EvaluationOptions(kind=TrialKind.HELD_OUT),
            )
        trial = evaluation.trial
        print(
            f"  {protocol:<14} mean {trial.mean:8.6g}  min {trial.min:8.6g}  max {trial.max:8.6g}  over {len(seeds)} seeds, "
            f"{trial.distinct_trajectories} distinct; {trial.environment_steps:,} steps; assumptions broken "
            f"{sum(trial.assumption_violations.values()):,}, out of range {evaluation.rollout.total_counts.out_of_range:,}",
            flush=True,
        )
        evaluations.append(evaluation)
    write_header(path, program, evaluations[0].proof, evaluations)


def main() -> None:
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
