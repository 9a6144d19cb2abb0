"""Interface of a simulator back end, and the records that it exchanges with `Environments`.

A new back end is one module with a subclass of `EnvironmentBackend` and one entry in `registry.BACKENDS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards.capabilities import Capabilities
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.backends.idle_simulators import IdleSimulators


class EnvironmentFailed(HLError):
    """An environment failed while it was played: it raised, or broke its interface. Steps may have been taken."""


@dataclass(frozen=True)
class ArraySpec:
    """Shape, type and bounds of one array. A bound is one number, or one for each element in row-major order."""

    shape: tuple[int, ...]
    dtype: np.dtype
    minimum: Any
    maximum: Any

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class EnvironmentSpec:
    """A simulator's description of one environment.

    Attributes:
        environment: The id.
        family: Package or module that the environment comes from.
        simulator: Name and version of the simulator, as a record states it.
        settings: Every setting that shapes the simulated world, as a record states it.
        max_episode_steps: Step limit that the simulator states, None where it states none.
        reward_threshold: Mean return that its makers call solved, None where they name none.
        players: Number of players.
        action: The action of one step, None where the environment takes several actions at once.
        observation: The arrays that make up the input source `observation`, in order.
        widths: Number of columns of every other input source that the simulator shows, by name.
        capabilities: What the environment can do besides `reset` and `step`.
        first_action: Number that the simulator gives the first of a fixed set of actions.
    """

    environment: str
    family: str
    simulator: str
    settings: Mapping[str, Any]
    max_episode_steps: int | None
    reward_threshold: float | None
    players: int
    action: ArraySpec | None
    observation: tuple[ArraySpec, ...]
    widths: Mapping[str, int]
    capabilities: Capabilities = field(default_factory=Capabilities)
    first_action: int = 0

    @property
    def columns(self) -> dict[str, int]:
        """Number of columns of every input source that the simulator shows, by name."""
        return {**self.widths, "observation": sum(array.size for array in self.observation)}


@dataclass(frozen=True)
class SimulatorRequest:
    """The lanes that `Environments` needs.

    Attributes:
        spec: Description of the environment.
        options: Settings that the protocol states.
        seeds: One seed for each lane.
        num_threads: Threads of the simulator, 0 for its own choice.
        max_episode_steps: Step limit of the card; an episode ends there as a truncation.
        render: Whether `render` must work.
        draws_at_random: Whether an episode depends on its seed under these options.
        folders: Folders next to the card, where a user's module may be.
    """

    spec: EnvironmentSpec
    options: Mapping[str, Any]
    seeds: tuple[int, ...]
    num_threads: int
    max_episode_steps: int
    render: bool
    draws_at_random: bool
    folders: tuple[Path, ...] = ()


class EnvironmentBackend(ABC):
    """Lanes of one environment in one simulator. Only `Environments` steps them, and so counts every step."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def owns(cls, environment: str) -> bool:
        """Whether an id has the form of this back end's ids. The first of the registry that owns an id serves it."""

    @classmethod
    @abstractmethod
    def describe(
        cls, environment: str, options: Mapping[str, Any], folders: tuple[Path, ...], idle: IdleSimulators
    ) -> EnvironmentSpec:
        """Describes an environment.

        Args:
            environment: The id.
            options: Settings that the protocol states.
            folders: Folders next to the card, where a user's module may be.
            idle: Store for a simulator that had to be made for the description.

        Raises:
            HLError: There is no such environment, or it cannot be described.
        """

    @classmethod
    def load(cls) -> None:
        """Imports the simulator's library, which can take a second."""
        return None

    @classmethod
    def environments(cls) -> list[str]:
        """Every id that the simulator can list, with or without a card."""
        return []

    @abstractmethod
    def __init__(self, request: SimulatorRequest, idle: IdleSimulators):
        """Makes the lanes, from idle simulators where they fit. Raises HLError."""

    @abstractmethod
    def reset(self, lanes: np.ndarray) -> Frame:
        """Starts an episode in `lanes`, (k,) int32, each with its own seed. Rewards and step counts are 0."""

    @abstractmethod
    def step(self, lanes: np.ndarray, actions: np.ndarray) -> Frame:
        """Takes one step in `lanes`, (k,) int32, with `actions` in the card's dtype and shape.

        Row i of the frame is `lanes[i]`. The frame has the input sources that `describe` states.
        """

    def render(self, lane: int) -> np.ndarray:
        """Returns a picture of a lane, (height, width, 3) uint8. Raises HLError where nothing can be drawn."""
        raise HLError(f"the back end `{self.name}` draws no pictures")

    @abstractmethod
    def close(self) -> None:
        """Ends the simulators. Those whose next `reset` would be like the first may be put into the idle store."""
