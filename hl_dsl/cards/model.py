"""The records a card is made of."""

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

    `size` is None for a scalar, else the length of a vector. `low`, `high` and `default` hold one number per
    component (one for a scalar): Python ints where `base` is "int", floats where it is "real"; a "bool" reads a source
    as `value != 0` and has 0, 1 and its default. A NaN or a value outside `low..high` is the run's to mend and count;
    `default` stands in for a NaN before any valid value came.

    `source` names the input source that the values come from (see `hl_dsl.input_sources`), and `index` its columns.

    Raises BadCard where an int range goes beyond ±2^53. An end that a probe has yet to measure is infinite.
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
                    f"the int range of `{self.name}` is [{low}, {high}]; ints must stay within ±2^53 ({LARGEST_INT}), so that binary64 holds them exactly",
                    "narrow the range if the values stay within ±2^53; otherwise wrap the environment so that it shows a coarser unit or a"
                    ' difference, or write base = "real" in the card, which rounds each value to binary64',
                )


@dataclass(frozen=True)
class ActionSpace:
    """What a policy can do. Discrete: `names` in the environment's order, an action is an index into them.

    Continuous: `names` is None and an action is `size` numbers within `low..high`. `dtype` is the type the
    environment takes, and one to which every form of a program casts exactly: making a space of another raises BadCard.
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
                f"the action type (`dtype` of [action]) is {self.dtype!r}{needed}; it must be {', '.join(known[:-1])} or {known[-1]}",
                "wrap the environment in a `module:callable` of your own that takes one of these types, and write that type in its card",
            )

    @property
    def is_discrete(self) -> bool:
        return self.names is not None

    def shape(self, lanes: int) -> tuple[int, ...]:
        """The shape of one step's actions for `lanes` lanes: (lanes,) discrete, (lanes, size) continuous."""
        return (lanes,) if self.is_discrete else (lanes, self.size)


@dataclass(frozen=True)
class Model:
    """The simulator's own model of an environment, and where an observation shows its state.

    `file` is a name among EnvPool's MuJoCo assets. One environment step is `substeps` steps of the model. `qpos` and
    `qvel` name, for each coordinate of the model, the observation column that shows it; None: it is not shown, and the
    model's own start value stands for it. Observed velocities are clipped to ±`velocity_limit`, None where they are not.
    `says` tells how exact one step is, and why where it cannot be exact.
    """

    file: str
    substeps: int
    qpos: tuple[int | None, ...]
    qvel: tuple[int | None, ...]
    velocity_limit: float | None
    says: str


@dataclass(frozen=True)
class Card:
    """One environment. `solved` is the mean return its makers call solved, None where they name none.

    `protocols` are the evaluation protocols that apply, the usual one first. `origin` is the file the card came from.
    `time_step` is the simulated seconds between two ticks, None where there is no such clock. `model` is None where an
    observation does not show the state of a model that could be stepped.
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
            hint
            + "any other environment of EnvPool, and your own (gymnasium:ID, module:callable), gets a card by a probe: `hl env ENV-ID --save`",
        )


class BadCard(HLError):
    """A card file that cannot be used: which file, what in it, how to mend it."""
