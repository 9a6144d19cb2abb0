"""What the batched back ends share: lanes that each run one program, with their own memory, parameters and counters."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.diagnostics import HLError

WATCHED = ("assume", "monitor")


class Lanes:
    """A back end. `start` makes the state, `tick` takes one step; row i of a frame is lane `frame.lanes[i]`.

    A lane begins an episode wherever `frame.step` is 0: its memory goes back to the start values. Lanes that a frame
    leaves out stay as they are. `watched` are the properties that a run counts: the assumptions and the monitors.
    """

    name = ""

    def __init__(self, flow: Dataflow):
        self.flow = flow
        self.watched = watched_properties(flow)
        action = flow.card.action
        self.dtype = np.dtype(action.dtype)
        self.action_size = None if action.is_discrete else action.size
        self.reads = frozenset(entry.source for entry in flow.inputs)

    def start(self, num_lanes: int, parameters: list) -> None:
        """Begins an episode in each of `num_lanes` lanes, counters at 0. A parameter is a number, or one for each lane."""
        raise NotImplementedError

    def tick(self, frame) -> np.ndarray:
        """One step of the lanes in the frame: an action for each row, in the environment's dtype. A new array each time."""
        raise NotImplementedError

    def memory(self) -> dict[str, np.ndarray]:
        """The memory cells by name, each (n,)."""
        raise NotImplementedError

    def mended(self) -> np.ndarray:
        """(n,) int64: observations that were out of range or NaN, since `start`."""
        raise NotImplementedError

    def violations(self) -> np.ndarray:
        """(n, watched properties) int64: ticks at which each did not hold, since `start`."""
        raise NotImplementedError

    def new_actions(self, count: int) -> np.ndarray:
        return np.empty(count if self.action_size is None else (count, self.action_size), self.dtype)


def watched_properties(flow: Dataflow) -> list:
    """The properties that are checked while running: assumptions and monitors, in the program's order."""
    return [item for item in flow.properties if item.kind in WATCHED]


def run_outputs(flow: Dataflow) -> list[int]:
    """The nodes that a run computes: the action, the memory's next values, what is watched."""
    return [*flow.action, *(cell.next for cell in flow.memories), *(item.node for item in watched_properties(flow))]


def general_frame(frame, reads: frozenset[str]) -> SimpleNamespace:
    """The frame with every array contiguous and of float64 (lanes int32), whatever came.

    Raises HLError where something that is read is missing or has no row for each lane.
    """
    lanes = np.ascontiguousarray(frame.lanes, np.int32)
    general = SimpleNamespace(lanes=lanes)
    for source in ("ram", "observation", "reward", "lives", "step"):
        values = getattr(frame, source, None)
        if values is None or (source in ("ram", "observation") and source not in reads):
            if source in reads:
                raise HLError(f"the policy reads `{source}`, and the frame has none")
            values = np.ones((len(lanes), 0) if source in ("ram", "observation") else len(lanes))
        values = np.ascontiguousarray(values, np.float64)
        if values.ndim != (2 if source in ("ram", "observation") else 1) or len(values) != len(lanes):
            raise HLError(f"`{source}` has shape {values.shape}, which does not fit {len(lanes)} lanes")
        setattr(general, source, values)
    return general
