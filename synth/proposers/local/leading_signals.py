"""Which recorded numbers tell of others, found without reward: rates of change, and leads.

What is kept as whole bytes has its speed kept somewhere too, and what follows a command shows late what the command
shows at once. Both are found by holding every number that is shown against how another one went on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hl_dsl.synth.mutation.signal_terms import PART, SIGN, LeadSignal, RateSignal, Signal

_REACH = 8  # ticks before and after, over which a change is measured
_RATE_ERROR, _PART_HELPS = 0.6, 0.5  # of the mean size of the change; of the error without the part
_FEWEST = 100  # ticks on which a rate stood still for as long as it is measured over
_SOONEST, _LATEST = 1, 4  # ticks ahead
_LEAD_ERROR = 0.75
_VALUES = 8  # different ones, for a lead

RecordedSignals = Mapping[Signal, np.ndarray]


def rate_of(values: np.ndarray, shown: RecordedSignals) -> RateSignal | None:
    """The rate at which a number changes, as other ones tell it; None where none does. `values` (T,), as all in `shown`."""
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
    least = min(found, key=lambda one: one[0], default=None)
    if least is None or least[0] > _RATE_ERROR:
        return None
    _, source, sign, whole, steady, error = least
    parts = [
        (np.abs(sign * (whole + other[_REACH:-_REACH] / PART) - change)[steady].mean(), number, one)
        for number, (one, other) in enumerate(shown.items())
        if one != source and one.base == "int" and 0 <= other.min() and other.max() < PART
    ]
    smaller, _, part = min(parts, default=(np.inf, 0, None))
    helps = smaller < _PART_HELPS * error
    return RateSignal(source, part if helps else None, sign < 0, float(smaller if helps else error))


def _steady(values: np.ndarray) -> np.ndarray:
    """(T - 2 reaches,): whether a number stood still from one reach before to one after."""
    changed = np.concatenate([[0], np.cumsum(values[1:] != values[:-1])])
    return changed[2 * _REACH :] == changed[: -2 * _REACH]


def lead_of(values: np.ndarray, shown: RecordedSignals) -> LeadSignal | None:
    """What shows now where a number will soon be; None where nothing does. It must say more than that the number stays."""
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
    error, ticks, _, sign, constant, source = min(found, key=lambda one: one[:4])
    if error > _LEAD_ERROR:
        return None
    return LeadSignal(source, sign < 0, round(constant) if source.base == "int" else round(constant, 4), ticks, error)
