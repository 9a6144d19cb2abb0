"""Conversion of arrays of any number type to binary64, exact where binary64 holds the number."""

from __future__ import annotations

import numpy as np


def is_exact_in_binary64(dtype: np.dtype) -> bool:
    """Whether binary64 holds every number of a type exactly."""
    return dtype.kind == "f" and dtype.itemsize <= 8 or dtype.kind in "iu" and dtype.itemsize <= 4


def to_binary64(values):
    """The binary64 number nearest to each number, of any type.

    2^53 + 1 is halfway between two binary64 numbers. It is rounded away from 0, and so is each number between it and
    2^53: a number beyond ±2^53 stays beyond it, and the range of an int is compared exactly.

    Raises TypeError or ValueError where `values` does not hold numbers.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biufO":
        raise TypeError(f"an array of {values.dtype} does not hold numbers")
    try:
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float64)
    except OverflowError:  # Python's ints, some too large for any binary64
        numbers = np.empty(values.shape)
        for place, value in np.ndenumerate(values):
            try:
                numbers[place] = value
            except OverflowError:
                numbers[place] = np.inf if value > 0 else -np.inf
    at_end = np.abs(numbers) == 2.0**53
    if at_end.any():
        ends = numbers[at_end]
        beyond = (values[at_end] > 2**53) | (values[at_end] < -(2**53))
        numbers[at_end] = np.where(beyond, np.nextafter(ends, 2 * ends), ends)
    return numbers
