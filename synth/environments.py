"""The one module that talks to simulators, and so the one that counts environment steps.

Facts it rests on (EnvPool 1.2.5, each shown by a test): `env_seed` gives a lane exactly what its seed gives alone;
a pool takes actions for some of its lanes and answers for those, in the order sent, so lanes that ended are left
alone; a second reset goes on with the lane's random numbers, so each evaluation has a new pool, except where the
protocol draws no random number at all. Users' own environments (an id with a colon) answer to the same calls.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.lanes import is_exact_in_binary64
from hl_dsl.compiler.numpy_kernel import to_binary64
from hl_dsl.diagnostics import HLError
from hl_dsl.synth.fitting import check_fit
from hl_dsl.synth.frame import Frame
from hl_dsl.synth.gymnasium_making import is_users_own
from hl_dsl.synth.gymnasium_pool import UsersPool
from hl_dsl.synth.gymnasium_spaces import users_spec
from hl_dsl.synth.protocols import draws_at_random, protocol_options

# What a simulator's settings say about this machine or this call, and not about the world that is simulated.
_NOT_OF_THE_WORLD = frozenset(
    "num_envs batch_size num_threads max_num_players thread_affinity_offset base_path seed env_seed "
    "gym_reset_return_info reward_threshold".split()
)
_MOST_IDLE_POOLS = 4
_WIDEST_FIT = 2

_total_steps = 0
_idle_pools: list[tuple[tuple, tuple[int, ...], Any]] = []


def steps_taken() -> int:
    """Environment steps taken by this process and its workers, in every evaluation and probe together."""
    return _total_steps


def count_elsewhere(steps: int) -> None:
    """Counts steps that a worker took for this process."""
    global _total_steps
    _total_steps += steps


def load_simulator() -> None:
    """Imports the simulator, where it is not yet."""
    _envpool()


def every_environment() -> list[str]:
    """Every id the simulator knows, with or without a card."""
    return _envpool().list_all_envs()


def simulator_spec(environment: str, options: dict | None = None, folders: tuple[Path, ...] = ()) -> Any:
    """The simulator's own description of an environment. A user's own is looked for in `folders`, too.

    Raises HLError for an id it does not have, and where a user's own cannot be described.
    """
    if is_users_own(environment):
        return users_spec(environment, folders)
    try:
        return _quietly(_envpool().make_spec, environment, **(options or {}))
    except Exception as error:
        if environment in every_environment():
            raise HLError(f"EnvPool cannot describe `{environment}`: {error}") from error
        raise _unknown(environment) from error


class Environments:
    """Lanes of one environment under one protocol, lane i with seed `seeds[i]`.

    `max_steps` ends every episode after that many steps, as a truncation. `render` lets `render()` draw a lane.
    `steps` counts the steps taken by this object, the ones sent but not answered at an interrupt included. `options`
    are all the settings that shape the simulated world. Raises HLError: no such protocol, a seed outside 0..2^31-1, a
    card that does not fit the simulator, a simulator that does not start.
    """

    def __init__(
        self,
        card: Card,
        protocol: str,
        seeds: Sequence[int],
        num_threads: int = 0,
        max_steps: int | None = None,
        render: bool = False,
    ):
        self.card = card
        self.seeds = tuple(int(seed) for seed in seeds)
        if not self.seeds:
            raise HLError("an evaluation needs at least one seed")
        for seed in self.seeds:
            if not 0 <= seed < 2**31:
                raise HLError(f"the seed {seed} is not one the simulator takes", "seeds are 0 to 2147483647")
        if max_steps is not None and max_steps < 1:
            raise HLError(f"an episode of at most {max_steps} steps has none", "give --max-steps 1 or more")
        stated = protocol_options(card, protocol)
        spec = self._spec = simulator_spec(card.environment, stated, _folders_of(card))
        check_fit(card, spec)
        config = {key: value for key, value in spec.config._asdict().items() if key not in _NOT_OF_THE_WORLD}
        if is_users_own(card.environment):
            config |= stated
        self.options = {"simulator": _simulator_of(spec), **config, "max_steps": max_steps}
        self.steps = 0
        self._stated = stated
        self._num_threads = num_threads
        self._limit = max_steps
        self._render = render
        self._dtype = np.dtype(card.action.dtype)
        self._pool: Any = None
        self._waiting = False

    def reset(self) -> Frame:
        """Starts an episode in every lane, the same one each time. `step` is 0, `reward` 0, nothing done."""
        self.close()
        lanes = np.arange(len(self.seeds), dtype=np.int32)
        pool = self._pool = self._take_pool()
        keys = {key: place for place, key in enumerate(pool._state_keys)}
        self._place = tuple(keys.get(key, -1) for key in ("info:ram", "reward", "info:lives", "elapsed_step", "done", "trunc"))
        self._observations = [place for key, place in keys.items() if key == "obs" or key.startswith("obs:")]
        self._pixels = self.card.family == "atari"
        self._elapsed = 0
        self.keep(lanes)
        self._waiting = True
        pool._reset(lanes)
        frame = self._receive(lanes)
        frame.reward = np.zeros(len(lanes), np.float32)
        return frame

    def step(self, actions: np.ndarray) -> Frame:
        """One step of every lane that was not done in the last frame, `actions[i]` for the i-th of them.

        `actions` must have the card's dtype and `card.action.shape(lanes)`: raises ValueError otherwise.
        """
        global _total_steps
        if actions.dtype != self._dtype or actions.shape != self._shape or not actions.flags.c_contiguous:
            raise ValueError(
                f"actions must be a contiguous {self._dtype} array of shape {self._shape}, not {actions.dtype} {actions.shape}"
            )
        lanes = self._lanes
        count = len(lanes)
        if not count:
            raise ValueError("every lane is done")
        self.steps += count
        _total_steps += count
        self._waiting = True
        # The pool's own send and receive, without the 40 us of wrapping that `step` puts around them.
        self._pool._send([lanes, lanes, actions])
        frame = self._receive(lanes)
        self._elapsed += 1
        if self._elapsed == self._limit:
            frame.truncated = frame.truncated | ~frame.done
            frame.done = np.ones(count, bool)
            frame.ended = True
        if frame.ended:
            self.keep(lanes[~frame.done])
        return frame

    def keep(self, lanes: np.ndarray) -> None:
        """Goes on with `lanes` (int32) only; the others are left where they are."""
        self._lanes = np.ascontiguousarray(lanes, np.int32)
        self._shape = self.card.action.shape(len(lanes))

    def render(self, lane: int) -> np.ndarray:
        """A picture of a lane as it stands, (height, width, 3) uint8."""
        return self._pool.render(env_ids=np.array([lane], np.int32))[0]

    def close(self) -> None:
        """Lets the pool go. Harmless when there is none."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if self._waiting or self._render or draws_at_random(self._stated):
            pool.close()
            return
        _idle_pools.append((self._kind(), self._pool_seeds, pool))
        while len(_idle_pools) > _MOST_IDLE_POOLS:
            _idle_pools.pop(0)[2].close()

    def _receive(self, lanes: np.ndarray) -> Frame:
        state = self._pool._recv()
        self._waiting = False
        ram, reward, lives, step, done, truncated = self._place
        if self._pixels:
            observation = state[self._observations[0]]
        else:
            observation = _flat([state[place] for place in self._observations], len(lanes))
        finished = state[done]
        return Frame(
            lanes,
            None if ram < 0 else state[ram],
            observation,
            state[reward],
            None if lives < 0 else state[lives],
            state[step],
            finished,
            state[truncated],
            1 in finished.tobytes(),  # a tenth of the cost of finished.any()
        )

    def _kind(self) -> tuple:
        return self.card.environment, tuple(sorted(self._stated.items())), self._num_threads

    def _take_pool(self) -> Any:
        """A pool whose lane i has seed `seeds[i]` and whose next reset is the first one, or cannot be told from it.

        Loading a cartridge costs as much as a thousand frames. Where nothing is drawn at random a reset restores the
        very same start, so a pool that served such a protocol serves again, unless it is so much wider than what is
        asked for that its buffers, which are always of full width, would cost more than they save.
        """
        lanes = len(self.seeds)
        fitting = [
            one for one in _idle_pools
            if one[0] == self._kind() and one[1][:lanes] == self.seeds and len(one[1]) <= _WIDEST_FIT * lanes
        ]  # fmt: skip
        if fitting and not self._render:
            best = min(fitting, key=lambda one: len(one[1]))
            _idle_pools.remove(best)
            self._pool_seeds = best[1]
            return best[2]
        self._pool_seeds = self.seeds
        if is_users_own(self.card.environment):
            return UsersPool(self._spec, _folders_of(self.card), self.seeds, self.card.max_episode_steps, self._render)
        more = {"render_mode": "rgb_array"} if self._render else {}
        try:
            return _quietly(
                _envpool().make_gymnasium,
                self.card.environment,
                num_envs=len(self.seeds),
                env_seed=list(self.seeds),
                num_threads=self._num_threads,
                **more,
                **self._stated,
            )
        except Exception as error:
            raise HLError(f"EnvPool cannot start `{self.card.environment}`: {error}") from error


def _folders_of(card: Card) -> tuple[Path, ...]:
    """Where a user's module may lie: with its card, or above the card's folder `cards/`."""
    folder = Path(card.origin).parent
    return (folder, folder.parent) if card.origin.endswith(".toml") else ()


def _simulator_of(spec: Any) -> str:
    return getattr(spec, "simulator", None) or f"envpool {_envpool().__version__}"


def _flat(parts: list[np.ndarray], rows: int) -> np.ndarray:
    if len(parts) == 1 and parts[0].ndim == 2:
        return parts[0]
    exact = (part if is_exact_in_binary64(part.dtype) else to_binary64(part) for part in parts)
    return np.concatenate([part.reshape(rows, -1) for part in exact], axis=1)


def _envpool() -> Any:
    import envpool

    return envpool


def _quietly(make, *arguments, **options) -> Any:
    """Calls the simulator without its warnings about the precision of its own spaces."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*arguments, **options)


def _unknown(environment: str) -> HLError:
    from difflib import get_close_matches

    near = get_close_matches(environment, every_environment(), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "EnvPool's ids look like Breakout-v5, CartPole-v1, Ant-v5"
    return HLError(f"EnvPool has no environment `{environment}`", hint)
