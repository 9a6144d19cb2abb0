"""Random numbers that depend only on a trial's place in the run, not on the state of a generator.

So a resumed run draws the same numbers, and no generator's state is saved.
"""

from __future__ import annotations

import hashlib
import random


def seed_for(run_seed: int, trial: int | str, stage: str) -> int:
    """64 bits for one stage of one trial of one run."""
    return int.from_bytes(hashlib.sha256(f"{run_seed}/{trial}/{stage}".encode()).digest()[:8], "big")


def generator(run_seed: int, trial: int | str, stage: str) -> random.Random:
    """A fresh generator for one stage of one trial of one run."""
    return random.Random(seed_for(run_seed, trial, stage))
