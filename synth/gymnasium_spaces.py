"""What users' own environments show and take, described as EnvPool describes its own."""

from __future__ import annotations

import sys
from collections import namedtuple
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.cards.model import REAL_ACTION_TYPES
from hl_dsl.diagnostics import HLError
from hl_dsl.synth.gymnasium_making import REGISTRY, keep, make


@dataclass(frozen=True)
class ArraySpec:
    """What one array of the environment holds, as EnvPool describes it: one value per element of `shape`, or one for all."""

    shape: tuple[int, ...]
    dtype: np.dtype
    minimum: Any
    maximum: Any


@dataclass(frozen=True)
class Spec:
    """An environment as EnvPool would describe it. `first_action` is the number of the first of a fixed set of actions."""

    environment: str
    config: Any
    state_array_spec: dict[str, ArraySpec]
    action_array_spec: dict[str, ArraySpec]
    first_action: int
    simulator: str


@lru_cache(maxsize=64)
def users_spec(environment: str, folders: tuple[Path, ...] = ()) -> Spec:
    """The description of a user's environment; `folders` are looked in for its module, after Python's own path.

    Raises HLError: no such environment, it cannot be made, or its spaces are not made of numbers.
    """
    made = make(environment, folders, None, False)
    try:
        takes, first = _action_spec(environment, _attribute(environment, made, "action_space"))
        shown = _observation_spec(environment, _attribute(environment, made, "observation_space"))
        described = getattr(made, "spec", None)
    finally:
        keep(environment, None, made)
    limit = getattr(described, "max_episode_steps", None)
    threshold = getattr(described, "reward_threshold", None)
    values: dict[str, Any] = {"max_num_players": 1, "max_episode_steps": int(limit or 0)}
    if threshold is not None:
        values["reward_threshold"] = float(threshold)
    return Spec(environment, namedtuple("Config", values)(**values), {"obs": shown}, {"action": takes}, first, _simulator(environment, made))


def _attribute(environment: str, made: Any, name: str) -> Any:
    missing = [one for one in (name, "reset", "step") if not hasattr(made, one)]
    if missing:
        raise HLError(f"`{environment}` gave a {type(made).__name__} without {missing[0]}", "an environment has reset(seed=…), step(action), observation_space and action_space")
    return getattr(made, name)


def _observation_spec(environment: str, space: Any) -> ArraySpec:
    import gymnasium.spaces as spaces

    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.number):
        return ArraySpec(tuple(space.shape), _wide(space.dtype), space.low.ravel(), space.high.ravel())
    if isinstance(space, spaces.Discrete):
        return ArraySpec((), np.dtype(np.int64), int(space.start), int(space.start + space.n - 1))
    if isinstance(space, (spaces.MultiBinary, spaces.MultiDiscrete)):
        most = np.ones(space.shape, np.int64) if isinstance(space, spaces.MultiBinary) else space.start + space.nvec - 1
        least = np.zeros_like(most) if isinstance(space, spaces.MultiBinary) else space.start
        return ArraySpec(tuple(space.shape), np.dtype(np.int64), np.ravel(least), np.ravel(most))
    raise HLError(
        f"the observation_space of `{environment}` is {_space(space)}; a policy here reads a Box or a Discrete",
        "flatten it by gymnasium.wrappers.FlattenObservation in a `module:callable` of your own",
    )


def _action_spec(environment: str, space: Any) -> tuple[ArraySpec, int]:
    import gymnasium.spaces as spaces

    if isinstance(space, spaces.Discrete):
        return ArraySpec((), np.dtype(np.int32), 0, int(space.n) - 1), int(space.start)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        if np.dtype(space.dtype) not in map(np.dtype, REAL_ACTION_TYPES):
            raise HLError(
                f"`{environment}` takes {np.dtype(space.dtype)} actions; a policy here acts in {' or '.join(REAL_ACTION_TYPES)}",
                "wrap it in a `module:callable` of your own that takes one of these types",
            )
        return ArraySpec(tuple(space.shape), np.dtype(space.dtype), space.low.ravel(), space.high.ravel()), 0
    raise HLError(
        f"the action_space of `{environment}` is {_space(space)}; a policy here acts in a Discrete or a Box of real numbers",
        "wrap it in a `module:callable` of your own",
    )


def _wide(dtype: Any) -> np.dtype:
    """Real numbers as binary64; whole ones as they are."""
    return np.dtype(np.float64) if np.issubdtype(dtype, np.floating) else np.dtype(dtype)


def _space(space: Any) -> str:
    return f"a {type(space).__name__}"


def _simulator(environment: str, made: Any) -> str:
    """What a record says of the simulator: its version, or for a user's own code a digest of its file."""
    import gymnasium

    module = environment.partition(":")[0]
    if module == REGISTRY:
        return f"gymnasium {gymnasium.__version__}"
    file = getattr(sys.modules.get(module), "__file__", None)
    digest = sha256(Path(file).read_bytes()).hexdigest()[:8] if file and Path(file).is_file() else "unknown"
    return f"{module} (code {digest})"
