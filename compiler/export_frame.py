"""The part of a standalone export that is the same for every program.

Its text from the line of `class Policy` on is copied into the exported file, where INPUTS, PARAMETERS, MEMORY, WATCHED,
ACTION_SIZE, ACTION_TYPE and `tick` are defined above it; the source of `to_binary64` replaces its line. It needs nothing but NumPy.
"""

import numpy as np

from hl_dsl.compiler.numpy_kernel import to_binary64


class Policy:
    """The policy for `num_envs` environments at once, each with its own memory.

    parameters: name -> a number, or one for each environment; the rest take their defaults. Raises ValueError for an
    unknown name or a value outside its range.

    Counts since the last reset, each (num_envs,): `out_of_range`, observations that were outside their range or NaN, and
    `violations`, ticks at which an assumption or a monitor (by name) did not hold.
    """

    def __init__(self, num_envs=1, parameters=None):
        given = dict(parameters or {})
        self.num_envs = num_envs
        self.parameters = []
        for name, (kind, default, low, high) in PARAMETERS.items():
            value = np.asarray(given.pop(name, default))
            if not np.all((value >= low) & (value <= high)):
                raise ValueError(f"the parameter {name} leaves its range [{low}, {high}]: {value}")
            if value.astype(kind).tolist() != value.tolist():  # exact, where NumPy would compare an int as binary64
                raise ValueError(f"the parameter {name} takes {'numbers that binary64 holds' if kind is np.float64 else 'whole numbers'}: {value}")
            self.parameters.append(np.full(num_envs, value, kind))
        if given:
            raise ValueError(f"there is no parameter {', '.join(given)}; there are: {', '.join(PARAMETERS) or 'none'}")
        self.memory = [np.full(num_envs, start, kind) for _, kind, start in MEMORY]
        self.valid = [np.full(num_envs, default, kind) for _, _, _, kind, _, _, default in INPUTS]
        self.reset()

    def reset(self, environments=slice(None)):
        """Begins an episode: in all environments, or in those given by indices or a mask."""
        for values, (_, _, start) in zip(self.memory, MEMORY):
            values[environments] = start
        for values, (_, _, _, _, _, _, default) in zip(self.valid, INPUTS):
            values[environments] = default
        if isinstance(environments, slice):
            self.out_of_range = np.zeros(self.num_envs, np.int64)
            self.violations = {name: np.zeros(self.num_envs, np.int64) for name in WATCHED}

    def act(self, observations):
        """The actions of all environments on one step's observations, in the environment's type.

        observations: name of a source -> array with a row for each environment, as INPUTS lists them. Raises ValueError
        where one is missing or has another number of rows.
        """
        self.valid = [self._admitted(entry, last, observations) for entry, last in zip(INPUTS, self.valid)]
        action, memory, watched = tick(self.valid, self.memory, self.parameters)
        self.memory = [np.full(self.num_envs, values, kind) for values, (_, kind, _) in zip(memory, MEMORY)]
        for name, holds in zip(WATCHED, watched):
            self.violations[name] += ~np.full(self.num_envs, holds, bool)
        columns = [np.full(self.num_envs, values).astype(ACTION_TYPE) for values in action]
        return columns[0] if ACTION_SIZE is None else np.stack(columns, axis=1)

    def _admitted(self, entry, last, observations):
        """One observation, held to its range; what is not a number is the last valid value."""
        name, source, column, kind, low, high, _ = entry
        if source not in observations:
            raise ValueError(f"the policy reads {source} (for {name}), which is not among the observations")
        rows = np.asarray(observations[source])
        if len(rows) != self.num_envs:
            raise ValueError(f"{source} has {len(rows)} rows for {self.num_envs} environments")
        raw = self.to_binary64(rows.reshape(self.num_envs, -1)[:, column])
        if kind is np.bool_:
            mended = np.isnan(raw)
            value = np.where(mended, last, raw != 0.0)
        else:
            mended = ~((raw >= low) & (raw <= high))
            value = np.where(np.isnan(raw), last, np.where(raw < low, low, np.where(raw > high, high, raw)))
        self.out_of_range += mended
        return value.astype(kind)

    to_binary64 = staticmethod(to_binary64)
