"""The seeds a program may be developed on, and those that are kept for what is reported of it."""

from __future__ import annotations

from collections.abc import Iterable

from hl_dsl.base.errors import HLError

LAST = 49
HELD_OUT = range(LAST + 1, 100)


def refuse_other_seeds(seeds: Iterable[int], what: str) -> None:
    """Raises HLError where a seed is not for development. `what` is to be done with them."""
    others = [seed for seed in seeds if not 0 <= seed <= LAST]
    if others:
        raise HLError(
            f"{what} may not use seed {others[0]}: seeds above {LAST} are kept for the final score",
            f"choose among the development seeds, 0 to {LAST}",
        )
