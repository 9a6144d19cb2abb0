"""Lanes of one environment: the one module that steps simulators, and so the one that counts environment steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.backends.backend import EnvironmentBackend, SimulatorRequest
from hl_dsl.synth.environments.card_compatibility import check_fit
from hl_dsl.synth.environments.protocols import draws_at_random, protocol_options
from hl_dsl.synth.environments.simulator_pool import SimulatorPool


class Environments:
    """Lanes of one environment under one protocol, lane i with seed `seeds[i]`.

    `steps` counts the steps taken by this object, including those that were sent but not answered at an interrupt.
    `options` are all the settings that shape the simulated world.

    Args:
        card: The environment.
        protocol: One of the card's protocols.
        seeds: A seed for each lane, 0 to 2^31 - 1.
        num_threads: Threads of the simulator, 0 for its own choice.
        max_steps: Ends every episode after that many steps, as a truncation.
        render: Whether `render()` must work.
        simulators: Opens the simulators and counts the steps, by default for this object alone.

    Raises:
        HLError: The protocol or a seed is invalid, the card does not fit, or the simulator does not start.
    """

    def __init__(
        self,
        card: Card,
        protocol: str,
        seeds: Sequence[int],
        num_threads: int = 0,
        max_steps: int | None = None,
        render: bool = False,
        simulators: SimulatorPool | None = None,
    ):
        simulators = simulators or SimulatorPool()
        self.card = card
        self.seeds = tuple(int(seed) for seed in seeds)
        if not self.seeds:
            raise HLError("an evaluation needs at least one seed")
        for seed in self.seeds:
            if not 0 <= seed < 2**31:
                raise HLError(f"the seed {seed} is not one the simulator takes", "seeds are 0 to 2147483647")
        if max_steps is not None and max_steps < 1:
            raise HLError(f"an episode of at most {max_steps} steps has none", "give --max-steps 1 or more")
        stated, folders = protocol_options(card, protocol), _module_folders(card)
        spec = simulators.spec(card.environment, stated, folders)
        check_fit(card, spec)
        self._request = SimulatorRequest(
            spec=spec,
            options=stated,
            seeds=self.seeds,
            num_threads=num_threads,
            max_episode_steps=card.max_episode_steps,
            render=render,
            draws_at_random=draws_at_random(card, protocol),
            folders=folders,
        )
        self.options = {"simulator": spec.simulator, **spec.settings, "max_steps": max_steps}
        self.steps = 0
        self._simulators = simulators
        self._max_steps = max_steps
        self._dtype = np.dtype(card.action.dtype)
        self._backend: EnvironmentBackend | None = None

    def reset(self) -> Frame:
        """Starts an episode in every lane, the same one each time. `step` is 0, `reward` 0, nothing done."""
        self.close()
        lanes = np.arange(len(self.seeds), dtype=np.int32)
        self._backend = self._simulators.open(self._request)
        self._elapsed = 0
        self.keep(lanes)
        frame = self._backend.reset(lanes)
        frame.reward = np.zeros(len(lanes), np.float32)
        return frame

    def step(self, actions: np.ndarray) -> Frame:
        """One step of every lane that was not done in the last frame, `actions[i]` for the i-th of them.

        `actions` must have the card's dtype and `card.action.shape(lanes)`: raises ValueError otherwise.
        """
        if actions.dtype != self._dtype or actions.shape != self._shape or not actions.flags.c_contiguous:
            raise ValueError(
                f"actions must be a contiguous {self._dtype} array of shape {self._shape}, "
                f"not {actions.dtype} {actions.shape}"
            )
        lanes = self._lanes
        count = len(lanes)
        if not count or self._backend is None:
            raise ValueError("every lane is done")
        self.steps += count
        self._simulators.count(count)
        frame = self._backend.step(lanes, actions)
        self._elapsed += 1
        if self._elapsed == self._max_steps:
            frame.truncated = frame.truncated | ~frame.done
            frame.done = np.ones(count, bool)
            frame.ended = True
        if frame.ended:
            self.keep(lanes[~frame.done])
        return frame

    def keep(self, lanes: np.ndarray) -> None:
        """Continues with `lanes` (int32) only; the others are not stepped again."""
        self._lanes = np.ascontiguousarray(lanes, np.int32)
        self._shape = self.card.action.shape(len(lanes))

    def render(self, lane: int) -> np.ndarray:
        """A picture of a lane in its present state, (height, width, 3) uint8."""
        if self._backend is None:
            raise ValueError("the lanes are not reset")
        return self._backend.render(lane)

    def close(self) -> None:
        """Closes the simulators, or keeps them for another evaluation."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()


def _module_folders(card: Card) -> tuple[Path, ...]:
    """Folders of a user's module: that of its card, and the folder above `cards/`."""
    folder = Path(card.origin).parent
    return (folder, folder.parent) if card.origin.endswith(".toml") else ()
