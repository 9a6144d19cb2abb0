"""Compiled policy: acts in a batch of environments."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.backend import Lanes
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.controller import Controller
from hl_dsl.compiler.ir.dataflow import Dataflow, Parameter
from hl_dsl.input_sources.table import INPUT_SOURCES, SOURCE_NAMES

BACKENDS = ("tape", "numpy", "interpreter")


class Policy(Controller):
    """Runs a program in many lanes at once, one lane for each environment.

    >>> policy = Program.load("policies/cartpole/start.hl").compile()
    >>> policy.reset(2)
    >>> policy.act({"observation": np.zeros((2, 4), np.float32)})
    array([0, 0], dtype=int32)

    Args:
        flow: The program's graph.
        parameters: Values by name (`name`, or `name[i]` for a component), a number or one for each lane. The other
            parameters have their defaults.
        backend: "tape" (one compiled loop for all programs), "numpy", "interpreter", or "auto": the tape, or NumPy if
            numba is missing or fails.

    Attributes:
        note: Why "auto" did not choose the tape.

    Raises:
        HLError: A parameter is unknown or outside its range (proofs hold inside), or the back end does not work.
    """

    own_sources: frozenset[str] = frozenset()  # input sources that the policy computes itself

    def __init__(self, flow: Dataflow, parameters: Mapping[str, object] | None = None, backend: str = "auto"):
        self.flow = flow
        self.note: str | None = None
        self.parameters = [
            _checked(parameter, (parameters or {}).get(parameter.name, parameter.default))
            for parameter in flow.parameters
        ]
        unknown = sorted(set(parameters or {}) - {parameter.name for parameter in flow.parameters})
        if unknown:
            known = ", ".join(f"`{parameter.name}`" for parameter in flow.parameters) or "none"
            raise HLError(f"the policy has no parameter `{unknown[0]}`", f"its parameters: {known}")
        self._lanes = self._choose(backend)
        self._num_lanes: int | None = None
        # One call less for each tick.
        self.tick = self._lanes.tick  # type: ignore[method-assign]  # the lanes' own method, for speed

    def _choose(self, backend: str) -> Lanes:
        if backend not in ("auto", *BACKENDS):
            raise HLError(f"unknown back end `{backend}`", f"back ends: auto, {', '.join(BACKENDS)}")
        if backend == "interpreter":
            from hl_dsl.compiler.backends.interpreter_backend import InterpreterLanes

            return InterpreterLanes(self.flow)
        if backend != "numpy":
            from hl_dsl.compiler.backends.tape.program import NotCompiled, TapeLanes

            try:
                return TapeLanes(self.flow)
            except NotCompiled as error:
                if backend == "tape":
                    raise HLError(
                        f"the compiled back end does not work here ({error})",
                        "install numba, or use the back end `numpy`",
                    ) from error
                self.note = f"the compiled back end does not work here, so the slower NumPy form is used ({error})"
        from hl_dsl.compiler.backends.numpy_backend.lanes import NumpyLanes

        return NumpyLanes(self.flow)

    @property
    def backend(self) -> str:
        """Name of the back end."""
        return self._lanes.name

    def reset(self, num_lanes: int) -> None:
        """Starts an episode in each of `num_lanes` lanes: memory has its initial values, counters are 0.

        Raises:
            HLError: A parameter has another number of values than there are lanes.
        """
        for parameter, value in zip(self.flow.parameters, self.parameters):
            if np.ndim(value) and len(value) != num_lanes:
                raise HLError(f"the parameter `{parameter.name}` has {len(value)} values for {num_lanes} lanes")
        self._lanes.start(num_lanes, self.parameters)
        self._num_lanes = num_lanes

    def tick(self, frame) -> np.ndarray:
        """The actions of the lanes in `frame`, in the environment's dtype and shape, contiguous.

        Row i of the frame is lane `frame.lanes[i]`. A lane starts a new episode where `frame.step` is 0. Other lanes
        are not changed.
        """
        return self._lanes.tick(frame)

    def act(self, observations: Mapping[str, object]) -> np.ndarray:
        """The actions of all lanes, from arrays with one row for each lane.

        Args:
            observations: Arrays by input source: "ram" (n, 128), "observation" (n, d), "reward" (n,), "lives" (n,),
                "step" (n,), and "plan" (n, m) if the policy has one. Sources that the policy does not read are
                optional. A lane starts a new episode where "step" is 0; without "step" none does.

        Raises:
            HLError: There are no lanes yet, or a source is unknown, missing or has a wrong shape.
        """
        count = self._num_lanes
        if count is None:
            raise HLError("the policy has no lanes yet", "call reset(num_lanes) first")
        unknown = sorted(set(observations) - set(SOURCE_NAMES))
        if unknown:
            raise HLError(f"unknown source `{unknown[0]}`", f"sources: {', '.join(SOURCE_NAMES)}")
        rows = {source: np.asarray(values) for source, values in observations.items()}
        missing = sorted(set(self._lanes.columns) - self.own_sources - set(rows))
        if missing:
            raise HLError(f"the policy reads `{missing[0]}`, which is not among the observations")
        if "observation" in rows and rows["observation"].ndim != 2:
            rows["observation"] = rows["observation"].reshape(count, -1)
        for source in INPUT_SOURCES:
            if source.default is not None:
                rows.setdefault(source.name, np.full(count, source.default, source.dtypes[0]))
        frame = SimpleNamespace(
            lanes=np.arange(count, dtype=np.int32), **{source: rows.get(source) for source in SOURCE_NAMES}
        )
        return self.tick(frame)

    def adopt(self, other: Policy, theirs: np.ndarray, mine: np.ndarray) -> None:
        """Copies the state of lane `theirs[i]` of another policy to lane `mine[i]`; see `Lanes.adopt`."""
        self._lanes.adopt(other._lanes, theirs, mine)

    def stored(self, cell: int, lanes: np.ndarray) -> np.ndarray:
        """Values after the last tick of the memory cell at a position of the program's list, (k,)."""
        return self._lanes.stored(cell, lanes)

    @property
    def memory(self) -> dict[str, np.ndarray]:
        """Values of the memory cells after the last tick by name, each (n,)."""
        return self._lanes.memory()

    @property
    def out_of_range(self) -> np.ndarray:
        """Observations outside their range or NaN since the last `reset`, (n,) int64."""
        return self._lanes.out_of_range()

    @property
    def assumption_violations(self) -> np.ndarray:
        """Ticks at which each `assume` was violated since the last `reset`, (n, A) int64."""
        return self._violations("assume")

    @property
    def monitor_violations(self) -> np.ndarray:
        """Ticks at which each `monitor` was violated since the last `reset`, (n, M) int64."""
        return self._violations("monitor")

    def counts(self) -> tuple[EpisodeCounts, ...]:
        """The counts since the last `reset`, one for each lane."""
        return EpisodeCounts.rows(self.out_of_range, self.assumption_violations, self.monitor_violations)

    def _violations(self, kind: str) -> np.ndarray:
        return self._lanes.violations()[:, [item.kind == kind for item in self._lanes.watched]]


def _checked(parameter: Parameter, value: object) -> Any:
    """A parameter's value, or values, as numbers of its type."""
    values = np.asarray(value)
    if values.ndim > 1 or values.dtype.kind not in "biuf":
        raise HLError(f"the parameter `{parameter.name}` takes a number, or one for each lane, not {value!r}")
    if not np.all((values >= parameter.low) & (values <= parameter.high)):
        raise HLError(
            f"the parameter `{parameter.name}` leaves its range [{parameter.low}, {parameter.high}]: {value!r}"
        )
    converted = values.astype(
        {"real": np.dtype(np.float64), "int": np.dtype(np.int64), "bool": np.dtype(bool)}[parameter.base]
    )
    if converted.tolist() != values.tolist():  # Python compares an int with a float exactly, NumPy as binary64
        raise HLError(f"the parameter `{parameter.name}` takes {parameter.base} values, not {value!r}")
    return converted if converted.ndim else converted.item()
