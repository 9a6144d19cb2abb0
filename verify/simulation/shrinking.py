"""Shortening of long runs: shorter runs are tried at once, in lanes; the one that violates the goal first is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.simulation.batch import add_batch_monitors
from hl_dsl.verify.simulation.input_drivers import TYPES, Array
from hl_dsl.verify.simulation.input_sampling import InputRow
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break

_LANES = 48
_MOST_TICKS = 4000  # ticks of all attempts together


def shorten_run_in_lanes(flow: Dataflow, goal: Goal, run: SimulatedRun) -> SimulatedRun:
    """Returns a run that violates the goal with as few ticks as a bounded number of attempts finds.

    `run` must violate the goal. The first attempts repeat the inputs of a single tick.
    """
    broken = first_break(flow, goal, run)
    assert broken is not None  # `run` violates the goal
    rows = run.rows[: broken + 1]
    with np.errstate(all="ignore"):
        shortened = SimulatedRun(run.parameters, _Shortening(flow, goal, run.parameters).shortest(rows))
    again = first_break(flow, goal, shortened)
    if again is None:
        return SimulatedRun(run.parameters, rows)
    return SimulatedRun(run.parameters, shortened.rows[: again + 1])


class _Shortening:
    def __init__(self, flow: Dataflow, goal: Goal, parameters: Mapping[str, int | float]):
        self.flow = flow
        self.step = compile_numpy(add_batch_monitors(flow, [goal])[0])
        self.assumptions = sum(item.kind == "assume" for item in flow.properties)
        self.parameters = tuple(np.array([parameters[entry.name]], TYPES[entry.base]) for entry in flow.parameters)
        self.budget = _MOST_TICKS

    def shortest(self, rows: Sequence[InputRow]) -> tuple[InputRow, ...]:
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

    def _first(self, columns: list[Array], orders: Array) -> Array | None:
        """Runs the rows in the given orders, shape (lanes, ticks).

        Returns:
            The order of the lane that violates the goal first, up to that tick; None if no lane does.
        """
        lanes, ticks = orders.shape
        memory = [np.full(lanes, cell.start, TYPES[cell.base]) for cell in self.flow.memories]
        valid = np.ones(lanes, bool)
        for tick in range(min(ticks, max(self.budget, 0))):
            rows = tuple(values[orders[:, tick]] for values in columns)
            _, following, properties = self.step(rows, tuple(memory), self.parameters)
            for holds in properties[: self.assumptions]:
                valid = valid & holds
            broken = valid & ~np.broadcast_to(properties[self.assumptions], (lanes,))
            if broken.any():
                self.budget -= tick
                first: Array = orders[int(np.flatnonzero(broken)[0]), : tick + 1]
                return first
            if not valid.any():
                break
            memory = [
                np.broadcast_to(values, (lanes,)).astype(TYPES[cell.base])
                for cell, values in zip(self.flow.memories, following)
            ]
        self.budget -= ticks
        return None
