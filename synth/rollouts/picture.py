"""Picture of an episode for models that take images."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PICTURE_BYTES = 300_000  # a larger PNG file is not sent to a model


@dataclass(frozen=True)
class Picture:
    """A frame of an episode: its PNG file, and a caption of one line."""

    png: bytes
    says: str
