"""Base class of the batched back ends: lanes that each run one program, with their own memory, parameters and counters.

A lane is one environment of a batch, by its index.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.monitored_properties import MONITORED_KINDS, without_unused_monitor_state
from hl_dsl.compiler.backends.number_conversion import to_binary64
from hl_dsl.compiler.ir.dataflow import Dataflow, Input
from hl_dsl.input_sources.table import INPUT_SOURCES, SOURCE_OF


class Lanes(ABC):
    """A back end. `start` makes the state, `tick` takes one step; row i of a frame is lane `frame.lanes[i]`.

    A lane starts an episode where `frame.step` is 0: its memory gets the start values. Lanes that are not in a frame
    keep their state. `watched` are the properties that a run counts: the assumptions and the monitors.
    """

    name = ""

    def __init__(self, flow: Dataflow):
        self.flow = flow = without_unused_monitor_state(flow)
        self.watched = monitored_properties(flow)
        self._shared: tuple | None = None
        action = flow.card.action
        self.dtype = np.dtype(action.dtype)
        self.action_size = None if action.is_discrete else action.size
        self.columns: dict[str, int] = {}  # of each source that is read, the number of columns that it must have
        for entry in flow.inputs:
            self.columns[entry.source] = max(self.columns.get(entry.source, 0), entry.column + 1)

    @abstractmethod
    def start(self, num_lanes: int, parameters: list) -> None:
        """Starts an episode in each of `num_lanes` lanes. A parameter is a number, or one for each lane."""

    @abstractmethod
    def tick(self, frame) -> np.ndarray:
        """One step of the lanes in the frame. Returns a new array: an action for each row, in the card's dtype."""

    @abstractmethod
    def adopt(self, other: Lanes, theirs: np.ndarray, mine: np.ndarray) -> None:
        """Lane `mine[i]` continues from the state of lane `theirs[i]` of other lanes.

        The others run the same program with other monitor state: cells of the same name get the same values, the rest
        their start values.
        """

    def shared_cells(self, other: Lanes) -> tuple[list[int], list[int], list[int]]:
        """Positions of the cells that both programs have, here and there, and of the other cells of this program."""
        if self._shared is None or self._shared[0] is not other:
            theirs = {(cell.name, cell.monitor_of): position for position, cell in enumerate(other.flow.memories)}
            places = [theirs.get((cell.name, cell.monitor_of)) for cell in self.flow.memories]
            self._shared = (
                other,
                [position for position, place in enumerate(places) if place is not None],
                [place for place in places if place is not None],
                [position for position, place in enumerate(places) if place is None],
            )
        return self._shared[1:]

    @abstractmethod
    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """(k,): values in these lanes of the memory cell at a position of the program's list."""

    @abstractmethod
    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""

    @abstractmethod
    def out_of_range(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN, since `start`."""

    @abstractmethod
    def violations(self) -> np.ndarray:
        """(n, monitored properties) int64: ticks at which each did not hold, since `start`."""

    def new_actions(self, count: int) -> np.ndarray:
        """An array for the actions of `count` rows."""
        return np.empty(count if self.action_size is None else (count, self.action_size), self.dtype)


def monitored_properties(flow: Dataflow) -> list:
    """The properties that are checked while running: assumptions and monitors, in the program's order."""
    return [item for item in flow.properties if item.kind in MONITORED_KINDS]


def run_outputs(flow: Dataflow) -> list[int]:
    """The nodes that a run computes: the action, the next values of the memory, the monitored properties."""
    return [*flow.action, *(cell.next for cell in flow.memories), *(item.node for item in monitored_properties(flow))]


def is_any_byte(entry: Input) -> bool:
    """Whether every byte is in the range of an input, so that it needs no check."""
    return SOURCE_OF[entry.source].holds_bytes and entry.base == "int" and entry.low <= 0 and entry.high >= 255


def general_frame(frame: Any, columns: Mapping[str, int]) -> SimpleNamespace:
    """The frame with every array contiguous and of float64 (lanes int32), whatever its types were.

    Args:
        frame: A `Frame`, or an object with attributes of the same names.
        columns: Number of columns that are read of each source.

    Raises:
        HLError: A source that is read is missing, does not hold numbers, or has another shape.
    """
    general = SimpleNamespace(lanes=_numbers("lanes", frame.lanes).astype(np.int32))
    count = len(general.lanes)
    for source in INPUT_SOURCES:
        name = source.name
        is_read = name in columns
        values = getattr(frame, name, None) if is_read or source.default is not None else None
        if values is None:
            if is_read:
                raise HLError(f"the policy reads `{name}`, and the frame does not have it")
            values = np.ones((count, 0) if source.is_wide else count)
        values = _numbers(name, values)
        too_narrow = source.is_wide and values.ndim == 2 and values.shape[1] < columns.get(name, 0)
        if values.ndim != 1 + source.is_wide or len(values) != count or too_narrow:
            needed = f" and the {columns[name]} columns that the policy reads" if source.is_wide else ""
            raise HLError(f"`{name}` has shape {values.shape}, which does not fit {count} lanes{needed}")
        setattr(general, name, values)
    return general


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.ascontiguousarray(to_binary64(values))
    except (TypeError, ValueError):
        raise HLError(f"`{name}` does not hold numbers") from None
