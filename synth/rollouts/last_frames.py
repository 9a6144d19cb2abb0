"""The last frames of episodes as pictures for models that take images. They are seen while the episodes are played, and cost no step."""

from __future__ import annotations

import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.rollouts.picture import Picture

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.cards.writer import card_text

MOST, EVERY = 4, 8  # pictures of an episode; ticks between them
WIDEST = 320  # pixels; what is drawn larger is thinned out


def png(picture: np.ndarray) -> bytes:
    """The PNG file of a picture, (height, width, 3) uint8."""
    import imageio.v3

    return imageio.v3.imwrite("<bytes>", picture, extension=".png")


def small(picture: np.ndarray) -> np.ndarray:
    """A copy of a picture, (height, width, 3), no wider than `WIDEST`."""
    stride = -(-picture.shape[1] // WIDEST)
    return np.array(picture[::stride, ::stride])


def can_be_drawn(card: Card) -> bool:
    """Whether the environment shows pictures on this machine. Takes no step."""
    return _drawn(card_text(card), card.environment)


@cache
def _drawn(text: str, environment: str) -> bool:
    from hl_dsl.synth.rollouts.video import check_render, needs_render

    from hl_dsl.cards.reader import parse_card

    card = parse_card(text, environment)
    try:
        if needs_render(card):
            check_render(card)
    except (HLError, subprocess.SubprocessError):
        return False
    return True


@dataclass(frozen=True)
class Announced:
    """What pictures a prompt will have once an episode was played. `width`, `height` in pixels and `bytes` are of the first
    frame's PNG file; they differ a little from frame to frame. `most_bytes`: what is larger is not sent."""

    most: int
    every: int
    width: int
    height: int
    bytes: int
    most_bytes: int


def announced(card: Card, protocol: str) -> Announced | None:
    """None where the environment shows none here. Resets one lane; takes no step."""
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
    return Announced(MOST, EVERY, picture.shape[1], picture.shape[0], len(png(picture)), MOST_PICTURE_BYTES)


class LastFrames:
    """An `on_tick` that keeps, of each lane, the last `most` of every `every`-th frame and the one it ended with.

    Games show their pixels at every tick; other environments must be made with `render`.
    """

    def __init__(self, card: Card, lanes: int = 1, most: int = MOST, every: int = EVERY):
        self._pixels = card.capabilities.has_pixels
        self._every = every
        self._kept: list[deque[tuple[int, np.ndarray]]] = [deque(maxlen=most) for _ in range(lanes)]
        self._tick = 0

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        # All lanes begin together, so one number counts for all; an end is told of after the tick it follows.
        if actions is None or self._tick % self._every == 0:
            with suppress(HLError):  # an environment that draws no more plays on all the same
                for row, lane in enumerate(frame.lanes.tolist()):
                    shown = frame.picture(row) if self._pixels else environments.render(lane)
                    self._kept[lane].append((self._tick, small(shown)))
        self._tick += actions is not None

    def pictures(self, lane: int = 0) -> tuple[Picture, ...]:
        """What was kept of a lane, the earliest first."""
        return tuple(Picture(png(picture), f"tick {tick}") for tick, picture in self._kept[lane])
