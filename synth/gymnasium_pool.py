"""Users' own environments: objects with Gymnasium's interface, behind the same few calls as a pool of EnvPool.

An id with a colon names one: `gymnasium:ID` is made by Gymnasium's registry, `module:callable` by calling a function or
a class. Lanes are stepped one after another. What the user's code raises becomes an HLError that names it; what it prints
goes to stderr, since stdout may be a document.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import namedtuple
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, Sequence

import numpy as np

from hl_dsl.diagnostics import HLError

REGISTRY = "gymnasium"
_MOST_IDLE = 64

_idle: dict[tuple[str, int | None], list[Any]] = {}


def is_users_own(environment: str) -> bool:
    """Whether the id names an environment that EnvPool does not have."""
    return ":" in environment


class EnvironmentFailed(HLError):
    """An environment that played, and then raised or answered with what it must not. Steps may have been taken."""


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
    made = _make(environment, folders, None, False)
    try:
        takes, first = _action_spec(environment, _attribute(environment, made, "action_space"))
        shown = _observation_spec(environment, _attribute(environment, made, "observation_space"))
        described = getattr(made, "spec", None)
    finally:
        _keep(environment, None, made)
    limit = getattr(described, "max_episode_steps", None)
    threshold = getattr(described, "reward_threshold", None)
    values = {"max_num_players": 1, "max_episode_steps": int(limit or 0), **({} if threshold is None else {"reward_threshold": float(threshold)})}
    return Spec(environment, namedtuple("Config", values)(**values), {"obs": shown}, {"action": takes}, first, _simulator(environment, made))


class UsersPool:
    """One environment for each seed, answering as a pool of EnvPool does: `_reset` or `_send`, then `_recv`.

    `max_steps` ends an episode as a truncation. Raises HLError where an environment cannot be made, and EnvironmentFailed
    where one raises, or answers with something else than its spaces and Gymnasium's interface promise.
    """

    _state_keys = ("obs", "reward", "elapsed_step", "done", "trunc")

    def __init__(self, spec: Spec, folders: Sequence[Path], seeds: Sequence[int], max_steps: int, render: bool):
        self._spec, self._seeds, self._limit, self._render = spec, seeds, max_steps, render
        self._lanes = [_make(spec.environment, tuple(folders), max_steps, render) for _ in seeds]
        self._elapsed = np.zeros(len(seeds), np.int32)
        self._failed = False
        self._waiting: Callable[[], list[np.ndarray]] = lambda: []

    def _reset(self, lanes: np.ndarray) -> None:
        self._elapsed[lanes] = 0
        self._waiting = lambda: self._frame(lanes, [(*self._begin(int(lane)), 0.0, False, False) for lane in lanes])

    def _send(self, sent: list[np.ndarray]) -> None:
        lanes, _, actions = sent
        self._elapsed[lanes] += 1
        self._waiting = lambda: self._frame(lanes, [self._step(int(lane), action) for lane, action in zip(lanes, actions)])

    def _recv(self) -> list[np.ndarray]:
        try:
            with redirect_stdout(sys.stderr):
                return self._waiting()
        except BaseException:
            self._failed = True
            raise

    def render(self, env_ids: np.ndarray) -> np.ndarray:
        """Pictures of some lanes, (n, height, width, 3) uint8."""
        pictures = [self._asked("render", self._lanes[int(lane)].render) for lane in env_ids]
        if any(not isinstance(one, np.ndarray) or one.ndim != 3 for one in pictures):
            raise EnvironmentFailed(f"`{self._spec.environment}` gave no picture to draw", "its render() must return an array (height, width, 3)")
        return np.stack(pictures)

    def close(self) -> None:
        """Lets the environments serve again, since a reset with a seed begins anew, but for those that failed or draw."""
        lanes, self._lanes = self._lanes, []
        for one in lanes:
            if self._render or self._failed:
                with suppress(Exception):
                    one.close()
            else:
                _keep(self._spec.environment, self._limit, one)

    def _begin(self, lane: int) -> tuple[np.ndarray]:
        answer = self._asked("reset", lambda: self._lanes[lane].reset(seed=self._seeds[lane]))
        if not (isinstance(answer, tuple) and len(answer) == 2):
            raise self._wrong("reset", f"gave {_kind(answer)}", "an observation and a dictionary")
        return (self._numbers("reset", answer[0]),)

    def _step(self, lane: int, action: Any) -> tuple[np.ndarray, float, bool, bool]:
        given = int(action) + self._spec.first_action if action.ndim == 0 else action.copy()
        answer = self._asked("step", lambda: self._lanes[lane].step(given))
        if not (isinstance(answer, tuple) and len(answer) == 5):
            raise self._wrong("step", f"gave {_kind(answer)}", "observation, reward, terminated, truncated and a dictionary")
        observation, reward, terminated, truncated, _ = answer
        try:
            reward = float(reward)
        except (TypeError, ValueError) as error:
            raise self._wrong("step", f"gave {_kind(reward)} as its reward", "a number") from error
        if not np.isfinite(reward):
            raise self._wrong("step", f"gave the reward {reward} on step {self._elapsed[lane]} of seed {self._seeds[lane]}", "a finite number")
        ended = bool(terminated)
        return self._numbers("step", observation), reward, ended, not ended and (bool(truncated) or self._elapsed[lane] >= self._limit)

    def _numbers(self, call: str, observation: Any) -> np.ndarray:
        shown = self._spec.state_array_spec["obs"]
        try:
            numbers = np.asarray(observation, shown.dtype)
        except (TypeError, ValueError) as error:
            raise self._wrong(call, f"gave {_kind(observation)} as its observation", "numbers as its observation_space says") from error
        if numbers.shape != shown.shape:
            raise self._wrong(call, f"gave an observation of shape {numbers.shape}", f"{shown.shape}, as its observation_space says")
        return numbers

    def _frame(self, lanes: np.ndarray, answers: list[tuple]) -> list[np.ndarray]:
        observations, rewards, terminated, truncated = zip(*answers)
        cut = np.array(truncated, bool)
        return [np.stack(observations).reshape(len(lanes), -1), np.array(rewards), self._elapsed[lanes], np.array(terminated, bool) | cut, cut]

    def _asked(self, call: str, ask: Callable[[], Any]) -> Any:
        try:
            return _guarded(f"{call}() of `{self._spec.environment}`", ask)
        except HLError as error:
            raise EnvironmentFailed(error.message, error.hint) from error.__cause__

    def _wrong(self, call: str, gave: str, wanted: str) -> HLError:
        return EnvironmentFailed(f"{call}() of `{self._spec.environment}` {gave}", f"Gymnasium's interface asks for {wanted}")


def _guarded(what: str, ask: Callable[[], Any]) -> Any:
    """What `ask` gives; what it raises becomes an HLError that says where."""
    try:
        return ask()
    except HLError:
        raise
    except (Exception, SystemExit) as error:
        raise HLError(f"{what} raised {_told(error)}", _where(error)) from error


def _told(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _where(error: BaseException) -> str:
    """The line of the user's code that raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at {trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"


