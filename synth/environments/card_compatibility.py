"""Whether a card fits the environment that is installed: the sizes, types and bounds it states against the simulator's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card


def own_shape(array_spec: Any) -> list[int]:
    """The shape of one player's part; some of the simulator's arrays lead with an axis for players, written -1."""
    shape = list(array_spec.shape)
    return shape[1:] if shape[:1] == [-1] else shape


def check_fit(card: Card, spec: Any) -> None:
    """Raises HLError, naming the card, the entry and the mend, where `card` says what the simulator's `spec` denies."""
    if spec.config.max_num_players != 1:
        raise HLError(f"`{card.environment}` has several players; a policy here plays alone")
    takes = spec.action_array_spec["action"] if "action" in spec.action_array_spec else None
    if takes is None:
        raise HLError(f"`{card.environment}` takes several actions at once; a policy here gives one")
    wrong = _misfit_of_actions(card, takes) or _misfit_of_observations(card, spec)
    if wrong is not None:
        entry, difference = wrong
        raise HLError(
            f"the card of `{card.environment}` ({card.origin}) does not fit in {entry}: the simulator {difference}",
            f"mend {entry} there, or move the card away and probe anew: `hl env {card.environment} --save`",
        )


def _misfit_of_actions(card: Card, takes: Any) -> tuple[str, str] | None:
    action = card.action
    if np.dtype(takes.dtype) != np.dtype(action.dtype):
        return "`dtype` of [action]", f"takes {np.dtype(takes.dtype)} actions, not {action.dtype}"
    if action.names is not None:
        count = int(np.max(takes.maximum)) + 1
        if own_shape(takes) or count != len(action.names):
            return "`names` of [action]", f"has {count} actions, not {len(action.names)}"
        return None
    if own_shape(takes) != [action.size]:
        return "[action]", f"takes actions of shape {own_shape(takes)}, not [{action.size}]"
    bounds = (
        ("low", "down to", takes.minimum, action.low, np.less),
        ("high", "up to", takes.maximum, action.high, np.greater),
    )
    for key, way, stated, ours, beyond in bounds:
        allowed = np.broadcast_to(np.asarray(stated, float), action.size)
        # A bound that the simulator keeps in binary32 may be written with fewer digits.
        outside = beyond(ours, allowed) & ~np.isclose(ours, allowed, rtol=1e-6, atol=0)
        if outside.any():
            place = int(np.argmax(outside))
            return f"`{key}` of [action]", f"takes component {place} {way} {allowed[place]:g}, not {ours[place]:g}"
    return None


def _misfit_of_observations(card: Card, spec: Any) -> tuple[str, str] | None:
    has = spec.state_array_spec
    shown = {"ram": 128 if "info:ram" in has else 0, "lives": 1 if "info:lives" in has else 0, "reward": 1, "step": 1}
    shown["observation"] = sum(
        math.prod(own_shape(part)) for key, part in has.items() if key == "obs" or key.startswith("obs:")
    )
    for field in card.fields.values():
        if max(field.index) >= shown[field.source]:
            entry = "size" if field.size is not None and field.index == tuple(range(len(field.index))) else "index"
            return f"`{entry}` of [fields.{field.name}]", (
                f"shows {shown[field.source]} numbers as {field.source}, not the {max(field.index) + 1} that `{field.name}` reads"
            )
    return None
