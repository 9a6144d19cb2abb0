"""What the batched back ends share: lanes that each run one program, with their own memory, parameters and counters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import SimpleNamespace

import numpy as np

from hl_dsl.cards.model import SOURCES
from hl_dsl.compiler.ir import Dataflow, Input
from hl_dsl.compiler.numpy_kernel import to_binary64
from hl_dsl.compiler.watching import WATCHED, without_idle_ghosts
from hl_dsl.diagnostics import HLError


FRAME_SOURCES = (*SOURCES, "plan")  # what a frame may hold: what the environment shows, and what a planner has chosen
WIDE_SOURCES = ("ram", "observation", "plan")  # those with several columns


class Lanes(ABC):
    """A back end. `start` makes the state, `tick` takes one step; row i of a frame is lane `frame.lanes[i]`.

    A lane begins an episode wherever `frame.step` is 0: its memory goes back to the start values. Lanes that a frame
    leaves out stay as they are. `watched` are the properties that a run counts: the assumptions and the monitors.
    """

    name = ""

    def __init__(self, flow: Dataflow):
        self.flow = flow = without_idle_ghosts(flow)
        self.watched = watched_properties(flow)
        self._shared: tuple | None = None
        action = flow.card.action
        self.dtype = np.dtype(action.dtype)
        self.action_size = None if action.is_discrete else action.size
        self.columns: dict[str, int] = {}  # of each source that is read, how many columns there must be
        for entry in flow.inputs:
            self.columns[entry.source] = max(self.columns.get(entry.source, 0), entry.column + 1)

    @abstractmethod
    def start(self, num_lanes: int, parameters: list) -> None:
        """Begins an episode in each of `num_lanes` lanes, counters at 0. A parameter is a number, or one for each lane."""

    @abstractmethod
    def tick(self, frame) -> np.ndarray:
        """One step of the lanes in the frame: an action for each row, in the environment's dtype. A new array each time."""

    @abstractmethod
    def adopt(self, other: "Lanes", theirs: np.ndarray, mine: np.ndarray) -> None:
        """Lane `mine[i]` goes on from where lane `theirs[i]` of other lanes stands, which run the same program with other ghosts: cells
        of the same name hold the same, the rest their start values."""

    def shared_cells(self, other: "Lanes") -> tuple[list[int], list[int], list[int]]:
        """Positions of the cells that the other lanes have too, in this program and in theirs; and of the rest of this one's."""
        if self._shared is None or self._shared[0] is not other:
            theirs = {(cell.name, cell.ghost): position for position, cell in enumerate(other.flow.memories)}
            places = [theirs.get((cell.name, cell.ghost)) for cell in self.flow.memories]
            self._shared = (
                other, [position for position, place in enumerate(places) if place is not None], [place for place in places if place is not None],
                [position for position, place in enumerate(places) if place is None])
        return self._shared[1:]

    @abstractmethod
    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """(k,): what the memory cell at a position of the program's list holds in these lanes."""

    @abstractmethod
    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""

    @abstractmethod
    def mended(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN, since `start`."""

    @abstractmethod
    def violations(self) -> np.ndarray:
        """(n, watched properties) int64: ticks at which each did not hold, since `start`."""

    def new_actions(self, count: int) -> np.ndarray:
        return np.empty(count if self.action_size is None else (count, self.action_size), self.dtype)


def watched_properties(flow: Dataflow) -> list:
    """The properties that are checked while running: assumptions and monitors, in the program's order."""
    return [item for item in flow.properties if item.kind in WATCHED]


def run_outputs(flow: Dataflow) -> list[int]:
    """The nodes that a run computes: the action, the memory's next values, what is watched."""
    return [*flow.action, *(cell.next for cell in flow.memories), *(item.node for item in watched_properties(flow))]


def is_any_byte(entry: Input) -> bool:
    """Whether an input takes every byte as it is, so that there is nothing to check."""
    return entry.source == "ram" and entry.base == "int" and entry.low <= 0 and entry.high >= 255


def general_frame(frame, columns: dict[str, int]) -> SimpleNamespace:
    """The frame with every array contiguous and of float64 (lanes int32), whatever came.

    `columns` says how many columns are needed of each source that is read. Raises HLError where one is missing, holds
    no numbers, or has another shape.
    """
    general = SimpleNamespace(lanes=_numbers("lanes", frame.lanes).astype(np.int32))
    count = len(general.lanes)
    for source in FRAME_SOURCES:
        values = getattr(frame, source, None)
        if source not in columns and source not in ("reward", "step"):
            values = None
        elif values is None and source in columns:
            raise HLError(f"the policy reads `{source}`, and the frame has none")
        wide = source in WIDE_SOURCES
        if values is None:
            values = np.ones((count, 0) if wide else count)
        values = _numbers(source, values)
        if values.ndim != 1 + wide or len(values) != count or (wide and values.shape[1] < columns.get(source, 0)):
            needed = f" and the {columns[source]} columns that the policy reads" if wide else ""
            raise HLError(f"`{source}` has shape {values.shape}, which does not fit {count} lanes{needed}")
        setattr(general, source, values)
    return general


def is_exact_in_binary64(dtype: np.dtype) -> bool:
    """Whether binary64 holds every number of a type exactly."""
    return dtype.kind == "f" and dtype.itemsize <= 8 or dtype.kind in "iu" and dtype.itemsize <= 4


def _numbers(source: str, values) -> np.ndarray:
    try:
        return np.ascontiguousarray(to_binary64(values))
    except (TypeError, ValueError):
        raise HLError(f"`{source}` does not hold numbers") from None
