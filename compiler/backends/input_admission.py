"""Admission of observations: the rule by which a raw value becomes the value of an input."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Input
from hl_dsl.operators import scalar


def admit(entry: Input, raw: float, last_valid) -> tuple[int | float | bool, bool]:
    """The value that a tick sees, and whether the raw one was out of range or NaN, which is counted.

    A value outside the range is clamped to it. NaN becomes the last valid value, at first the input's default. A raw
    value of any type is converted to binary64 (see `number_conversion.to_binary64`).
    """
    if raw != raw:
        return last_valid, True
    number = scalar.to_binary64(raw)
    value = number != 0.0 if entry.base == "bool" else number
    if value < entry.low:
        return entry.low, True
    if value > entry.high:
        return entry.high, True
    return (int(value), False) if entry.base == "int" else (value, False)
