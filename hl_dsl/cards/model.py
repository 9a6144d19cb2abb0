"""Records of an environment card."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hl_dsl.base.errors import HLError
from hl_dsl.cards.capabilities import Capabilities
from hl_dsl.operators.scalar import LARGEST_INT

REAL_ACTION_TYPES = ("float32", "float64")
"""Types of continuous actions: those whose cast is part of the language, in every form of a program."""
INT_ACTION_TYPES = {
    f"{sign}int{bits}": 2 ** (bits if sign else bits - 1) - 1 for bits in (8, 16, 32, 64) for sign in ("", "u")
}
"""Types of discrete actions, each with the largest number of an action that it holds."""


@dataclass(frozen=True)
class Field:
    """One thing a policy can observe.

    A value outside `low..high`, or NaN, is clamped or replaced when it is read, and counted.

    Attributes:
        name: Name in programs.
        base: "int", "real" or "bool"; a bool reads a source as `value != 0`.
        size: Length of a vector, None for a scalar.
        low: Least value of each component, ints or floats by `base`. An end that is not yet measured is infinite.
        high: Largest value of each component.
        default: Replaces NaN of each component until a valid value was read.
        source: Name of the input source of the values (see `hl_dsl.input_sources`).
        index: Columns of the source.
        unit: Unit, as text.
        says: Meaning, and the origin of the range.

    Raises:
        BadCard: An int range goes beyond ±2^53.
    """

    name: str
    base: str
    size: int | None
    low: tuple[float, ...]
    high: tuple[float, ...]
    default: tuple[float, ...]
    source: str
    index: tuple[int, ...]
    unit: str
    says: str

    def __post_init__(self):
        for low, high in zip(self.low, self.high):
            if self.base == "int" and any(math.isfinite(end) and abs(end) > LARGEST_INT for end in (low, high)):
                raise BadCard(
                    f"the int range of `{self.name}` is [{low}, {high}]; ints must stay within ±2^53 ({LARGEST_INT}), "
                    "so that binary64 holds them exactly",
                    "narrow the range if the values stay within ±2^53; otherwise wrap the environment so that it shows "
                    'a coarser unit or a difference, or write base = "real" in the card, '
                    "which rounds each value to binary64",
                )


@dataclass(frozen=True)
class ActionSpace:
    """Actions of an environment.

    Attributes:
        names: The actions of a fixed set in the environment's order (an action is an index); None for numbers.
        size: Number of components.
        low: Least value of each component.
        high: Largest value of each component.
        dtype: Type that the environment takes, one to which every form of a program casts exactly.

    Raises:
        BadCard: `dtype` is not such a type.
    """

    names: tuple[str, ...] | None
    size: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    dtype: str

    def __post_init__(self):
        if self.names is None:
            known, needed = list(REAL_ACTION_TYPES), ""
        else:
            known = [name for name, largest in INT_ACTION_TYPES.items() if len(self.names) <= largest + 1]
            needed = f" for {len(self.names)} named actions"
        if self.dtype not in known:
            raise BadCard(
                f"the action type (`dtype` of [action]) is {self.dtype!r}{needed}; "
                f"it must be {', '.join(known[:-1])} or {known[-1]}",
                "wrap the environment in a `module:callable` of your own that takes one of these types, "
                "and write that type in its card",
            )

    @property
    def is_discrete(self) -> bool:
        """Whether an action is one of a fixed set."""
        return self.names is not None

    def shape(self, lanes: int) -> tuple[int, ...]:
        """The shape of one step's actions for `lanes` lanes: (lanes,) discrete, (lanes, size) continuous."""
        return (lanes,) if self.is_discrete else (lanes, self.size)


@dataclass(frozen=True)
class Model:
    """The simulator's own model of an environment, and where an observation shows its state.

    Attributes:
        file: Name among EnvPool's MuJoCo assets.
        substeps: Steps of the model in one environment step.
        qpos: For each position of the model the observation column that shows it; None: its start value is used.
        qvel: The same for each velocity.
        velocity_limit: Observed velocities are clipped to plus and minus this; None: not clipped.
        says: How exact one step is, and the reason if it cannot be exact.
    """

    file: str
    substeps: int
    qpos: tuple[int | None, ...]
    qvel: tuple[int | None, ...]
    velocity_limit: float | None
    says: str


@dataclass(frozen=True)
class Card:
    """One environment.

    Attributes:
        environment: Id.
        family: Package or module that it comes from.
        fields: What a policy can observe, by name.
        action: What a policy can do.
        max_episode_steps: Step limit of an episode.
        solved: Mean return that its makers call solved, None where they name none.
        protocols: Evaluation protocols that apply, the usual one first.
        says: Description.
        origin: File that the card came from.
        time_step: Simulated seconds between two ticks, None where there is no such clock.
        model: Model that can be stepped, None where an observation does not show its state.
        capabilities: What the environment can do besides `reset` and `step`.
    """

    environment: str
    family: str
    fields: dict[str, Field]
    action: ActionSpace
    max_episode_steps: int
    solved: float | None
    protocols: tuple[str, ...]
    says: str
    origin: str = ""
    time_step: float | None = None
    model: Model | None = None
    capabilities: Capabilities = Capabilities()

    @property
    def has_ram(self) -> bool:
        """Whether a policy can observe the memory of a console."""
        return any(field.source == "ram" for field in self.fields.values())


class UnknownEnvironment(HLError, LookupError):
    """No card has this environment id. `suggestions` are the nearest known ids, the nearest first."""

    def __init__(self, environment: str, suggestions: tuple[str, ...] = ()):
        self.environment = environment
        self.suggestions = suggestions
        hint = f"did you mean {' or '.join(suggestions)}? " if suggestions else ""
        super().__init__(
            f"unknown environment `{environment}`: there is no card for it",
            hint + "any other environment of EnvPool, and your own (gymnasium:ID, module:callable), "
            "gets a card by a probe: `hl env ENV-ID --save`",
        )


class BadCard(HLError):
    """A card file cannot be used; the message names the file, the entry and the fix."""
