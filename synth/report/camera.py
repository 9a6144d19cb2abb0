"""Frames of the first seed's episode, small enough for a page, as one GIF."""

from __future__ import annotations

from typing import Any

import numpy as np
from hl_dsl.compiler.backends.frame import Frame

from hl_dsl.cards import Card

_MOST_FRAMES, _WIDEST = 250, 320
_FRAMES_A_SECOND = 15


class Camera:
    """An `on_tick` that keeps pictures of lane 0 over an episode of at most `steps` ticks, evenly spaced and played back at the
    environment's own pace. Games show their pixels at every tick; other environments must be made with `render`."""

    def __init__(self, card: Card, steps: int):
        self._pixels = card.capabilities.has_pixels
        rate = card.capabilities.frames_per_second
        self._every = max(rate // _FRAMES_A_SECOND, -(-steps // _MOST_FRAMES))
        self._milliseconds = 1000 * self._every / rate
        self._pictures: list[np.ndarray] = []
        self._tick = 0
        self._over = False

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        rows = np.flatnonzero(frame.lanes == 0)
        if self._over or not len(rows):
            return
        # The last picture is of the end, wherever that falls.
        if self._tick % self._every == 0 or actions is None:
            picture = frame.picture(rows[0]) if self._pixels else environments.render(0)
            stride = -(-picture.shape[1] // _WIDEST)
            self._pictures.append(np.array(picture[::stride, ::stride]))
        self._tick += 1
        self._over = actions is None

    def gif(self) -> bytes | None:
        """The film, playing round and round; None where nothing was shown."""
        import imageio.v3

        if not self._pictures:
            return None
        return imageio.v3.imwrite("<bytes>", self._pictures, extension=".gif", duration=self._milliseconds, loop=0)
