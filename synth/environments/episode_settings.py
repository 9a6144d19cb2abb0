"""Settings of the episodes of one evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class EpisodeSettings:
    """Settings of the episodes: which are played, and their limits.

    Attributes:
        protocol: Name of an evaluation protocol of the environment's card.
        seeds: One episode for each. A seed may occur several times in a batch of programs: lane i has `seeds[i]`.
        max_steps: Episodes end after this many steps, as a truncation; None: the environment's own limit.
        no_reward_steps: Episodes end, as a truncation, after this many steps without a reward other than zero.
            The return is then not the return of the whole episode. None: no such end.
    """

    protocol: str
    seeds: tuple[int, ...] = ()
    max_steps: int | None = None
    no_reward_steps: int | None = None

    def __post_init__(self) -> None:
        """Takes any iterable of integers as seeds."""
        object.__setattr__(self, "seeds", tuple(int(seed) for seed in self.seeds))

    def with_seeds(self, seeds: Iterable[int]) -> EpisodeSettings:
        """The same settings for other seeds."""
        return replace(self, seeds=tuple(seeds))

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it."""
        return {
            "protocol": self.protocol,
            "seeds": list(self.seeds),
            "max_steps": self.max_steps,
            "no_reward_steps": self.no_reward_steps,
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> EpisodeSettings:
        """The settings that `to_json` wrote."""
        return EpisodeSettings(**document)
