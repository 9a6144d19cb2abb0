"""Generated card: for an environment that has none, from the simulator's description and a probe's measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import ActionSpace, Card, Field
from hl_dsl.cards.model import REAL_ACTION_TYPES
from hl_dsl.cards.reader import LONGEST_EPISODE, parse_card
from hl_dsl.cards.writer import card_text
from hl_dsl.operators.scalar import LARGEST_INT
from hl_dsl.synth.environments.backends.backend import EnvironmentSpec

_UNBOUNDED = 1e6  # a stated bound beyond this means "any number", and not a range of the environment
_MAX_COLUMNS = 2000


class ColumnRange(Protocol):
    """Range of one column of the observation, as a probe measured it."""

    @property
    def low(self) -> float:
        """The least value."""
        ...

    @property
    def high(self) -> float:
        """The largest value."""
        ...


def generate_card(spec: EnvironmentSpec) -> Card:
    """A card that fits the simulator, its unknown ranges infinite. Raises HLError if no policy can act."""
    limit = spec.max_episode_steps or 0
    return Card(
        environment=spec.environment,
        family=spec.family,
        fields={"obs": _observation(spec)},
        action=_action(spec),
        max_episode_steps=limit if 0 < limit <= LONGEST_EPISODE else LONGEST_EPISODE,
        solved=spec.reward_threshold,
        protocols=("standard",),
        says="Described by a probe: rename or split its observations where you know what they are.",
        origin="a probe",
        capabilities=spec.capabilities,
    )


def measured_card(
    card: Card, columns: Sequence[ColumnRange], reward_low: float, reward_high: float, steps: int
) -> Card:
    """`card` with measured ranges in place of the infinite ones, with a margin of one span on each side.

    The result is equal to what reading the written card gives.

    Args:
        card: A card of `generate_card`.
        columns: The measured range of each column of the observation.
        reward_low: The least reward.
        reward_high: The largest reward.
        steps: Number of steps that were measured.
    """
    obs = card.fields["obs"]
    low, high, open_columns = list(obs.low), list(obs.high), []
    for place, column in enumerate(columns):
        if not (math.isfinite(low[place]) and math.isfinite(high[place])):
            low[place], high[place] = _with_margin(column.low, column.high, obs.base)
            open_columns.append(place)
    measured = f"measured over {steps} random steps, with a margin of the span on each side"
    says = "the whole observation (specification)"
    if open_columns:
        which = "" if len(open_columns) == len(low) else f" for the columns {', '.join(map(str, open_columns))}"
        says = f"the whole observation ({measured}{which})"
    default = tuple(min(max(0, least), largest) for least, largest in zip(low, high, strict=True))
    obs = replace(obs, low=tuple(low), high=tuple(high), default=default, says=says)
    low_reward, high_reward = _with_margin(min(reward_low, 0.0), max(reward_high, 0.0), "real")
    says = f"of the last step, 0 at the start ({measured})"
    reward = Field("reward", "real", None, (low_reward,), (high_reward,), (0.0,), "reward", (0,), "points", says)
    return parse_card(card_text(replace(card, fields={"obs": obs, "reward": reward})), card.origin)


def _with_margin(low: float, high: float, base: str) -> tuple[float, float]:
    span = max(high - low, 1.0)
    if base == "int":
        # The margin ends at ±2^53. What was seen beyond stays in the range, and the field is refused.
        return max(int(low - span), min(int(low), -LARGEST_INT)), min(int(high + span), max(int(high), LARGEST_INT))
    return _outwards(low - span, math.floor), _outwards(high + span, math.ceil)


def _outwards(value: float, rounding: Callable[[float], int]) -> float:
    """`value` rounded to two digits by `rounding`, floor or ceil."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{rounding(value / unit) * unit:.12g}")


def _observation(spec: EnvironmentSpec) -> Field:
    parts = spec.observation
    count = sum(part.size for part in parts)
    if not 0 < count <= _MAX_COLUMNS:
        raise HLError(
            f"`{spec.environment}` shows {count} numbers at each step; a policy here reads 1 to {_MAX_COLUMNS}"
        )
    is_whole = all(np.issubdtype(part.dtype, np.integer) or np.issubdtype(part.dtype, np.bool_) for part in parts)
    low: list[float] = []
    high: list[float] = []
    for part in parts:
        low += _stated_bounds(part.minimum, part.size, -math.inf, is_whole)
        high += _stated_bounds(part.maximum, part.size, math.inf, is_whole)
    for place in range(count):
        if not low[place] < high[place]:
            low[place], high[place] = -math.inf, math.inf
    return Field(
        name="obs",
        base="int" if is_whole else "real",
        size=None if len(parts) == 1 and not parts[0].shape else count,
        low=tuple(low),
        high=tuple(high),
        default=(0,) * count,
        source="observation",
        index=tuple(range(count)),
        unit="",
        says="",
    )


def _stated_bounds(bound: Any, size: int, unbounded: float, is_whole: bool) -> list[float]:
    """A bound of each of `size` elements; `unbounded` where the simulator states none that means something."""
    values = (
        np.broadcast_to(np.asarray(bound, dtype=float).ravel(), (size,)).tolist()
        if np.size(bound) in (1, size)
        else [unbounded] * size
    )
    number = int if is_whole else float
    # A smallest positive number as a lower bound is a mistake for "any number", and some simulators make it.
    return [number(value) if abs(value) <= _UNBOUNDED and not 0 < abs(value) < 1e-30 else unbounded for value in values]


def _action(spec: EnvironmentSpec) -> ActionSpace:
    action = spec.action
    if action is not None:
        dtype, shape = action.dtype, action.shape
        if np.issubdtype(dtype, np.integer) and not shape and int(np.min(action.minimum)) == 0:
            names = tuple(f"action_{number}" for number in range(int(np.max(action.maximum)) + 1))
            return ActionSpace(names, 1, (0,), (len(names) - 1,), dtype.name)
        if dtype.name in REAL_ACTION_TYPES and len(shape) == 1:
            bounds = (np.asarray(bound, float) for bound in (action.minimum, action.maximum))
            low, high = (tuple(np.broadcast_to(bound, shape).tolist()) for bound in bounds)
            if all(
                math.isfinite(least) and math.isfinite(largest) and least < largest
                for least, largest in zip(low, high, strict=True)
            ):
                return ActionSpace(None, shape[0], low, high, dtype.name)
    raise HLError(
        f"no policy here can act in `{spec.environment}`",
        f"its action must be one of a fixed set, or a vector of {' or '.join(REAL_ACTION_TYPES)} between finite bounds",
    )
