"""Check of a card against the installed simulator: the sizes, types and bounds that the card states."""

from __future__ import annotations

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.synth.environments.backends.backend import ArraySpec, EnvironmentSpec


def check_fit(card: Card, spec: EnvironmentSpec) -> None:
    """Raises HLError, naming the card and the entry, where `card` contradicts the simulator's `spec`."""
    if spec.players != 1:
        raise HLError(f"`{card.environment}` has several players; a policy here plays alone")
    if spec.action is None:
        raise HLError(f"`{card.environment}` takes several actions at once; a policy here gives one")
    misfit = _action_misfit(card, spec.action) or _observation_misfit(card, spec)
    if misfit is not None:
        entry, difference = misfit
        raise HLError(
            f"the card of `{card.environment}` ({card.origin}) does not fit in {entry}: the simulator {difference}",
            f"fix {entry} there, or move the card away and probe again: `hl env {card.environment} --save`",
        )


def _action_misfit(card: Card, simulated: ArraySpec) -> tuple[str, str] | None:
    """The entry of the card and what the simulator does instead, None where the actions fit."""
    action = card.action
    if simulated.dtype != np.dtype(action.dtype):
        return "`dtype` of [action]", f"takes {simulated.dtype} actions, not {action.dtype}"
    if action.names is not None:
        count = int(np.max(simulated.maximum)) + 1
        if simulated.shape or count != len(action.names):
            return "`names` of [action]", f"has {count} actions, not {len(action.names)}"
        return None
    if simulated.shape != (action.size,):
        return "[action]", f"takes actions of shape {list(simulated.shape)}, not [{action.size}]"
    bounds = (
        ("low", "down to", simulated.minimum, action.low, np.less),
        ("high", "up to", simulated.maximum, action.high, np.greater),
    )
    for key, way, stated, written, beyond in bounds:
        allowed = np.broadcast_to(np.asarray(stated, float), action.size)
        # A bound that the simulator keeps in binary32 may be written with fewer digits.
        outside = beyond(written, allowed) & ~np.isclose(written, allowed, rtol=1e-6, atol=0)
        if outside.any():
            place = int(np.argmax(outside))
            return f"`{key}` of [action]", f"takes component {place} {way} {allowed[place]:g}, not {written[place]:g}"
    return None


def _observation_misfit(card: Card, spec: EnvironmentSpec) -> tuple[str, str] | None:
    """The entry of the card and what the simulator does instead, None where the observations fit."""
    if card.capabilities.has_pixels != spec.capabilities.has_pixels:
        return "`has_pixels` of [capabilities]", f"shows {'' if spec.capabilities.has_pixels else 'no '}pixels"
    columns = spec.columns
    for field in card.fields.values():
        count = columns.get(field.source, 0)
        if max(field.index) >= count:
            entry = "size" if field.size is not None and field.index == tuple(range(len(field.index))) else "index"
            return f"`{entry}` of [fields.{field.name}]", (
                f"shows {count} numbers as {field.source}, not the {max(field.index) + 1} that `{field.name}` reads"
            )
    return None
