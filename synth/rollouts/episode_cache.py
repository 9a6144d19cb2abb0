"""Episode cache: returns of episodes that would repeat a known one.

For a fixed protocol and seed the simulator is deterministic. A program that chooses the actions of a known episode to
its end has that episode's return, so it is not simulated again. The result is exact: the program runs on the recorded
ticks.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.policy import Policy
from hl_dsl.synth.rollouts.episode import Recording

_CHUNK = 256  # ticks of the first batch of a stateless program; each next batch is four times as large


class EpisodeCache:
    """Known episodes by seed, or by the key of a stored case."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[tuple[Hashable, Recording]]] = {}

    def add(self, seed: Hashable, name: Hashable, recording: Recording) -> None:
        """Adds an episode under the name of its trial, unless an equal one is known."""
        known = self._known.setdefault(seed, [])
        for _, other in known:
            if len(other) == len(recording) and np.array_equal(other.actions, recording.actions):
                return
        known.append((name, recording))

    def length(self, seed: Hashable, name: Hashable) -> int:
        """Ticks of a known episode."""
        return next(len(recording) for other, recording in self._known[seed] if other == name)

    def find(self, flow: Dataflow, seed: Hashable, parameters: dict[str, Any] | None = None) -> Hashable | None:
        """Name of the known episode that the program would repeat on the seed; None if it would play a new one."""
        candidates = list(self._known.get(seed, ()))
        if not candidates or flow.plan is not None:  # planning along an episode costs as much as playing it
            return None
        actor = _Actor(flow, parameters)
        tick = 0
        while True:
            name, recording = candidates[0]
            tick, action = actor.follow(recording, tick)
            if action is None:
                return name
            candidates = [
                (other, known) for other, known in candidates[1:] if _continues(known, recording, tick, action)
            ]
            if not candidates:
                return None


class _Actor:
    """Runs a program on recorded ticks."""

    def __init__(self, flow: Dataflow, parameters: dict[str, Any] | None):
        self._flow, self._parameters = flow, parameters
        # An observation that is NaN is replaced by the last valid one, which is state too.
        self._is_stateless = not flow.memories and all(entry.source != "observation" for entry in flow.inputs)
        self._policy = Policy(flow, parameters=parameters)
        self._policy.reset(1)
        self._lane = np.zeros(1, np.int32)
        self._ahead: tuple[int, Any] | None = None

    def follow(self, recording: Recording, start: int) -> tuple[int, Any]:
        """The first tick from `start` with another action, and that action; (length, None) if there is none."""
        return self._in_batches(recording, start) if self._is_stateless else self._tick_by_tick(recording, start)

    def _tick_by_tick(self, recording: Recording, start: int) -> tuple[int, Any]:
        actions, act, lane = recording.actions, self._policy.tick, self._lane
        for tick in range(start, len(recording)):
            # At the tick where two recordings diverge the program has already acted: both show the same there.
            if self._ahead is not None and self._ahead[0] == tick:
                action = self._ahead[1]
            else:
                action = act(recording.frame(tick, tick + 1, lane))[0]
            if not np.array_equal(action, actions[tick]):
                self._ahead = (tick, action)
                return tick, action
        return len(recording), None

    def _in_batches(self, recording: Recording, start: int) -> tuple[int, Any]:
        size = _CHUNK
        while start < len(recording):
            stop = min(start + size, len(recording))
            lanes = np.arange(stop - start, dtype=np.int32)
            self._policy.reset(stop - start)
            actions = self._policy.tick(recording.frame(start, stop, lanes))
            differs = actions != recording.actions[start:stop]
            if differs.ndim > 1:
                differs = differs.any(axis=1)
            if differs.any():
                first = int(np.argmax(differs))
                return start + first, actions[first]
            start, size = stop, size * 4
        return len(recording), None


def _continues(candidate: Recording, recording: Recording, tick: int, action: Any) -> bool:
    """Whether two episodes have the same actions before a tick, and the candidate then has `action`."""
    if len(candidate) <= tick or not np.array_equal(candidate.actions[tick], action):
        return False
    return np.array_equal(candidate.actions[:tick], recording.actions[:tick])
