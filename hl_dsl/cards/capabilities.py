"""Capabilities of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rendering(StrEnum):
    """Kinds of rendering of an environment."""

    IN_MEMORY = "in memory"
    """By plain computation, in this process."""
    BY_DRIVER = "by driver"
    """By a graphics driver, whose absence can end the process: the first picture is tried in another process."""
    NONE = "none"
    """Not at all."""


@dataclass(frozen=True)
class Capabilities:
    """Abilities of an environment in addition to `reset` and `step`. A card that states none has the defaults.

    Attributes:
        has_pixels: The observation is a picture, (3, height, width) uint8. It needs no `render`, and is not recorded.
        rendering: How pictures are drawn where the observation is not one.
        draws_at_random: An episode depends on its seed, under every protocol that the environment states itself.
        frames_per_second: Speed of a film in simulated time.
        picture_scale: Factor by which a film enlarges a picture.
    """

    has_pixels: bool = False
    rendering: Rendering = Rendering.BY_DRIVER
    draws_at_random: bool = True
    frames_per_second: int = 30
    picture_scale: int = 1

    @property
    def renders(self) -> bool:
        """Whether a picture can be drawn, a missing graphics driver aside."""
        return self.has_pixels or self.rendering is not Rendering.NONE
