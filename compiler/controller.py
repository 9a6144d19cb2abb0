"""Interface of what acts in a batch of environments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.backends.frame import Frame

REPORT_EVERY = 256  # ticks


class Controller(ABC):
    """Base class of controllers: policies, planned policies, batches of policies, and those of tests.

    Attributes:
        report_every: Ticks between reports of progress. Smaller for controllers with slow ticks.
        options: Settings of the controller that change its episodes, which a record states.
    """

    report_every: int = REPORT_EVERY
    options: Mapping[str, Any] = MappingProxyType({})

    def prepare(self, seeds: Sequence[int], num_threads: int) -> None:
        """Announces the episodes of the next `reset`. Controllers that do not need this ignore it.

        Args:
            seeds: The episode seed of each lane.
            num_threads: Threads that the controller may use; 0: one for each core.
        """
        return None

    @abstractmethod
    def reset(self, num_lanes: int) -> None:
        """Starts an episode in each of `num_lanes` lanes, with fresh memory and with counts of 0."""

    @abstractmethod
    def tick(self, frame: Frame) -> np.ndarray:
        """One action for each row of `frame`, in the environment's dtype and shape, contiguous."""

    @abstractmethod
    def counts(self) -> Sequence[EpisodeCounts]:
        """The counts since the last `reset`, one for each lane."""
