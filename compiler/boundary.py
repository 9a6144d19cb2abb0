"""Where observations enter: the one rule by which a value is admitted."""

from __future__ import annotations

from hl_dsl.compiler.ir import Input
from hl_dsl.operators import kernel


def admit(entry: Input, raw: float, last_valid) -> tuple[int | float | bool, bool]:
    """The value a tick sees, and whether the raw one had to be mended (and so is counted).

    Outside the range: clamped to it. NaN: the last valid value, at first the input's default. A raw value of any type
    enters as binary64 (see `kernel.to_binary64`).
    """
    if raw != raw:
        return last_valid, True
    number = kernel.to_binary64(raw)
    value = number != 0.0 if entry.base == "bool" else number
    if value < entry.low:
        return entry.low, True
    if value > entry.high:
        return entry.high, True
    return (int(value), False) if entry.base == "int" else (value, False)
