"""Seeds as people write them."""

from __future__ import annotations

from hl_dsl.base.errors import HLError

LARGEST_SEED = 2**31 - 1
MOST_SEEDS = 100_000
_FORMS = "write one seed `3`, a range `0..9`, or a list `0,4,7..9`"


def parse_seeds(text: str) -> list[int]:
    """`0..9` (both ends included), `3`, or `0,4,7..9`. Raises `HLError`."""
    seeds: list[int] = []
    for part in text.split(","):
        low, high = _ends(text, part)
        if high < low:
            raise HLError(f"`{part.strip()}` is an empty range of seeds", "the smaller seed comes first: `0..9`")
        if low < 0 or high > LARGEST_SEED:
            raise HLError(
                f"`{part.strip()}` names seeds that no simulator takes", f"seeds lie from 0 to {LARGEST_SEED}"
            )
        if len(seeds) + high - low >= MOST_SEEDS:
            raise HLError(f"`{text}` names too many seeds", f"play at most {MOST_SEEDS:,} at a time")
        seeds += range(low, high + 1)
    if len(set(seeds)) < len(seeds):
        raise HLError(f"`{text}` names a seed twice", "each seed is one episode; name it once")
    return seeds


def _ends(text: str, part: str) -> tuple[int, int]:
    low, dots, high = part.partition("..")
    try:
        return int(low), int(high if dots else low)
    except ValueError:
        raise HLError(f"`{_short(text)}` names no seeds", _FORMS) from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
