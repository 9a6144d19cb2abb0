"""Frames of an episode as pictures for models that take images."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.synth.frame import Frame
from hl_dsl.synth.prompt_parts import Picture


def png(picture: np.ndarray) -> bytes:
    """The PNG file of a picture, (height, width, 3) uint8."""
    import imageio.v3

    return imageio.v3.imwrite("<bytes>", picture, extension=".png")


class LastFrames:
    """An `on_tick` that keeps the last `most` of every `every`-th frame of lane 0; give it to `evaluate` beside others.

    Games show their pixels at every tick; other environments must be made with `render`.
    """

    def __init__(self, card: Card, most: int = 4, every: int = 8):
        self._pixels = card.family == "atari"
        self._every = every
        self._kept: deque[tuple[int, np.ndarray]] = deque(maxlen=most)
        self._tick = 0

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        rows = np.flatnonzero(frame.lanes == 0)
        if actions is None or not len(rows):
            return
        if self._tick % self._every == 0:
            shown = frame.picture(rows[0]) if self._pixels else environments.render(0)
            self._kept.append((self._tick, np.array(shown)))
        self._tick += 1

    def pictures(self) -> tuple[Picture, ...]:
        """What was kept, the earliest first."""
        return tuple(Picture(png(picture), f"tick {tick}") for tick, picture in self._kept)
