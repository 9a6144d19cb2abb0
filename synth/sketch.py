"""A card for an environment that has none, from the simulator's description and what a probe measured."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from hl_dsl.cards import ActionSpace, Card, Field
from hl_dsl.cards.files import LONGEST_EPISODE, parse_card
from hl_dsl.cards.model import REAL_ACTION_TYPES
from hl_dsl.cards.writing import card_text
from hl_dsl.diagnostics import HLError
from hl_dsl.operators.kernel import LARGEST_INT
from hl_dsl.synth.environments import simulator_spec
from hl_dsl.synth.fitting import own_shape
from hl_dsl.synth.gymnasium_making import is_users_own

# Beyond this a stated bound says "any number" and not what the environment shows.
_ANY_NUMBER = 1e6
_MOST_COLUMNS = 2000


def sketch_card(environment: str) -> Card:
    """A card that fits the simulator, its open ranges not yet measured. Raises HLError where no policy could act."""
    spec = simulator_spec(environment)
    limit = spec.config._asdict().get("max_episode_steps", LONGEST_EPISODE)
    limit = limit if 0 < limit <= LONGEST_EPISODE else LONGEST_EPISODE
    obs = _observation(environment, spec)
    return Card(
        environment=environment,
        family=_family(environment, spec),
        fields={"obs": obs},
        action=_action(environment, spec),
        max_episode_steps=limit,
        solved=spec.config._asdict().get("reward_threshold"),
        protocols=("standard",),
        says="Described by a probe: rename or split its observations where you know what they are.",
        origin="a probe",
    )


def measured_card(card: Card, columns: tuple, reward_low: float, reward_high: float, steps: int) -> Card:
    """`card` with its open ranges closed by what was seen (`columns`: one Seen each), a margin of one span around it.

    What comes back is what reading the written card gives.
    """
    obs = card.fields["obs"]
    low, high, open_columns = list(obs.low), list(obs.high), []
    for place, seen in enumerate(columns):
        if not (math.isfinite(low[place]) and math.isfinite(high[place])):
            low[place], high[place] = _with_margin(seen.low, seen.high, obs.base)
            open_columns.append(place)
    measured = f"measured over {steps} random steps, with a margin of the span on each side"
    says = "the whole observation (specification)"
    if open_columns:
        which = "" if len(open_columns) == len(low) else f" for the columns {', '.join(map(str, open_columns))}"
        says = f"the whole observation ({measured}{which})"
    default = tuple(min(max(0, one), other) for one, other in zip(low, high))
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


def _outwards(value: float, rounding) -> float:
    """`value` to two digits, never nearer to the middle."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{rounding(value / unit) * unit:.12g}")


def _observation(environment: str, spec: Any) -> Field:
    parts = [part for key, part in spec.state_array_spec.items() if key == "obs" or key.startswith("obs:")]
    sizes = [math.prod(own_shape(part)) for part in parts]
    count = sum(sizes)
    if not 0 < count <= _MOST_COLUMNS:
        raise HLError(f"`{environment}` shows {count} numbers at each step; a policy here reads 1 to {_MOST_COLUMNS}")
    whole = all(np.issubdtype(part.dtype, np.integer) or np.issubdtype(part.dtype, np.bool_) for part in parts)
    low: list[float] = []
    high: list[float] = []
    for part, size in zip(parts, sizes):
        low += _stated(part.minimum, size, -math.inf, whole)
        high += _stated(part.maximum, size, math.inf, whole)
    for place in range(count):
        if not low[place] < high[place]:
            low[place], high[place] = -math.inf, math.inf
    scalar = len(parts) == 1 and not own_shape(parts[0])
    numbers = tuple(low), tuple(high), (0,) * count
    return Field("obs", "int" if whole else "real", None if scalar else count, *numbers, "observation", tuple(range(count)), "", "")


def _stated(bound: Any, size: int, otherwise: float, whole: bool) -> list[float]:
    values = np.broadcast_to(np.asarray(bound, dtype=float).ravel(), (size,)) if np.size(bound) in (1, size) else [otherwise] * size
    number = int if whole else float
    # A smallest positive number as a lower bound is a slip for "any number", and some simulators make it.
    return [number(one) if abs(one) <= _ANY_NUMBER and not 0 < abs(one) < 1e-30 else otherwise for one in values]


def _action(environment: str, spec: Any) -> ActionSpace:
    takes = spec.action_array_spec.get("action")
    if takes is not None:
        dtype, shape = np.dtype(takes.dtype), own_shape(takes)
        if np.issubdtype(dtype, np.integer) and not shape and int(np.min(takes.minimum)) == 0:
            names = tuple(f"action_{number}" for number in range(int(np.max(takes.maximum)) + 1))
            return ActionSpace(names, 1, (0,), (len(names) - 1,), dtype.name)
        if dtype.name in REAL_ACTION_TYPES and len(shape) == 1:
            bounds = (np.asarray(bound, float) for bound in (takes.minimum, takes.maximum))
            low, high = (tuple(np.broadcast_to(bound, shape).tolist()) for bound in bounds)
            if all(math.isfinite(one) and math.isfinite(other) and one < other for one, other in zip(low, high)):
                return ActionSpace(None, shape[0], low, high, dtype.name)
    raise HLError(
        f"no policy here can act in `{environment}`",
        f"its action must be one of a fixed set, or a vector of {' or '.join(REAL_ACTION_TYPES)} between finite bounds",
    )


def _family(environment: str, spec: Any) -> str:
    """The package of EnvPool an environment comes from: "mujoco", "box2d", "toy_text", …; for a user's own its module."""
    if is_users_own(environment):
        return environment.partition(":")[0]
    package = type(spec).__mro__[1].__module__.split(".")
    return package[1] if len(package) > 1 else package[0]
