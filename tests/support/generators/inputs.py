"""Inputs of a generated program: raw observations of several lanes, restarts in the middle, parameters per lane.

@given(data=st.data(), program=programs())
def test_something(data, program):
    run = data.draw(runs(program.flow))
    for tick in range(run.ticks):
        for lane in range(run.lanes):
            run.restarts[tick, lane]           # whether an episode of this lane starts at this tick
            run.raw(tick, lane)                # raw observations in the order of `flow.inputs`
        run.frame(tick, lanes)                 # the same as a frame of these lanes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st

from hl_dsl.compiler.backends.interpreter import Interpreter, Tick
from hl_dsl.compiler.ir.dataflow import Dataflow, Input
from tests.support.generators.choices import Choices, Drawn

MOST_LANES, MOST_TICKS = 4, 6
LARGEST_INT = 2**53
WHOLE_SOURCES = {"lives": np.int32, "step": np.int32}  # whole numbers of a frame, in addition to the bytes of ram
ODD = (
    float("nan"),
    float("inf"),
    float("-inf"),
    -0.0,
    0.0,
    5e-324,
    -5e-324,
    2.2e-308,
    1e308,
    -1e308,
    0.5,
    -0.5,
    1e16,
    -3.7,
)


@dataclass(frozen=True)
class Run:
    """`columns`: (source, column) -> raw values (ticks, lanes). `parameters`: name -> values (lanes,).

    `order`: a permutation of the lanes, for running them in another order. `restarts`: (ticks, lanes) bool, all true in
    the first tick. `present`: (ticks, lanes) bool; an absent lane is not in the frame and keeps its state.
    """

    flow: Dataflow
    columns: dict[tuple[str, int], np.ndarray]
    restarts: np.ndarray
    present: np.ndarray
    parameters: dict[str, np.ndarray]
    order: tuple[int, ...]

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(
            f"run of {self.lanes} lanes: {self.columns}, restarts {self.restarts.tolist()}, "
            f"present {self.present.tolist()}, "
            f"parameters {self.parameters}, order {self.order}"
        )

    @property
    def ticks(self) -> int:
        return self.restarts.shape[0]

    @property
    def lanes(self) -> int:
        return self.restarts.shape[1]

    def raw(self, tick: int, lane: int) -> list:
        """Raw observations in the order of `flow.inputs`, as Python values."""
        return [self.columns[entry.source, entry.column][tick, lane].item() for entry in self.flow.inputs]

    def lanes_at(self, tick: int) -> list[int]:
        """The lanes that take part in a tick, in the run's order."""
        return [lane for lane in self.order if self.present[tick, lane]]

    def repeated(self, times: int) -> Run:
        """The same run with every lane there several times: lane `i` is what lane `i % lanes` was."""

        def again(table: np.ndarray) -> np.ndarray:
            return np.concatenate([table] * times, axis=-1)

        order = tuple(copy * self.lanes + lane for lane in self.order for copy in range(times))
        return replace(
            self,
            columns={place: again(values) for place, values in self.columns.items()},
            restarts=again(self.restarts),
            present=again(self.present),
            parameters={name: again(values) for name, values in self.parameters.items()},
            order=order,
        )

    def only(self, lane: int) -> Run:
        """The run of one lane alone."""
        return replace(
            self,
            columns={place: values[:, [lane]] for place, values in self.columns.items()},
            restarts=self.restarts[:, [lane]],
            present=self.present[:, [lane]],
            parameters={name: values[[lane]] for name, values in self.parameters.items()},
            order=(0,),
        )

    def parameters_of(self, lane: int) -> dict:
        return {name: values[lane].item() for name, values in self.parameters.items()}

    def _steps(self) -> np.ndarray:
        """Step counts: an episode starts at 0."""
        return self.columns.get(("step", 0), np.where(self.restarts, 0, 1).astype(np.int32))

    def frame(self, tick: int, lanes) -> SimpleNamespace:
        """The observations of `lanes`, row i being lane `lanes[i]`, as the simulators hand them over."""
        lanes = np.asarray(lanes, dtype=np.int32)
        count = len(lanes)

        def whole(source: str, width: int, dtype) -> np.ndarray:
            table = np.zeros((count, width), dtype)
            for (where, column), values in self.columns.items():
                if where == source:
                    table[:, column] = values[tick, lanes]
            return table

        width = 1 + max([column for source, column in self.columns if source == "observation"], default=0)
        return SimpleNamespace(
            lanes=lanes,
            ram=whole("ram", 128, np.uint8),
            observation=whole("observation", width, np.float64),
            reward=whole("reward", 1, np.float64)[:, 0],
            lives=whole("lives", 1, np.int32)[:, 0],
            step=self._steps()[tick, lanes],
            plan=whole(
                "plan", 1 + max([column for source, column in self.columns if source == "plan"], default=0), np.float64
            ),
            done=np.zeros(count, bool),
            truncated=np.zeros(count, bool),
            ended=False,
        )


@st.composite
def runs(
    draw,
    flow: Dataflow,
    hostile: bool = True,
    lanes: int | None = None,
    ticks: int | None = None,
    everyone: bool = False,
) -> Run:
    """Runs of a program; see `chosen_run`."""
    return chosen_run(Drawn(draw), flow, hostile, lanes, ticks, everyone)


