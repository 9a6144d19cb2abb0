"""Long runs made short: many shortened runs at once, in lanes, and the one that breaks the goal first is gone on with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.simulation.batch import add_batch_monitors
from hl_dsl.verify.simulation.input_drivers import TYPES
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break

_LANES = 48
_MOST_TICKS = 4000  # of all lanes together, in all attempts


def shorten_run_in_lanes(flow: Dataflow, goal: Goal, run: SimulatedRun) -> SimulatedRun:
    """A run that breaks the goal, which `run` does, with as few ticks as a bounded number of attempts finds; at best one
    with the same inputs throughout."""
    rows = run.rows[: first_break(flow, goal, run) + 1]
    with np.errstate(all="ignore"):
        found = SimulatedRun(run.parameters, _Shrinking(flow, goal, run.parameters).shortest(rows))
    again = first_break(flow, goal, found)
    return (
        SimulatedRun(run.parameters, rows) if again is None else SimulatedRun(run.parameters, found.rows[: again + 1])
    )


class _Shrinking:
    def __init__(self, flow: Dataflow, goal: Goal, parameters):
        self.flow = flow
        self.step = compile_numpy(add_batch_monitors(flow, [goal])[0])
        self.assumptions = sum(item.kind == "assume" for item in flow.properties)
        self.parameters = tuple(np.array([parameters[entry.name]], TYPES[entry.base]) for entry in flow.parameters)
        self.budget = _MOST_TICKS

    def shortest(self, rows: Sequence[tuple]) -> tuple[tuple, ...]:
        columns = [
            np.array([row[place] for row in rows], TYPES[entry.base]) for place, entry in enumerate(self.flow.inputs)
        ]
        count = len(rows)
        same = np.linspace(0, count - 1, min(_LANES, count)).astype(int)
        best = self._first(columns, np.repeat(same[:, None], count, axis=1))
        order = np.arange(count) if best is None else best
        size = len(order) // 2
        while size and self.budget > 0:
            starts = np.unique(np.linspace(0, len(order) - 1 - size, _LANES).astype(int))
            places = np.arange(len(order) - size)
            best = self._first(columns, order[places[None, :] + size * (places[None, :] >= starts[:, None])])
            if best is None:
                size //= 2
            else:
                order = best
                size = min(size, len(order) // 2)
        return tuple(tuple(values[place].item() for values in columns) for place in order)

    def _first(self, columns: list[np.ndarray], orders: np.ndarray) -> np.ndarray | None:
        """Of runs that take the rows in these orders, one to a lane, the first to break the goal, up to there."""
        lanes, ticks = orders.shape
        memory = [np.full(lanes, cell.start, TYPES[cell.base]) for cell in self.flow.memories]
        kept = np.ones(lanes, bool)
        for tick in range(min(ticks, max(self.budget, 0))):
            rows = tuple(values[orders[:, tick]] for values in columns)
            _, following, now = self.step(rows, tuple(memory), self.parameters)
            for holds in now[: self.assumptions]:
                kept = kept & holds
            broken = kept & ~np.broadcast_to(now[self.assumptions], (lanes,))
            if broken.any():
                self.budget -= tick
                return orders[int(np.flatnonzero(broken)[0]), : tick + 1]
            if not kept.any():
                break
            memory = [
                np.broadcast_to(values, (lanes,)).astype(TYPES[cell.base])
                for cell, values in zip(self.flow.memories, following)
            ]
        self.budget -= ticks
        return None
