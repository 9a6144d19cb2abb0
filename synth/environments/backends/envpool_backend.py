"""EnvPool back end.

Facts about EnvPool 1.2.5, each shown by a test: `env_seed` gives a lane exactly what its seed gives alone; a pool takes
actions for some of its lanes and answers for those, in the order sent, so lanes that ended are not stepped; a second
reset continues a lane's random numbers, so each evaluation has a new pool, except where the protocol draws no random
number at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards.capabilities import Capabilities, Rendering
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.number_conversion import is_exact_in_binary64, to_binary64
from hl_dsl.synth.environments.backends.backend import (
    ArraySpec,
    EnvironmentBackend,
    EnvironmentSpec,
    SimulatorRequest,
)
from hl_dsl.synth.environments.backends.idle_simulators import IdleSimulators

# Settings of EnvPool that describe this machine or this call, and not the world that is simulated.
_NOT_OF_THE_WORLD = frozenset(
    ("num_envs", "batch_size", "num_threads", "max_num_players", "thread_affinity_offset", "base_path", "seed")
    + ("env_seed", "gym_reset_return_info", "reward_threshold")
)
_MAX_IDLE_POOLS = 4
_MAX_WIDTH_RATIO = 2  # an idle pool serves if it has at most this many times the lanes; its buffers have full width
# The state keys of EnvPool that are input sources, in addition to the observation.
_SOURCE_KEYS = {"ram": "info:ram", "reward": "reward", "lives": "info:lives", "step": "elapsed_step"}
_RAM_BYTES = 128
# Capabilities of EnvPool's packages; another package has the defaults.
_CAPABILITIES = {
    "atari": Capabilities(has_pixels=True, rendering=Rendering.IN_MEMORY, frames_per_second=60, picture_scale=3),
    "box2d": Capabilities(rendering=Rendering.IN_MEMORY),
    "classic_control": Capabilities(rendering=Rendering.IN_MEMORY),
}


class _IdlePool(NamedTuple):
    environment: str
    options: tuple
    num_threads: int
    seeds: tuple[int, ...]
    pool: Any

    def close(self) -> None:
        self.pool.close()


class EnvPoolBackend(EnvironmentBackend):
    """A pool of EnvPool."""

    name = "envpool"

    @classmethod
    def owns(cls, environment: str) -> bool:
        """True: EnvPool's ids have no form of their own."""
        return True

    @classmethod
    def load(cls) -> None:
        """Imports EnvPool."""
        _envpool()

    @classmethod
    def environments(cls) -> list[str]:
        """EnvPool's own list."""
        return _envpool().list_all_envs()

    @classmethod
    def describe(
        cls, environment: str, options: Mapping[str, Any], folders: tuple[Path, ...], idle: IdleSimulators
    ) -> EnvironmentSpec:
        """Describes an environment; see the base class."""
        try:
            spec = _without_warnings(_envpool().make_spec, environment, **options)
        except Exception as error:
            if environment in cls.environments():
                raise HLError(f"EnvPool cannot describe `{environment}`: {error}") from error
            raise _unknown(environment, cls.environments()) from error
        config, states, actions = spec.config._asdict(), spec.state_array_spec, spec.action_array_spec
        package = type(spec).__mro__[1].__module__.split(".")
        family = package[1] if len(package) > 1 else package[0]
        widths = {"reward": 1, "step": 1}
        widths |= {"ram": _RAM_BYTES} if "info:ram" in states else {}
        widths |= {"lives": 1} if "info:lives" in states else {}
        return EnvironmentSpec(
            environment=environment,
            family=family,
            simulator=f"envpool {_envpool().__version__}",
            settings={key: value for key, value in config.items() if key not in _NOT_OF_THE_WORLD},
            max_episode_steps=config.get("max_episode_steps"),
            reward_threshold=config.get("reward_threshold"),
            players=config["max_num_players"],
            action=_array_spec(actions["action"]) if "action" in actions else None,
            observation=tuple(_array_spec(array) for key, array in states.items() if _is_observation(key)),
            widths=widths,
            capabilities=_CAPABILITIES.get(family, Capabilities()),
        )

    def __init__(self, request: SimulatorRequest, idle: IdleSimulators):
        self._request, self._idle = request, idle.of(self.name)
        self._waiting = False
        self._pool, self._seeds = self._open()
        places = {key: place for place, key in enumerate(self._pool._state_keys)}
        self._sources = [(name, places[key]) for name, key in _SOURCE_KEYS.items() if key in places]
        self._parts = [place for key, place in places.items() if _is_observation(key)]  # of the observation
        if request.spec.capabilities.has_pixels:
            self._sources.append(("observation", self._parts.pop()))
        self._done, self._truncated = places["done"], places["trunc"]

    def reset(self, lanes: np.ndarray) -> Frame:
        """Starts an episode in `lanes`."""
        self._waiting = True
        self._pool._reset(lanes)
        return self._receive(lanes)

    def step(self, lanes: np.ndarray, actions: np.ndarray) -> Frame:
        """Takes one step in `lanes`."""
        self._waiting = True
        # The pool's own send and receive, without the 40 us of wrapping that its `step` puts around them.
        self._pool._send([lanes, lanes, actions])
        return self._receive(lanes)

    def render(self, lane: int) -> np.ndarray:
        """Returns a picture of a lane, (height, width, 3) uint8."""
        return self._pool.render(env_ids=np.array([lane], np.int32))[0]

    def close(self) -> None:
        """Keeps the pool if nothing is drawn at random, and else ends it."""
        request = self._request
        if self._waiting or request.render or request.draws_at_random:
            self._pool.close()
            return
        self._idle.append(_IdlePool(*self._kind(), self._seeds, self._pool))
        while len(self._idle) > _MAX_IDLE_POOLS:
            self._idle.pop(0).close()

    def _receive(self, lanes: np.ndarray) -> Frame:
        state = self._pool._recv()
        self._waiting = False
        sources = {}
        for name, place in self._sources:
            sources[name] = state[place]
        if self._parts:
            sources["observation"] = _concatenated([state[place] for place in self._parts], len(lanes))
        done = state[self._done]
        # `1 in bytes` is a tenth of the cost of done.any().
        return Frame(lanes, sources, done, state[self._truncated], 1 in done.tobytes())

    def _kind(self) -> tuple[str, tuple, int]:
        request = self._request
        return request.spec.environment, tuple(sorted(request.options.items())), request.num_threads

    def _open(self) -> tuple[Any, tuple[int, ...]]:
        """A pool whose lane i has seed `seeds[i]` and whose next reset is like the first, and its seeds.

        Loading a cartridge costs as much as a thousand frames. Where nothing is drawn at random a reset restores the
        very same start, so a pool that served such a protocol serves again.
        """
        request, lanes = self._request, len(self._request.seeds)
        fitting = [
            idle
            for idle in self._idle
            if idle[:3] == self._kind()
            and idle.seeds[:lanes] == request.seeds
            and len(idle.seeds) <= _MAX_WIDTH_RATIO * lanes
        ]
        if fitting and not request.render:
            best = min(fitting, key=lambda idle: len(idle.seeds))
            self._idle.remove(best)
            return best.pool, best.seeds
        rendering = {"render_mode": "rgb_array"} if request.render else {}
        try:
            pool = _without_warnings(
                _envpool().make_gymnasium,
                request.spec.environment,
                num_envs=lanes,
                env_seed=list(request.seeds),
                num_threads=request.num_threads,
                **rendering,
                **request.options,
            )
        except Exception as error:
            raise HLError(f"EnvPool cannot start `{request.spec.environment}`: {error}") from error
        return pool, request.seeds


def _is_observation(key: str) -> bool:
    return key == "obs" or key.startswith("obs:")


def _array_spec(array: Any) -> ArraySpec:
    """The part of one player: some of EnvPool's arrays lead with an axis for players, written -1."""
    shape = tuple(array.shape)
    return ArraySpec(shape[1:] if shape[:1] == (-1,) else shape, np.dtype(array.dtype), array.minimum, array.maximum)


def _concatenated(parts: list[np.ndarray], rows: int) -> np.ndarray:
    if len(parts) == 1 and parts[0].ndim == 2:
        return parts[0]
    exact = (part if is_exact_in_binary64(part.dtype) else to_binary64(part) for part in parts)
    return np.concatenate([part.reshape(rows, -1) for part in exact], axis=1)


def _envpool() -> Any:
    import envpool

    return envpool


def _without_warnings(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Calls EnvPool without its warnings about the precision of its own spaces."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def _unknown(environment: str, known: list[str]) -> HLError:
    from difflib import get_close_matches

    near = get_close_matches(environment, known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "EnvPool's ids look like Breakout-v5, CartPole-v1, Ant-v5"
    return HLError(f"EnvPool has no environment `{environment}`", hint)
