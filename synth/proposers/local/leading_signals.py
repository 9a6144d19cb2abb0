"""Rate and lead signals in recorded frames, found without reward.

If an environment shows positions as whole bytes, it often shows their speed too. A signal that follows a command shows
late what the command shows at once. Both are found by comparing every signal with the later changes of another one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hl_dsl.synth.mutation.signal_terms import PART, SIGN, LeadSignal, RateSignal, Signal

_REACH = 8  # steps before and after, over which a change is measured
_RATE_ERROR = 0.6  # largest error, relative to the mean absolute change
_PART_GAIN = 0.5  # largest error with a fractional part, relative to the error without
_FEWEST = 100  # steps with a constant rate
_SOONEST, _LATEST = 1, 4  # steps ahead
_LEAD_ERROR = 0.75  # largest error, relative to that of the present value
_VALUES = 8  # fewest distinct values of a leading signal

RecordedSignals = Mapping[Signal, np.ndarray]


def rate_of(values: np.ndarray, shown: RecordedSignals) -> RateSignal | None:
    """The signal that is the rate of change of a number; None if none is.

    Args:
        values: (T,) the number.
        shown: (T,) each, the signals.
    """
    if len(values) <= 2 * _REACH + _FEWEST:
        return None
    change = (values[2 * _REACH :] - values[: -2 * _REACH]) / (2 * _REACH)
    found = []
    for source, other in shown.items():
        if source.base != "int" or other.min() < 0 or other.max() >= 2 * SIGN:
            continue
        whole = np.where(other >= SIGN, other - 2 * SIGN, other)
        steady = _steady(whole)
        size = np.abs(change[steady]).mean() if steady.sum() >= _FEWEST else 0.0
        if size > 0 and len(np.unique(whole)) > 1:
            for sign in (1, -1):
                error = np.abs(sign * whole[_REACH:-_REACH] - change)[steady].mean()
                found.append((error / size, source, sign, whole[_REACH:-_REACH], steady, error))
    least = min(found, key=lambda row: row[0], default=None)
    if least is None or least[0] > _RATE_ERROR:
        return None
    _, source, sign, whole, steady, error = least
    parts = [
        (np.abs(sign * (whole + other[_REACH:-_REACH] / PART) - change)[steady].mean(), number, signal)
        for number, (signal, other) in enumerate(shown.items())
        if signal != source and signal.base == "int" and other.min() >= 0 and other.max() < PART
    ]
    smaller, _, part = min(parts, default=(np.inf, 0, None))
    helps = smaller < _PART_GAIN * error
    return RateSignal(source, part if helps else None, sign < 0, float(smaller if helps else error))


def _steady(values: np.ndarray) -> np.ndarray:
    """(T - 2 * _REACH,): whether a number was constant from `_REACH` steps before to `_REACH` steps after."""
    changed = np.concatenate([[0], np.cumsum(values[1:] != values[:-1])])
    return changed[2 * _REACH :] == changed[: -2 * _REACH]


def lead_of(values: np.ndarray, shown: RecordedSignals) -> LeadSignal | None:
    """The signal that shows now the later value of a number; None if none does.

    Its error must be smaller than that of the number's present value.

    Args:
        values: (T,) the number.
        shown: (T,) each, the signals.
    """
    found = []
    for ticks in range(_SOONEST, min(_LATEST, len(values) - 1) + 1):
        then = values[ticks:]
        stays = np.abs(then - values[:-ticks]).mean()
        for number, (source, other) in enumerate(shown.items()):
            if stays == 0 or len(np.unique(other)) < _VALUES:
                continue
            for sign in (1, -1):
                rest = then - sign * other[:-ticks]
                constant = np.median(rest)
                found.append(
                    (float(np.abs(rest - constant).mean() / stays), ticks, number, sign, float(constant), source)
                )
    if not found:
        return None
    error, ticks, _, sign, constant, source = min(found, key=lambda row: row[:4])
    if error > _LEAD_ERROR:
        return None
    return LeadSignal(source, sign < 0, round(constant) if source.base == "int" else round(constant, 4), ticks, error)
