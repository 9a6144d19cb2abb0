"""Recordings of episodes: the input sources and the actions of each tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.input_sources.table import INPUT_SOURCES
from hl_dsl.synth.rollouts.picture import Picture

_RECORDED = tuple(source for source in INPUT_SOURCES if source.is_recorded)


class RecordingDetail(StrEnum):
    """Detail of the recordings of a batch."""

    NOTHING = "nothing"
    STEPS = "steps"
    """What each step showed, and the actions."""
    PICTURES = "pictures"
    """In addition, the last frames of each program's worst episode."""


@dataclass(frozen=True)
class Recording:
    """One episode of T ticks.

    Attributes:
        shown: Arrays of T rows by input source, without pixels.
        actions: (T,) or (T, size).
        pictures: A few of the last frames, if they were requested.
    """

    shown: dict[str, np.ndarray]
    actions: np.ndarray
    pictures: tuple[Picture, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        """The number of ticks."""
        return len(self.actions)

    @property
    def returns_so_far(self) -> np.ndarray:
        """The return after each step but the last, whose reward is not part of a tick, (T - 1,)."""
        return np.cumsum(self.shown["reward"].astype(np.float64))[1:]

    def frame(self, start: int, stop: int, lanes: np.ndarray) -> Frame:
        """The ticks from `start` to `stop` - 1 as rows of a frame."""
        part = {source: values[start:stop] for source, values in self.shown.items()}
        never = np.zeros(stop - start, bool)
        return Frame(lanes, part, never, never, False)


class Recorder:
    """An `on_tick` that records all lanes. `pixels`: the observation holds pixels, which are not recorded."""

    def __init__(self, lanes: int, pixels: bool):
        self.lanes, self._pixels = lanes, pixels
        self._ticks: list[tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]] = []

    def __call__(self, environments: Any, frame: Frame, actions: np.ndarray | None) -> None:
        """Records a tick."""
        if actions is None:
            return
        shown = {
            source.name: getattr(frame, source.name)
            for source in _RECORDED
            if not (self._pixels and source.holds_pixels)
        }
        self._ticks.append((frame.lanes, shown, actions))

    def episodes(self) -> list[Recording]:
        """One recording for each lane."""
        rows: list[list[tuple[int, int]]] = [[] for _ in range(self.lanes)]
        for tick, (lanes, _, _) in enumerate(self._ticks):
            for row, lane in enumerate(lanes.tolist()):
                rows[lane].append((tick, row))
        return [self._recording(places) for places in rows]

    def _recording(self, places: list[tuple[int, int]]) -> Recording:
        shown = {}
        for source in _RECORDED:
            values = [self._ticks[tick][1].get(source.name) for tick, _ in places[:1]]
            if values and values[0] is not None:
                shown[source.name] = np.stack([self._ticks[tick][1][source.name][row] for tick, row in places])
        actions = np.stack([self._ticks[tick][2][row] for tick, row in places]) if places else np.zeros(0, np.int32)
        return Recording(shown, actions)
