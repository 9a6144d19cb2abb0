"""What the search without a network finds on Breakout, beside what chance alone finds at equal steps.

    python -m benchmarks.search [--seeds 0..4] [--steps 300000]

The score is the best program's return under the search's own rules: the deterministic protocol, and an episode ends
after 1,500 steps without reward. The null is 24 random settings of two constants, where to start moving right and left.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from hl_dsl.cli.seeds import parse_seeds
from hl_dsl.program import Program
from hl_dsl.synth.null import random_constants
from hl_dsl.synth.runs import run_synth

ROOT = Path(__file__).parent.parent


def main(seeds: list[int], steps: int) -> None:
    null = random_constants(Program.load(ROOT / "benchmarks/two_constants.hl"), "deterministic")
    print(f"null: {null}", flush=True)
    scores = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            result = run_synth(ROOT / "policies/breakout/start.hl", Path(folder) / "run", "deterministic", steps, seed)
        scores.append(result.score)
        print(f"run seed {seed}: {result.start_score:g} -> {result.score:g}, {result.env_steps:,} steps, {result.wall_seconds:.0f} s, "
              f"{result.trials} programs, proof {result.proof}", flush=True)
    print(f"median {median(scores):g}, least {min(scores):g}; null: median {null.median:g}, best of {len(null.scores)} {null.best:g}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", default="0..4")
    parser.add_argument("--steps", type=int, default=300_000)
    given = parser.parse_args()
    main(parse_seeds(given.seeds), given.steps)
