"""How large what is shown usually is, read off recorded episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from hl_dsl.synth.rollouts.episode import Recording

from hl_dsl.cards import Card

_MOST = 0.95  # of all ticks


def usual_sizes(card: Card, recordings: Iterable[Recording]) -> Mapping[tuple[str, int | None], float]:
    """For each number that is shown, (field, component or None): the size that 95 % of the ticks of all episodes stay within.
    What never changes is left out."""
    recordings = [one for one in recordings if len(one)]
    sizes = {}
    for name, field in card.fields.items():
        shown = [one.shown[field.source] for one in recordings if field.source in one.shown]
        if not shown or field.base == "bool":
            continue
        rows = np.concatenate([np.asarray(values, float).reshape(len(values), -1) for values in shown])
        for place, column in enumerate(field.index):
            values = rows[:, column]
            size = float(np.nanquantile(np.abs(values), _MOST))
            if size > 0 and np.nanmin(values) < np.nanmax(values):
                sizes[name, None if field.size is None else place] = size
    return sizes
