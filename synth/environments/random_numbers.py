"""Random numbers that are derived, never carried on: what a trial draws depends on its place in the run alone.

So a run that goes on after an interrupt draws what it would have drawn, and no generator's state is ever saved.
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
