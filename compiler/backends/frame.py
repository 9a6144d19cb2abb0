"""Frame: the input sources of a batch of lanes at one tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hl_dsl.input_sources.table import ENVIRONMENT_SOURCES, SOURCE_OF


class Frame:
    """One tick of the lanes in `lanes`, row i of every array being lane `lanes[i]`.

    Each input source is an attribute: an array of the shape that `hl_dsl.input_sources` states, with k rows, or None
    where the environment does not have it. On environments with pixels, `observation` is (k, 3, height, width) uint8.

    `Frame(lanes, sources, …)` takes the sources as a dictionary by name, which it keeps for itself.

    Attributes:
        lanes: (k,) int32.
        done: (k,) bool, whether the episode ended with this tick.
        truncated: (k,) bool, done by a step limit and not by the environment's own rules.
        ended: Whether any row is done.
    """

    plan: Any  # (k, m) float64; the planner sets it

    def __init__(
        self,
        lanes: np.ndarray,
        sources: dict[str, Any],
        done: np.ndarray,
        truncated: np.ndarray,
        ended: bool,
    ):
        self.__dict__ = sources  # a tenth of a microsecond less than an update of an empty one
        self.lanes = lanes
        self.done = done
        self.truncated = truncated
        self.ended = ended

    if TYPE_CHECKING:  # the sources are attributes of any name

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        """None for an input source that this frame does not have."""
        if name in SOURCE_OF:
            return None
        raise AttributeError(f"a frame has no {name}")

    def picture(self, row: int) -> np.ndarray:
        """The pixels of a row, (height, width, 3) uint8."""
        return self.observation[row].transpose(1, 2, 0)

    def rows(self, mask: np.ndarray) -> Frame:
        """A frame of the rows where `mask` (k,) is true, as the environment showed them."""
        done = self.done[mask]
        return Frame(self.lanes[mask], self.sources(mask), done, self.truncated[mask], bool(done.any()))

    def sources(self, rows: Any) -> dict[str, np.ndarray]:
        """The arrays that the environment showed, by name, of the rows that an index, slice or mask selects."""
        values = self.__dict__
        return {name: values[name][rows] for name in ENVIRONMENT_SOURCES if values.get(name) is not None}

    def alive(self) -> Frame:
        """A frame of the rows that are not done."""
        return self.rows(~self.done)
