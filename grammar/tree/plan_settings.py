"""Settings of a `plan`: names, ranges and defaults."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PlanSetting:
    """`base` is "int" or "real". `default` is None if it depends on the plan's range (see `default_of`)."""

    name: str
    base: str
    low: float
    high: float
    default: int | float | None
    says: str


_WIDTH_PARTS = 4  # default sigma of a component is its width / 4: noise that fills the range and seldom leaves it

SETTINGS: dict[str, PlanSetting] = {
    item.name: item
    for item in (
        PlanSetting("horizon", "int", 1, 1000, 10, "ticks that a candidate is simulated"),
        PlanSetting(
            "candidates",
            "int",
            2,
            100_000,
            32,
            "futures tried at a tick; the first is the current plan, the second has no residual",
        ),
        PlanSetting(
            "rounds", "int", 1, 100, 1, "times that candidates are tried, each time around the best of the time before"
        ),
        PlanSetting("elites", "int", 1, 100_000, 1, "candidates whose mean the next round goes around"),
        PlanSetting(
            "sigma", "real", 0, math.inf, None, "standard deviation of the noise at the first tick of a future"
        ),
        PlanSetting("decay", "real", 0, math.inf, 1.0, "the noise at tick t of a future is sigma * exp(-decay * t)"),
        PlanSetting("active", "real", 0, 1, 0.6, "probability that a candidate changes a component at all"),
        PlanSetting("smooth", "real", 0, 1, 0.0, "correlation of the noise at two neighbouring ticks"),
        PlanSetting("warm_start", "real", 0, 1, 1.0, "what the rest of a plan is multiplied by for the next tick"),
        PlanSetting(
            "prune", "real", 0, math.inf, math.inf, "a candidate this far behind the best is not simulated any further"
        ),
    )
}


def default_of(name: str, widths: Sequence[float]) -> int | float | tuple[float, ...]:
    """The value of a setting that the plan omits, for components whose ranges are so wide.

    It is one number, or one for each component if it depends on the width and the widths differ.
    """
    default = SETTINGS[name].default
    if default is not None:
        return default
    parts = tuple(width / _WIDTH_PARTS for width in widths)
    return parts if len(set(parts)) > 1 else parts[0]
