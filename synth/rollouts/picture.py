"""A picture of an episode, as models that take images are shown it."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PICTURE_BYTES = 300_000  # a larger PNG file is not sent to a model


@dataclass(frozen=True)
class Picture:
    """A frame of an episode, `png` its PNG file. `says`: one line, such as the tick it is of."""

    png: bytes
    says: str
