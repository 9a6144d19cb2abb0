"""Recorders of an evaluation's first seed: its video and its trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program


class EpisodeRecorders:
    """Writes the video and the trace of one seed.

    Files are opened at the first tick. So a policy whose proof fails touches no file, and a file that cannot be opened
    ends the command before the first step.

    Attributes:
        on_tick: Callback for the rollout; None if nothing is to be written.
    """

    def __init__(self, program: Program, protocol: str, seed: int, video: Path | None, trace: Path | None):
        self._program, self._protocol, self._seed, self._video, self._trace = program, protocol, seed, video, trace
        self._open: list[Any] | None = None
        self.on_tick: Callable[..., None] | None = self._tick if video or trace else None

    @property
    def needs_render(self) -> bool:
        """Whether the environments have to render frames for the video."""
        if self._video is None:
            return False
        from hl_dsl.synth.rollouts.video import needs_render

        return needs_render(self._program.card)

    def _tick(self, environments: Any, frame: Any, actions: Any) -> None:
        if self._open is None:
            self._open = self._start()
        for recorder in self._open:
            recorder(environments, frame, actions)

    def _start(self) -> list[Any]:
        recorders: list[Any] = []
        if self._video is not None:
            from hl_dsl.synth.rollouts.video import Video

            recorders.append(Video(self._video, self._program.card))
        if self._trace is not None:
            from hl_dsl.synth.rollouts.trace import TraceWriter

            names = {"program_hash": self._program.hash, "protocol": self._protocol, "seed": self._seed}
            recorders.append(TraceWriter(self._trace, self._program.flow, **names))
        return recorders

    def close(self) -> list[HLError]:
        """Completes the files, and returns the errors of those that could not be written."""
        problems = []
        for recorder in self._open or ():
            try:
                recorder.close()
            except HLError as problem:
                problems.append(problem)
        return problems
