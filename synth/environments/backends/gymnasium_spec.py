"""Description of users' own environments."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards.model import REAL_ACTION_TYPES
from hl_dsl.synth.environments.backends.backend import ArraySpec, EnvironmentSpec
from hl_dsl.synth.environments.backends.gymnasium_factory import REGISTRY, GymnasiumFactory


def describe_environment(factory: GymnasiumFactory, options: Mapping[str, Any]) -> EnvironmentSpec:
    """Describes the environment that `factory` makes; `options` are what the protocol states.

    Raises HLError: there is no such environment, it cannot be made, or its spaces do not hold numbers.
    """
    name = factory.environment
    environment = factory.make(None, False)
    try:
        action, first_action = _action_spec(name, _attribute(name, environment, "action_space"))
        observation = _observation_spec(name, _attribute(name, environment, "observation_space"))
        registered = getattr(environment, "spec", None)
    finally:
        factory.keep(None, environment)
    limit = getattr(registered, "max_episode_steps", None)
    threshold = getattr(registered, "reward_threshold", None)
    return EnvironmentSpec(
        environment=name,
        family=name.partition(":")[0],
        simulator=_simulator(name),
        settings={"max_episode_steps": int(limit or 0), **options},
        max_episode_steps=int(limit or 0),
        reward_threshold=None if threshold is None else float(threshold),
        players=1,
        action=action,
        observation=(observation,),
        widths={"reward": 1, "step": 1},
        first_action=first_action,
    )


def _attribute(name: str, environment: Any, attribute: str) -> Any:
    missing = [member for member in (attribute, "reset", "step") if not hasattr(environment, member)]
    if missing:
        raise HLError(
            f"`{name}` gave a {type(environment).__name__} without {missing[0]}",
            "an environment has reset(seed=…), step(action), observation_space and action_space",
        )
    return getattr(environment, attribute)


def _observation_spec(name: str, space: Any) -> ArraySpec:
    import gymnasium.spaces as spaces

    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.number):
        return ArraySpec(tuple(space.shape), _widened(space.dtype), space.low.ravel(), space.high.ravel())
    if isinstance(space, spaces.Discrete):
        return ArraySpec((), np.dtype(np.int64), int(space.start), int(space.start + space.n - 1))
    if isinstance(space, (spaces.MultiBinary, spaces.MultiDiscrete)):
        high = np.ones(space.shape, np.int64) if isinstance(space, spaces.MultiBinary) else space.start + space.nvec - 1
        low = np.zeros_like(high) if isinstance(space, spaces.MultiBinary) else space.start
        return ArraySpec(tuple(space.shape), np.dtype(np.int64), np.ravel(low), np.ravel(high))
    raise HLError(
        f"the observation_space of `{name}` is a {type(space).__name__}; a policy here reads a Box or a Discrete",
        "flatten it by gymnasium.wrappers.FlattenObservation in a `module:callable` of your own",
    )


def _action_spec(name: str, space: Any) -> tuple[ArraySpec, int]:
    """The action, and the number of the first of a fixed set of actions."""
    import gymnasium.spaces as spaces

    if isinstance(space, spaces.Discrete):
        return ArraySpec((), np.dtype(np.int32), 0, int(space.n) - 1), int(space.start)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        if np.dtype(space.dtype) not in map(np.dtype, REAL_ACTION_TYPES):
            raise HLError(
                f"`{name}` takes {np.dtype(space.dtype)} actions; "
                f"a policy here acts in {' or '.join(REAL_ACTION_TYPES)}",
                "wrap it in a `module:callable` of your own that takes one of these types",
            )
        return ArraySpec(tuple(space.shape), np.dtype(space.dtype), space.low.ravel(), space.high.ravel()), 0
    raise HLError(
        f"the action_space of `{name}` is a {type(space).__name__}; "
        "a policy here acts in a Discrete or a Box of real numbers",
        "wrap it in a `module:callable` of your own",
    )


def _widened(dtype: Any) -> np.dtype:
    """Binary64 for real numbers; a type of whole numbers as it is."""
    return np.dtype(np.float64) if np.issubdtype(dtype, np.floating) else np.dtype(dtype)


def _simulator(environment: str) -> str:
    """The simulator as a record states it: its version, or for a user's own code a digest of its file."""
    import gymnasium

    module = environment.partition(":")[0]
    if module == REGISTRY:
        return f"gymnasium {gymnasium.__version__}"
    file = getattr(sys.modules.get(module), "__file__", None)
    digest = sha256(Path(file).read_bytes()).hexdigest()[:8] if file and Path(file).is_file() else "unknown"
    return f"{module} (code {digest})"
