"""Scales of the numbers that an environment shows, from recorded episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.synth.rollouts.episode import Recording

_QUANTILE = 0.95


def usual_sizes(card: Card, recordings: Iterable[Recording]) -> Mapping[tuple[str, int | None], float]:
    """The 95 % quantile of each number's absolute value over all steps of all episodes.

    Args:
        card: Card of the environment.
        recordings: The episodes.

    Returns:
        Quantiles by (field, component or None), without numbers that never change.
    """
    recordings = [recording for recording in recordings if len(recording)]
    sizes = {}
    for name, field in card.fields.items():
        shown = [recording.shown[field.source] for recording in recordings if field.source in recording.shown]
        if not shown or field.base == "bool":
            continue
        rows = np.concatenate([np.asarray(values, float).reshape(len(values), -1) for values in shown])
        for place, column in enumerate(field.index):
            values = rows[:, column]
            size = float(np.nanquantile(np.abs(values), _QUANTILE))
            if size > 0 and np.nanmin(values) < np.nanmax(values):
                sizes[name, None if field.size is None else place] = size
    return sizes
