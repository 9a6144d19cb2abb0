"""Records of stored cases: episodes with a required result, and counterexamples that must not come back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hl_dsl.base.text import counted

Number = int | float | bool


class CaseKind(StrEnum):
    """Kinds of stored cases, as the files name them."""

    EPISODE = "episode"
    COUNTEREXAMPLE = "counterexample"


@dataclass(frozen=True)
class Window:
    """Ticks `start` to `start + ticks - 1` of an episode, counted from 0."""

    start: int
    ticks: int

    @property
    def end(self) -> int:
        """The first tick after the window."""
        return self.start + self.ticks


class StoredCase(ABC):
    """A case. It describes the environment and not a program, so it can be run on every program for the environment."""

    name: str
    environment: str
    origin: str

    @property
    @abstractmethod
    def kind(self) -> CaseKind:
        """Kind of the case."""

    @abstractmethod
    def describe(self) -> str:
        """Returns what the case requires, in one line."""


@dataclass(frozen=True)
class EpisodeCase(StoredCase):
    """An episode that is simulated, and the result that it must have.

    Attributes:
        name: Name of the case; its file is `NAME.json`.
        environment: Environment of the episode.
        protocol: Evaluation protocol.
        seed: Seed of the episode.
        max_steps: The episode is truncated after so many steps; None: no limit.
        no_reward_steps: The episode is truncated after so many steps without reward; None: no limit.
        window: Ticks that the requirement is about; None: the whole episode.
        least_return: The rewards must add up to this at least.
        holds: A property over the observations that must hold at every tick.
        origin: Where the case comes from.
    """

    name: str
    environment: str
    protocol: str
    seed: int
    max_steps: int | None = None
    no_reward_steps: int | None = None
    window: Window | None = None
    least_return: float | None = None
    holds: str | None = None
    origin: str = ""

    @property
    def kind(self) -> CaseKind:
        """Kind of the case."""
        return CaseKind.EPISODE

    @property
    def last_step(self) -> int | None:
        """Number of steps after which the result of the case is known; None: the end of the episode."""
        limits = [
            limit for limit in (self.max_steps, None if self.window is None else self.window.end) if limit is not None
        ]
        return min(limits, default=None)

    def describe(self) -> str:
        """Returns what the case requires, in one line."""
        requirements = [] if self.least_return is None else [f"a return of {self.least_return:g} or more"]
        requirements += [] if self.holds is None else [f"`{self.holds}`"]
        ticks = "" if self.window is None else f" in ticks {self.window.start} to {self.window.end - 1}"
        limits = [] if self.max_steps is None else [f"at most {counted(self.max_steps, 'step')}"]
        if self.no_reward_steps is not None:
            limits.append(f"truncated after {counted(self.no_reward_steps, 'step')} without reward")
        return f"seed {self.seed} under {self.protocol}{ticks}: {' and '.join(requirements)}" + (
            f" ({', '.join(limits)})" if limits else ""
        )


@dataclass(frozen=True)
class CounterexampleCase(StoredCase):
    """A simulated run that violated a property, as `hl verify --save-trace` stores it.

    It is replayed without a simulator.

    Attributes:
        name: Name of the case; its file is `NAME.json`.
        environment: Environment of the policy.
        policy: Name of the policy that violated the property.
        violated_property: The property: its `id`, `kind`, `name`, what it `says` and its source `text`.
        parameters: Values of the parameters, by name.
        inputs: Observations at each tick, by name.
        origin: Where the case comes from.
    """

    name: str
    environment: str
    policy: str
    violated_property: Mapping[str, str]
    parameters: Mapping[str, Number]
    inputs: tuple[Mapping[str, Number], ...]
    origin: str = ""

    @property
    def kind(self) -> CaseKind:
        """Kind of the case."""
        return CaseKind.COUNTEREXAMPLE

    def describe(self) -> str:
        """Returns what the case requires, in one line."""
        subject = self.violated_property["name"] or self.violated_property["text"]
        kind, ticks = self.violated_property["kind"], counted(len(self.inputs), "recorded tick")
        return f"{ticks}: {kind} `{subject}` is not violated"
