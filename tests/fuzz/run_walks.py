"""Random walks of the decoder grammars, as many as asked for, each parsed by the parser.

    python -m tests.fuzz.run_walks              # 10,000 walks, of the grammars of four environments in turn
    python -m tests.fuzz.run_walks 50000 --seed 7

The first walk that does not parse is shown; the exit code is then 1. A run with the same seed is the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import load_card
from hl_dsl.grammar.parser import parse
from hl_dsl.language.environment_grammar import card_grammar
from tests.support.generators.walks import Walker

ENVIRONMENTS = ("Breakout-v5", "CartPole-v1", "Pendulum-v1", "LunarLander-v3")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("walks", nargs="?", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    walkers = [Walker(card_grammar(load_card(environment))) for environment in ENVIRONMENTS]
    wall, cpu, size, empty = time.perf_counter(), time.process_time(), 0, 0
    for number in range(chosen.walks):
        text = walkers[number % len(walkers)].walk(Random(f"{chosen.seed} {number}"), 60)
        size += len(text)
        try:
            empty += not parse(SourceText(text)).declarations
        except ProgramError as error:
            print(f"walk {number} of seed {chosen.seed} does not parse:\n{text}\n{error}", file=sys.stderr)
            return 1
    print(
        f"{chosen.walks:,} walks of the decoder grammar parsed, {size / chosen.walks:.0f} characters each, "
        f"{empty:,} without a declaration, "
        f"in {time.perf_counter() - wall:.1f} s ({time.process_time() - cpu:.1f} s of CPU time)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
