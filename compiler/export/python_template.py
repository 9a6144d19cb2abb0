"""Template of the part of an export that is the same for every program.

Its text from the line of `class Policy` on is copied into the exported file, where INPUTS, PARAMETERS, MEMORY, WATCHED,
ACTION_SIZE, ACTION_TYPE and `tick` are defined above it; the source of `to_binary64` replaces its line. It needs
nothing but NumPy.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.number_conversion import to_binary64

# The export defines these names.
INPUTS: tuple[Any, ...]
PARAMETERS: dict[str, tuple[Any, ...]]
MEMORY: tuple[Any, ...]
WATCHED: tuple[str, ...]
ACTION_SIZE: int | None
ACTION_TYPE: Any
tick: Callable[..., Any]


class Policy:
    """The policy for `num_envs` environments, each with its own memory.

    Args:
        num_envs: Number of environments.
        parameters: Values by name, a number or an array of shape (num_envs,). The others have their defaults.

    Attributes:
        out_of_range: Number of observations outside their range or NaN since the last reset, shape (num_envs,).
        violations: By name of an assumption or monitor, the number of steps since the last reset at which it did not
            hold, each of shape (num_envs,).

    Raises:
        ValueError: A parameter is unknown or outside its range.
    """

    def __init__(self, num_envs=1, parameters=None):
        given = dict(parameters or {})
        self.num_envs = num_envs
        self.parameters = []
        for name, (kind, default, low, high) in PARAMETERS.items():
            value = np.asarray(given.pop(name, default))
            if not np.all((value >= low) & (value <= high)):
                raise ValueError(f"parameter {name} is outside its range [{low}, {high}]: {value}")
            if value.astype(kind).tolist() != value.tolist():  # exact, where NumPy would compare an int as binary64
                raise ValueError(
                    f"parameter {name} must be {'a binary64 number' if kind is np.float64 else 'an integer'}: {value}"
                )
            self.parameters.append(np.full(num_envs, value, kind))
        if given:
            raise ValueError(f"unknown parameter {', '.join(given)}; parameters: {', '.join(PARAMETERS) or 'none'}")
        self.memory = [np.full(num_envs, start, kind) for _, kind, start in MEMORY]
        self.valid = [np.full(num_envs, default, kind) for _, _, _, kind, _, _, default in INPUTS]
        self.reset()

    def reset(self, environments=slice(None)):
        """Starts an episode in all environments, or in those given by indices or a mask."""
        for values, (_, _, start) in zip(self.memory, MEMORY):
            values[environments] = start
        for values, (_, _, _, _, _, _, default) in zip(self.valid, INPUTS):
            values[environments] = default
        if isinstance(environments, slice):
            self.out_of_range = np.zeros(self.num_envs, np.int64)
            self.violations = {name: np.zeros(self.num_envs, np.int64) for name in WATCHED}

    def act(self, observations):
        """Returns the actions of all environments for the observations of one step, in the environment's type.

        Args:
            observations: Array with one row for each environment, by name of its source (see INPUTS).

        Raises:
            ValueError: A source is missing or has another number of rows.
        """
        self.valid = [self._admitted(entry, last, observations) for entry, last in zip(INPUTS, self.valid)]
        action, memory, watched = tick(self.valid, self.memory, self.parameters)
        self.memory = [np.full(self.num_envs, values, kind) for values, (_, kind, _) in zip(memory, MEMORY)]
        for name, holds in zip(WATCHED, watched):
            self.violations[name] += ~np.full(self.num_envs, holds, bool)
        columns = [np.full(self.num_envs, values).astype(ACTION_TYPE) for values in action]
        return columns[0] if ACTION_SIZE is None else np.stack(columns, axis=1)

    def _admitted(self, entry, last, observations):
        """Returns one input, clamped to its range; NaN is replaced by the last valid value."""
        name, source, column, kind, low, high, _ = entry
        if source not in observations:
            raise ValueError(f"the observations lack {source}, which the policy reads for {name}")
        rows = np.asarray(observations[source])
        if len(rows) != self.num_envs:
            raise ValueError(f"{source} has {len(rows)} rows for {self.num_envs} environments")
        raw = self.to_binary64(rows.reshape(self.num_envs, -1)[:, column])
        if kind is np.bool_:
            clamped = np.isnan(raw)
            value = np.where(clamped, last, raw != 0.0)
        else:
            clamped = ~((raw >= low) & (raw <= high))
            value = np.where(np.isnan(raw), last, np.where(raw < low, low, np.where(raw > high, high, raw)))
        self.out_of_range += clamped
        return value.astype(kind)

    to_binary64 = staticmethod(to_binary64)
