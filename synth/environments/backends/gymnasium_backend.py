"""Gymnasium back end: users' own environments and those of Gymnasium's registry, one lane stepped after another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.number_conversion import is_exact_in_binary64, to_binary64
from hl_dsl.operators import scalar
from hl_dsl.synth.environments.backends.backend import (
    EnvironmentBackend,
    EnvironmentFailed,
    EnvironmentSpec,
    SimulatorRequest,
)
from hl_dsl.synth.environments.backends.gymnasium_factory import GymnasiumFactory, guarded
from hl_dsl.synth.environments.backends.gymnasium_spec import describe_environment
from hl_dsl.synth.environments.backends.idle_simulators import IdleSimulators


class GymnasiumBackend(EnvironmentBackend):
    """One environment for each lane.

    An environment that raises, or that answers with something else than its spaces and Gymnasium's interface promise,
    ends in EnvironmentFailed.
    """

    name = "gymnasium"

    @classmethod
    def owns(cls, environment: str) -> bool:
        """True for ids with a colon."""
        return ":" in environment

    @classmethod
    def describe(
        cls, environment: str, options: Mapping[str, Any], folders: tuple[Path, ...], idle: IdleSimulators
    ) -> EnvironmentSpec:
        """Describes an environment; see the base class."""
        return describe_environment(GymnasiumFactory(environment, folders, idle), options)

    def __init__(self, request: SimulatorRequest, idle: IdleSimulators):
        self._spec, self._seeds, self._render = request.spec, request.seeds, request.render
        self._max_steps = request.max_episode_steps
        self._factory = GymnasiumFactory(request.spec.environment, request.folders, idle)
        self._lanes = [self._factory.make(self._max_steps, self._render) for _ in request.seeds]
        self._elapsed = np.zeros(len(request.seeds), np.int32)
        self._failed = False

    def reset(self, lanes: np.ndarray) -> Frame:
        """Starts an episode in `lanes`."""
        self._elapsed[lanes] = 0
        return self._frame(lanes, lambda: [(self._reset_lane(int(lane)), 0.0, False, False) for lane in lanes])

    def step(self, lanes: np.ndarray, actions: np.ndarray) -> Frame:
        """Takes one step in `lanes`."""
        self._elapsed[lanes] += 1
        return self._frame(
            lanes, lambda: [self._step_lane(int(lane), action) for lane, action in zip(lanes, actions, strict=True)]
        )

    def render(self, lane: int) -> np.ndarray:
        """Returns a picture of a lane, (height, width, 3) uint8."""
        picture = self._guarded("render", self._lanes[lane].render)
        if not isinstance(picture, np.ndarray) or picture.ndim != 3:
            raise EnvironmentFailed(
                f"`{self._spec.environment}` gave no picture to draw",
                "its render() must return an array (height, width, 3)",
            )
        return picture

    def close(self) -> None:
        """Keeps the environments, because a reset with a seed starts anew; ends those that failed or draw."""
        lanes, self._lanes = self._lanes, []
        for environment in lanes:
            if self._render or self._failed:
                with suppress(Exception):
                    environment.close()
            else:
                self._factory.keep(self._max_steps, environment)

    def _reset_lane(self, lane: int) -> np.ndarray:
        answer = self._guarded("reset", lambda: self._lanes[lane].reset(seed=self._seeds[lane]))
        if not (isinstance(answer, tuple) and len(answer) == 2):
            raise self._misused("reset", f"gave {_kind(answer)}", "an observation and a dictionary")
        return self._numbers("reset", answer[0])

    def _step_lane(self, lane: int, action: Any) -> tuple[np.ndarray, float, bool, bool]:
        """Observation, reward, and whether the episode terminated or was truncated."""
        given = int(action) + self._spec.first_action if action.ndim == 0 else action.copy()
        answer = self._guarded("step", lambda: self._lanes[lane].step(given))
        if not (isinstance(answer, tuple) and len(answer) == 5):
            raise self._misused(
                "step", f"gave {_kind(answer)}", "observation, reward, terminated, truncated and a dictionary"
            )
        observation, reward, terminated, truncated, _ = answer
        try:
            reward = scalar.to_binary64(reward)
        except (TypeError, ValueError) as error:
            raise self._misused("step", f"gave {_kind(reward)} as its reward", "a number") from error
        if not np.isfinite(reward):
            raise self._misused(
                "step",
                f"gave the reward {reward} on step {self._elapsed[lane]} of seed {self._seeds[lane]}",
                "a finite number",
            )
        ended = bool(terminated)
        return (
            self._numbers("step", observation),
            reward,
            ended,
            not ended and (bool(truncated) or bool(self._elapsed[lane] >= self._max_steps)),
        )

    def _numbers(self, call: str, observation: Any) -> np.ndarray:
        (expected,) = self._spec.observation
        try:
            numbers = np.asarray(observation)
            if numbers.dtype != expected.dtype or not is_exact_in_binary64(expected.dtype):
                numbers = to_binary64(numbers)  # a cast to the space's own type could wrap or truncate
        except (TypeError, ValueError) as error:
            raise self._misused(
                call, f"gave {_kind(observation)} as its observation", "numbers as its observation_space says"
            ) from error
        if numbers.shape != expected.shape:
            raise self._misused(
                call,
                f"gave an observation of shape {numbers.shape}",
                f"{expected.shape}, as its observation_space says",
            )
        return numbers

    def _frame(self, lanes: np.ndarray, play: Callable[[], Sequence[tuple]]) -> Frame:
        try:
            with redirect_stdout(sys.stderr):
                answers = play()
        except BaseException:
            self._failed = True
            raise
        observations, rewards, terminated, truncated = zip(*answers, strict=True)
        cut = np.array(truncated, bool)
        sources: dict[str, np.ndarray | None] = {
            "observation": np.stack(observations).reshape(len(lanes), -1),
            "reward": np.array(rewards),
            "step": self._elapsed[lanes],
        }
        done = np.array(terminated, bool) | cut
        return Frame(lanes, sources, done, cut, bool(done.any()))

    def _guarded(self, call: str, function: Callable[[], Any]) -> Any:
        try:
            return guarded(f"{call}() of `{self._spec.environment}`", function)
        except HLError as error:
            raise EnvironmentFailed(error.message, error.hint) from error.__cause__

    def _misused(self, call: str, gave: str, wanted: str) -> HLError:
        return EnvironmentFailed(
            f"{call}() of `{self._spec.environment}` {gave}", f"Gymnasium's interface asks for {wanted}"
        )


def _kind(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"
