"""Seeds on the command line."""

from __future__ import annotations

from hl_dsl.base.errors import HLError

LARGEST_SEED = 2**31 - 1  # the simulators store seeds as int32
MOST_SEEDS = 100_000
_FORMS = "write one seed `3`, a range `0..9`, or a list `0,4,7..9`"


def parse_seeds(text: str) -> list[int]:
    """Parses `3`, `0..9` (both ends included) or `0,4,7..9`. Raises HLError."""
    seeds: list[int] = []
    for part in text.split(","):
        low, high = _ends(text, part)
        if high < low:
            raise HLError(f"`{part.strip()}` is an empty range of seeds", "the smaller seed comes first: `0..9`")
        if low < 0 or high > LARGEST_SEED:
            raise HLError(f"`{part.strip()}` is outside the range of seeds", f"use seeds from 0 to {LARGEST_SEED}")
        if len(seeds) + high - low >= MOST_SEEDS:
            raise HLError(f"`{text}` names too many seeds", f"use at most {MOST_SEEDS:,} at a time")
        seeds += range(low, high + 1)
    if len(set(seeds)) < len(seeds):
        raise HLError(f"`{text}` names a seed twice", "name each seed once: it is one episode")
    return seeds


def _ends(text: str, part: str) -> tuple[int, int]:
    low, dots, high = part.partition("..")
    try:
        return int(low), int(high if dots else low)
    except ValueError:
        raise HLError(f"`{_shorten(text)}` does not name seeds", _FORMS) from None


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