def chosen_run(
    choices: Choices,
    flow: Dataflow,
    hostile: bool = True,
    lanes: int | None = None,
    ticks: int | None = None,
    everyone: bool = False,
) -> Run:
    """A run of a program.

    `everyone`: every lane takes part in every tick. Not `hostile`: every observation is in its declared range, if the
    step count allows it.
    """
    lanes = lanes or choices.between(1, MOST_LANES)
    ticks = ticks or choices.between(1, MOST_TICKS)

    def table(value: Callable[[], object], dtype) -> np.ndarray:
        return np.array([value() for _ in range(lanes * ticks)], dtype).reshape(ticks, lanes)

    columns: dict[tuple[str, int], np.ndarray] = {}
    sharing: dict[tuple[str, int], list[Input]] = {}
    for entry in flow.inputs:
        sharing.setdefault((entry.source, entry.column), []).append(entry)
    for place, entries in sharing.items():
        dtype = np.uint8 if place[0] == "ram" else WHOLE_SOURCES.get(place[0], np.float64)
        columns[place] = table(_raw_value(choices, place[0], entries, hostile), dtype)
    restarts = table(lambda: choices.below(4) == 3, bool)
    restarts[0] = True
    present = np.ones((ticks, lanes), bool)
    if not everyone and choices.below(4) == 3:
        present = table(lambda: choices.below(2) == 1, bool)
    if ("step", 0) in columns:
        steps = columns["step", 0]
        columns["step", 0] = np.where(restarts, 0, np.where(steps == 0, 1, steps)).astype(np.int32)
    parameters: dict[str, np.ndarray] = {}
    for parameter in flow.parameters:
        if choices.below(2):
            kind = {"real": np.float64, "int": np.int64, "bool": np.bool_}[parameter.base]
            parameters[parameter.name] = np.array(
                [_within(choices, parameter.base, parameter.low, parameter.high) for _ in range(lanes)], kind
            )
    return Run(flow, columns, restarts, present, parameters, tuple(choices.shuffled(range(lanes))))


def _within(choices: Choices, base: str, low, high):
    """A value of a range, the ends more often."""
    if base == "bool":
        return choices.below(2) == 1
    edges = (low, high) if base == "int" else (low, high, 0.5 * low + 0.5 * high)
    if choices.below(2) == 0:
        return choices.pick(edges)
    return choices.between(low, high) if base == "int" else choices.real(low, high)


def _raw_value(choices: Choices, source: str, entries: list[Input], hostile: bool) -> Callable[[], object]:
    """Draws values for one column, which several inputs may read."""
    low, high = max(entry.low for entry in entries), min(entry.high for entry in entries)
    if low > high:  # no value suits all that read it
        low, high = entries[0].low, entries[0].high
    base = "real" if source not in ("ram", *WHOLE_SOURCES) and {entry.base for entry in entries} == {"real"} else "int"
    if base == "int":
        low, high = int(low), int(high)
    if source == "ram":
        low, high = (max(0, low), min(255, high)) if low <= 255 and high >= 0 else (0, 255)
        odd: list[Callable] = [lambda: choices.below(256)]
    elif source in WHOLE_SOURCES:
        odd = [lambda: choices.pick((-1, high + 1, 2**31 - 1, -(2**31)))]
    else:
        near = [
            float(np.nextafter(low, -np.inf)),
            float(np.nextafter(high, np.inf)),
            float(low) - 1.0,
            float(high) + 1.0,
        ]
        odd = [lambda: choices.pick((*ODD, *near)), choices.any_float]

    def inside():
        return _within(choices, base, low, high)

    return (lambda: choices.pick((*[inside] * len(odd), *odd))()) if hostile else inside


@dataclass(frozen=True)
class Reference:
    """The interpreter's results, lane by lane.

    ticks[tick][lane]: None where the lane was absent. memory[tick][lane]: after the tick. plain[tick][lane]: whether
    every int of the episode so far is within ±2^53. out_of_range: (lanes,).
    """

    ticks: list[list[Tick | None]]
    memory: list[list[tuple]]
    plain: np.ndarray
    out_of_range: np.ndarray


def interpret(run: Run) -> Reference:
    """Runs every lane on its own in the reference interpreter."""
    machines = [Interpreter(run.flow, run.parameters_of(lane)) for lane in range(run.lanes)]
    whole = [number for number, node in enumerate(run.flow.nodes) if node.base == "int"]
    ticks, memory, clamped = [], [], np.zeros(run.lanes, np.int64)
    plain = np.ones((run.ticks, run.lanes), bool)
    for tick in range(run.ticks):
        row: list[Tick | None] = []
        for lane, machine in enumerate(machines):
            before = tick == 0 or plain[tick - 1, lane]
            if not run.present[tick, lane]:
                plain[tick, lane] = before
                row.append(None)
                continue
            if run.restarts[tick, lane]:
                machine.reset()
                before = True
            result = machine.tick(run.raw(tick, lane))
            row.append(result)
            clamped[lane] += result.out_of_range
            plain[tick, lane] = before and all(abs(result.values[number]) <= LARGEST_INT for number in whole)
        ticks.append(row)
        memory.append([machine.memory for machine in machines])
    return Reference(ticks, memory, plain, clamped)


def bits(value) -> int:
    """The binary64 pattern of a value; every NaN is the same one."""
    number = np.float64(value)
    return int(np.float64(np.nan).view(np.int64)) if number != number else int(number.view(np.int64))
