"""Last frames of episodes, as pictures for models that take images.

They are kept while the episodes are played, and take no extra step.
"""

from __future__ import annotations

import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.rollouts.picture import Picture

MOST, EVERY = 4, 8  # pictures of an episode; ticks between them
WIDEST = 320  # pixels; wider pictures are subsampled


def png(picture: np.ndarray) -> bytes:
    """A picture, (height, width, 3) uint8, as a PNG file."""
    import imageio.v3

    return imageio.v3.imwrite("<bytes>", picture, extension=".png")


def small(picture: np.ndarray) -> np.ndarray:
    """A copy of a picture, (height, width, 3), at most `WIDEST` pixels wide."""
    stride = -(-picture.shape[1] // WIDEST)
    return np.array(picture[::stride, ::stride])


def can_be_drawn(card: Card) -> bool:
    """Whether the environment can be drawn on this machine. Takes no step."""
    from hl_dsl.synth.rollouts.video import check_render, needs_render

    try:
        if needs_render(card):
            check_render(card)
    except (HLError, subprocess.SubprocessError):
        return False
    return True


@dataclass(frozen=True)
class PictureFormat:
    """Pictures of a prompt after the first episode.

    Attributes:
        most: Largest number of pictures.
        every: Ticks between pictures.
        width: Pixels of the first frame.
        height: Pixels of the first frame.
        bytes: Size of the first frame's PNG file.
        most_bytes: Larger files are not sent.
    """

    most: int
    every: int
    width: int
    height: int
    bytes: int
    most_bytes: int


def picture_format(card: Card, protocol: str) -> PictureFormat | None:
    """The pictures that prompts will have; None if the environment cannot be drawn here. Takes no step."""
    from hl_dsl.synth.environments.environments import Environments
    from hl_dsl.synth.rollouts.picture import MOST_PICTURE_BYTES
    from hl_dsl.synth.rollouts.video import needs_render

    if not can_be_drawn(card):
        return None
    environments = Environments(card, protocol, [0], render=needs_render(card))
    try:
        frame = environments.reset()
        picture = small(environments.render(0) if needs_render(card) else frame.picture(0))
    finally:
        environments.close()
    return PictureFormat(MOST, EVERY, picture.shape[1], picture.shape[0], len(png(picture)), MOST_PICTURE_BYTES)


class LastFrames:
    """An `on_tick` that keeps the last `most` pictures of each lane: every `every`-th frame, and the final one.

    Environments without pixels in their observations must be made with `render`.
    """

    def __init__(self, card: Card, lanes: int = 1, most: int = MOST, every: int = EVERY):
        self._pixels = card.capabilities.has_pixels
        self._every = every
        self._kept: list[deque[tuple[int, np.ndarray]]] = [deque(maxlen=most) for _ in range(lanes)]
        self._tick = 0

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        """Keeps the frame's pictures."""
        # All lanes start together, so one counter serves all. An end is reported after its tick.
        if actions is None or self._tick % self._every == 0:
            with suppress(HLError):  # the evaluation continues without pictures
                for row, lane in enumerate(frame.lanes.tolist()):
                    shown = frame.picture(row) if self._pixels else environments.render(lane)
                    self._kept[lane].append((self._tick, small(shown)))
        self._tick += actions is not None

    def pictures(self, lane: int = 0) -> tuple[Picture, ...]:
        """The kept pictures of a lane, the earliest first."""
        return tuple(Picture(png(picture), f"tick {tick}") for tick, picture in self._kept[lane])
