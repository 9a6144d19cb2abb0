"""What is written down while an evaluation plays: the first seed's film and its trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program


class EpisodeRecorders:
    """The files are opened at the first tick: a policy that is not proved touches none, and no step was taken yet where
    one cannot be opened. `on_tick` is None where nothing is to be written."""

    def __init__(self, program: Program, protocol: str, seed: int, video: Path | None, trace: Path | None):
        self._program, self._protocol, self._seed, self._video, self._trace = program, protocol, seed, video, trace
        self._open: list[Any] | None = None
        self.on_tick = self._tick if video or trace else None

    @property
    def needs_render(self) -> bool:
        if self._video is None:
            return False
        from hl_dsl.synth.rollouts.video import needs_render

        return needs_render(self._program.card)

    def _tick(self, environments, frame, actions) -> None:
        if self._open is None:
            self._begin()
        for watcher in self._open:
            watcher(environments, frame, actions)

    def _begin(self) -> None:
        self._open = []
        if self._video is not None:
            from hl_dsl.synth.rollouts.video import Video

            self._open.append(Video(self._video, self._program.card))
        if self._trace is not None:
            from hl_dsl.synth.rollouts.trace import TraceWriter

            self._open.append(
                TraceWriter(
                    self._trace,
                    self._program.flow,
                    program_hash=self._program.hash,
                    protocol=self._protocol,
                    seed=self._seed,
                )
            )

    def close(self) -> list[HLError]:
        """Finishes the files; what could not be written."""
        problems = []
        for watcher in self._open or ():
            try:
                watcher.close()
            except HLError as problem:
                problems.append(problem)
        return problems
