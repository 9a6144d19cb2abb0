"""Users' own environments, behind the same few calls as a pool of EnvPool. Lanes are stepped one after another."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any, Callable, Sequence

import numpy as np

from hl_dsl.compiler.lanes import is_exact_in_binary64
from hl_dsl.compiler.numpy_kernel import to_binary64
from hl_dsl.diagnostics import HLError
from hl_dsl.operators import kernel
from hl_dsl.synth.gymnasium_making import guarded, keep, make
from hl_dsl.synth.gymnasium_spaces import Spec


class EnvironmentFailed(HLError):
    """An environment that played, and then raised or answered with what it must not. Steps may have been taken."""


class UsersPool:
    """One environment for each seed, answering as a pool of EnvPool does: `_reset` or `_send`, then `_recv`.

    `max_steps` ends an episode as a truncation. Raises HLError where an environment cannot be made, and EnvironmentFailed
    where one raises, or answers with something else than its spaces and Gymnasium's interface promise.
    """

    _state_keys = ("obs", "reward", "elapsed_step", "done", "trunc")

    def __init__(self, spec: Spec, folders: Sequence[Path], seeds: Sequence[int], max_steps: int, render: bool):
        self._spec, self._seeds, self._limit, self._render = spec, seeds, max_steps, render
        self._lanes = [make(spec.environment, tuple(folders), max_steps, render) for _ in seeds]
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
                keep(self._spec.environment, self._limit, one)

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
            reward = kernel.to_binary64(reward)
        except (TypeError, ValueError) as error:
            raise self._wrong("step", f"gave {_kind(reward)} as its reward", "a number") from error
        if not np.isfinite(reward):
            raise self._wrong("step", f"gave the reward {reward} on step {self._elapsed[lane]} of seed {self._seeds[lane]}", "a finite number")
        ended = bool(terminated)
        return self._numbers("step", observation), reward, ended, not ended and (bool(truncated) or self._elapsed[lane] >= self._limit)

    def _numbers(self, call: str, observation: Any) -> np.ndarray:
        shown = self._spec.state_array_spec["obs"]
        try:
            numbers = np.asarray(observation)
            if numbers.dtype != shown.dtype or not is_exact_in_binary64(shown.dtype):
                numbers = to_binary64(numbers)  # a cast to the space's own type could wrap or truncate
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
            return guarded(f"{call}() of `{self._spec.environment}`", ask)
        except HLError as error:
            raise EnvironmentFailed(error.message, error.hint) from error.__cause__

    def _wrong(self, call: str, gave: str, wanted: str) -> HLError:
        return EnvironmentFailed(f"{call}() of `{self._spec.environment}` {gave}", f"Gymnasium's interface asks for {wanted}")


def _kind(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"
