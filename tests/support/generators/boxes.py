"""Random boxes of operands, with a point in each, for checks of interval rules."""

from __future__ import annotations

import math
from random import Random

from tests.support.generators.bench import INTS, REALS, Applied

BOX_ENDS = {
    "real": tuple(sorted(x for x in REALS if x == x)) + (4.0, 20.0, 0.1, -0.1, 100.0, 2.0, 3.0),
    "int": tuple(sorted(INTS)),
    "bool": (0, 1),
}


def random_boxes(item: Applied, count: int):
    """Boxes with a point in each: ends from the edge values, often narrow, often degenerate."""
    dice = Random(f"{item.row.name} {item.bases}")
    for _ in range(count):
        pairs = [_pair_and_value(dice, base) for base in item.bases]
        yield tuple(pair for pair, _ in pairs), tuple(value for _, value in pairs)


def _pair_and_value(dice: Random, base: str) -> tuple:
    low, high = sorted((dice.choice(BOX_ENDS[base]), dice.choice(BOX_ENDS[base])))
    if dice.random() < 0.3:
        high = low
    value = dice.choice((low, high, _between(dice, base, low, high)))
    if base == "real":
        value = value if math.isfinite(value) else _between(dice, base, low, high)
        low, high = min(low, value), max(high, value)
    return (low, high), bool(value) if base == "bool" else value


def _between(dice: Random, base: str, low, high):
    if base != "real":
        return dice.randint(low, high)
    finite = [end for end in (low, high) if math.isfinite(end)] or [0.0]
    value = dice.choice(
        (dice.uniform(min(finite), max(finite)) if len(finite) > 1 else finite[0], finite[0] * 0.5, finite[-1] * 2 + 1)
    )
    value = min(max(value, low), high)
    return value if math.isfinite(value) else finite[0]
