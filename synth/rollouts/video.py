"""Video of one episode, written as MP4 while it is played."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card, Rendering
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.environments import Environments


class Video:
    """An `on_tick` that films lane 0. The evaluation needs `render=needs_render(card)`.

    A full disk does not stop the evaluation: after the constructor only `close` raises errors.

    Raises:
        HLError: The file cannot be written, or the environment cannot be drawn.
    """

    def __init__(self, path: str | Path, card: Card):
        self.path = Path(path)
        self.frames = 0
        self._capabilities = card.capabilities
        self._writer: Any = None
        self._over = False
        self._error: HLError | None = None
        if self.path.suffix.lower() != ".mp4":
            raise HLError(f"the video `{self.path}` has no name of an MP4 file", "name it FILE.mp4")
        if needs_render(card):
            check_render(card)
        try:
            self.path.touch()
        except OSError as error:
            raise HLError(f"cannot write the video {self.path}: {error}") from error

    def __call__(self, environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        """Films a tick."""
        if self._over or (row := int(np.searchsorted(frame.lanes, 0))) >= len(frame.lanes) or frame.lanes[row] != 0:
            return
        picture = frame.picture(row) if self._capabilities.has_pixels else environments.render(0)
        try:
            self._write(np.ascontiguousarray(picture))
        except (OSError, RuntimeError) as error:
            self._error = HLError(f"cannot write the video {self.path}: {error}")
        self._over = actions is None or self._error is not None

    def close(self) -> None:
        """Closes the file. Raises HLError if it could not be written; the frames so far may then be lost."""
        writer, self._writer = self._writer, None
        self._over = True
        try:
            if writer is not None:
                import imageio_ffmpeg

                writer.close()
                next(
                    imageio_ffmpeg.read_frames(str(self.path))
                )  # the writer does not report that its last write failed
        except (OSError, RuntimeError, StopIteration) as error:
            self._error = self._error or HLError(f"cannot write the video {self.path}: {error}")
        if self._error is not None:
            raise self._error

    def _write(self, picture: np.ndarray) -> None:
        if self._writer is None:
            import imageio_ffmpeg

            height, width, _ = picture.shape
            scale = self._capabilities.picture_scale
            self._writer = imageio_ffmpeg.write_frames(
                str(self.path),
                (width, height),
                fps=self._capabilities.frames_per_second,
                macro_block_size=2,  # required by the pixel format; the default of 16 would stretch the picture
                output_params=["-vf", f"scale=iw*{scale}:ih*{scale}:flags=neighbor"] if scale > 1 else [],
            )
            self._writer.send(None)
        self._writer.send(picture)
        self.frames += 1


def needs_render(card: Card) -> bool:
    """Whether pictures must be rendered: they are not the observation."""
    return not card.capabilities.has_pixels


def check_render(card: Card) -> None:
    """Raises HLError if the environment cannot be drawn.

    Unless pictures are drawn in memory, one is drawn in another process: a missing graphics driver can end the process.
    """
    rendering = card.capabilities.rendering
    if rendering is Rendering.IN_MEMORY:
        return
    if rendering is Rendering.NONE:
        raise HLError(f"`{card.environment}` draws no pictures", "evaluate it without --video")
    trial = (
        "import sys\n"
        "from hl_dsl.cards.reader import parse_card\n"
        "from hl_dsl.synth.environments.environments import Environments\n"
        "card = parse_card(sys.stdin.read(), 'the card')\n"
        "one = Environments(card, card.protocols[0], [0], render=True)\n"
        "one.reset()\n"
        "one.render(0)\n"
    )
    from hl_dsl.cards.writer import card_text

    with TemporaryDirectory() as folder:
        ask = [sys.executable, "-c", trial]
        done = subprocess.run(ask, input=card_text(card), text=True, capture_output=True, timeout=120, cwd=folder)
    if done.returncode != 0 or "ERROR" in done.stderr:
        lines = (done.stderr.strip() or done.stdout.strip() or "it printed nothing").splitlines()
        raise HLError(
            f"`{card.environment}` cannot be drawn on this machine: {lines[-1]}",
            "evaluate without --video, or where its renderer has a graphics driver",
        )
