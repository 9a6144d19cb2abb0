"""What an environment did before it does again: episodes that need not be played.

Under one protocol and seed the simulator is a function of the actions. So a program that chooses the actions of a
known episode to its end has that episode's return, and no step is needed to know it. This is exact, not a guess from
samples: the program is shown the recorded ticks of whichever known episode agrees with it so far.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.policy import Policy
from hl_dsl.synth.rollouts.episode import Recording

_CHUNK = 256


class EpisodeCache:
    """Known episodes by seed, or by the name of what else was played."""

    def __init__(self):
        self._known: dict[Hashable, list[tuple[Hashable, Recording]]] = {}

    def add(self, seed: Hashable, name: Hashable, recording: Recording) -> None:
        """Keeps an episode under the name of whoever played it. One that agrees with a known one to its end is left out."""
        known = self._known.setdefault(seed, [])
        for _, other in known:
            if len(other) == len(recording) and np.array_equal(other.actions, recording.actions):
                return
        known.append((name, recording))

    def length(self, seed: Hashable, name: Hashable) -> int:
        """The ticks of a known episode."""
        return next(len(recording) for other, recording in self._known[seed] if other == name)

    def find(self, flow: Dataflow, seed: Hashable, parameters: dict[str, Any] | None = None) -> Hashable | None:
        """The name of the known episode that the program would play on the seed, or None where it would play a new one."""
        candidates = list(self._known.get(seed, ()))
        if not candidates or flow.plan is not None:  # to plan along an episode costs what playing it does
            return None
        actor = _Actor(flow, parameters)
        tick = 0
        while True:
            name, recording = candidates[0]
            tick, action = actor.follow(recording, tick)
            if action is None:
                return name
            candidates = [(other, one) for other, one in candidates[1:] if _agrees(one, recording, tick, action)]
            if not candidates:
                return None


class _Actor:
    """Runs a program along recorded ticks."""

    def __init__(self, flow: Dataflow, parameters: dict[str, Any] | None):
        self._flow, self._parameters = flow, parameters
        # An observation may be NaN and then stands for the last one: that is memory too.
        self._forgets = not flow.memories and all(entry.source != "observation" for entry in flow.inputs)
        self._policy = Policy(flow, parameters=parameters)
        self._policy.reset(1)
        self._lane = np.zeros(1, np.int32)
        self._ahead: tuple[int, Any] | None = None

    def follow(self, recording: Recording, start: int) -> tuple[int, Any]:
        """The first tick from `start` on at which the program does something else, with what it does; (the length,
        None) where it agrees to the end."""
        return self._at_once(recording, start) if self._forgets else self._tick_by_tick(recording, start)

    def _tick_by_tick(self, recording: Recording, start: int) -> tuple[int, Any]:
        actions, act, lane = recording.actions, self._policy.tick, self._lane
        for tick in range(start, len(recording)):
            # At the tick where two recordings part, the program has acted already: both show the same there.
            if self._ahead is not None and self._ahead[0] == tick:
                action = self._ahead[1]
            else:
                action = act(recording.frame(tick, tick + 1, lane))[0]
            if not np.array_equal(action, actions[tick]):
                self._ahead = (tick, action)
                return tick, action
        return len(recording), None

    def _at_once(self, recording: Recording, start: int) -> tuple[int, Any]:
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


def _agrees(one: Recording, other: Recording, tick: int, action: Any) -> bool:
    """Whether two episodes are the same before a tick, and the first then does `action`."""
    if len(one) <= tick or not np.array_equal(one.actions[tick], action):
        return False
    return np.array_equal(one.actions[:tick], other.actions[:tick])
