"""Camera: frames of one episode as a GIF that is small enough for a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.backends.frame import Frame

_MOST_FRAMES = 250  # of one GIF
_LARGEST_WIDTH = 320  # pixels
_FRAMES_PER_SECOND = 15


class Camera:
    """An `on_tick` callback that keeps pictures of lane 0, evenly spaced over an episode of at most `steps` steps.

    The GIF plays at the environment's own speed. Atari frames hold pixels; other environments must be made with
    `render`.
    """

    def __init__(self, card: Card, steps: int):
        self._pixels = card.capabilities.has_pixels
        rate = card.capabilities.frames_per_second
        self._every = max(rate // _FRAMES_PER_SECOND, -(-steps // _MOST_FRAMES))
        self._milliseconds = 1000 * self._every / rate
        self._pictures: list[np.ndarray] = []
        self._tick = 0
        self._over = False

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        """Keeps the picture of this step if it is due."""
        rows = np.flatnonzero(frame.lanes == 0)
        if self._over or not len(rows):
            return
        # The last picture always shows the end of the episode.
        if self._tick % self._every == 0 or actions is None:
            picture = frame.picture(rows[0]) if self._pixels else environments.render(0)
            stride = -(-picture.shape[1] // _LARGEST_WIDTH)
            self._pictures.append(np.array(picture[::stride, ::stride]))
        self._tick += 1
        self._over = actions is None

    def gif(self) -> bytes | None:
        """Returns the GIF, which repeats; None if there are no pictures."""
        import imageio.v3

        if not self._pictures:
            return None
        return imageio.v3.imwrite("<bytes>", self._pictures, extension=".gif", duration=self._milliseconds, loop=0)