def _kind(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"


def _make(environment: str, folders: tuple[Path, ...], max_steps: int | None, render: bool) -> Any:
    kept = _idle.get(_sort(environment, max_steps))
    if kept and not render:
        return kept.pop()
    module, _, name = environment.partition(":")
    more = {"render_mode": "rgb_array"} if render else {}
    with redirect_stdout(sys.stderr):
        if module == REGISTRY:
            return _registered(name, max_steps, more)
        maker = _callable(environment, module, name, folders)
        return _guarded(f"`{environment}`", lambda: maker(**more))


def _sort(environment: str, max_steps: int | None) -> tuple[str, int | None]:
    """Which environments serve in place of each other: Gymnasium's registry builds its own limit of steps into one."""
    return environment, max_steps if environment.startswith(REGISTRY + ":") else None


def _keep(environment: str, max_steps: int | None, made: Any) -> None:
    kept = _idle.setdefault(_sort(environment, max_steps), [])
    if len(kept) < _MOST_IDLE:
        kept.append(made)


def _registered(name: str, max_steps: int | None, more: dict) -> Any:
    import gymnasium

    limit = {} if max_steps is None else {"max_episode_steps": max_steps}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gymnasium.make(name, disable_env_checker=True, **limit, **more)
    except gymnasium.error.UnregisteredEnv as error:
        from difflib import get_close_matches

        near = get_close_matches(name, gymnasium.registry, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(f'{REGISTRY}:{one}' for one in near)}?" if near else "its ids look like gymnasium:CartPole-v1"
        raise HLError(f"Gymnasium has no environment `{name}`", hint) from error
    except (Exception, SystemExit) as error:
        raise HLError(f"Gymnasium cannot make `{name}`: {_told(error)}", "install what it needs, or write the environment as `module:callable`") from error


def _callable(environment: str, module: str, name: str, folders: tuple[Path, ...]) -> Callable[..., Any]:
    for folder in (Path.cwd(), *(one.resolve() for one in folders)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # for good: the module may import its neighbours when it is called
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise HLError(
                f"there is no module `{module}` for the environment `{environment}`",
                "put it into the working folder, beside the policy or on PYTHONPATH; an environment of Gymnasium's registry is written gymnasium:ID",
            ) from error
        raise HLError(f"the module `{module}` of `{environment}` does not import: {_told(error)}", _where(error)) from error
    except (Exception, SystemExit) as error:
        raise HLError(f"the module `{module}` of `{environment}` does not import: {_told(error)}", _where(error)) from error
    maker: Any = loaded
    for part in name.split("."):
        maker = getattr(maker, part, None)
    if not callable(maker):
        offered = [one for one in vars(loaded) if not one.startswith("_") and callable(getattr(loaded, one)) and getattr(getattr(loaded, one), "__module__", "") == module]
        raise HLError(f"the module `{module}` has no callable `{name}`", f"it has {', '.join(offered)}" if offered else f"define `{name}` in {loaded.__file__}")
    return maker


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
        return ArraySpec(tuple(space.shape), np.dtype(space.dtype), space.low.ravel(), space.high.ravel()), 0
    raise HLError(f"the action_space of `{environment}` is {_space(space)}; a policy here acts in a Discrete or a Box of real numbers", "wrap it in a `module:callable` of your own")


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
