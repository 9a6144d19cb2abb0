"""Numbers a person would write: short literals, round ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

_LEAST = 1e-300  # a finer grid has no place among floats
_GRID = 200  # a real literal falls on a decimal grid that divides its range at least this finely


def step_of(low: float, high: float, parts: int = _GRID) -> float:
    """The power of ten that divides [low, high] into `parts` or more."""
    span = high - low
    return 10.0 ** math.floor(math.log10(span / parts)) if span > _LEAST * parts and math.isfinite(span) else 1.0


def short(value: float, low: float, high: float, base: str) -> int | float:
    """The value brought into [low, high] and onto a grid of short decimals (whole numbers for an int)."""
    value = min(max(value, low), high)
    if base == "int":
        return int(min(max(round(value), math.ceil(low)), math.floor(high)))
    step = step_of(low, high)
    rounded = float(f"{round(value / step) * step:.12g}")
    return float(min(max(rounded, low), high))


def round_range(low: float, high: float, base: str) -> tuple[int | float, int | float]:
    """A range with short ends around [low, high]; never empty, never a single point."""
    if base == "int":
        low, high = math.floor(low), math.ceil(high)
        whole_step = max(1, int(step_of(low, high, 10)))
        low, high = low // whole_step * whole_step, -(-high // whole_step) * whole_step
        return (low, high) if low < high else (low - 1, high + 1)
    if not high > low:
        margin = max(1.0, abs(low) / 2)
        low, high = low - margin, high + margin
    step = step_of(low, high, 10)
    return float(f"{math.floor(low / step) * step:.12g}"), float(f"{math.ceil(high / step) * step:.12g}")


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which about `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Where nine tenths of the values lie."""
    return quantile(values, 0.05), quantile(values, 0.95)


def weighted(random: Random, choices: Sequence, weights: Sequence[float]):
    """One of the choices, drawn in proportion to its weight."""
    return random.choices(choices, weights)[0]
