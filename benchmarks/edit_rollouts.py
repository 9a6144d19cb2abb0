"""Rollouts of edited controllers: one Python program at a time, HL programs in a batch."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.cards import load_card
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

ACTION_SECONDS = 1.0  # limit of CPU time; an action of the unedited controller takes about 10 us
PROTOCOL, SEED = "deterministic", 0
LOW, HIGH = 55 - 6, 191 + 6  # bounds of the command in pixels, as in `no_windup` of ram.hl
CRASHES, HANGS, LEAVES, PLAYS = "crashes", "hangs", "leaves the bounds", "plays within them"


@dataclass(frozen=True)
class Played:
    """Result of one edit; `why` is the cause of a crash."""

    outcome: str
    steps: int
    why: str = ""

    def interrupted_too(self) -> Played:
        """An edit that an interrupt stopped has no result."""
        raise KeyboardInterrupt


@dataclass(frozen=True)
class PlayedMany:
    """Results of programs that were evaluated in one batch."""

    every: tuple[Played, ...]
    assumptions_broken: tuple[int, ...]

    def interrupted_too(self) -> PlayedMany:
        """A batch that an interrupt stopped has no result."""
        raise KeyboardInterrupt


def outside(ram: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Returns (k,) bool: rows of the memory, (k, 128), whose state or action (k,) is out of bounds."""
    command = 234 - ram[:, 70].astype(np.int64)
    return (command < LOW) | (command > HIGH) | ((actions == 1) & (ram[:, 101] != 0))


class TooLong(BaseException):
    """An action exceeded its time. A BaseException, so that no edited program catches it by chance."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises `TooLong` if the block takes more CPU time than `seconds`. Works in the main thread only."""

    def too_long(*signalled: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, too_long)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def play_python(text: str, steps: int, *, hooks: ExecutionHooks) -> Played:
    """Evaluates a Python program for `steps` steps, or until it crashes or its episode ends."""
    environments = Environments(load_card("Breakout-v5"), PROTOCOL, [SEED], num_threads=1, max_steps=steps)
    memory: dict[str, Any] = {}
    has_left = False
    try:
        space: dict[str, Any] = {}
        exec(compile(text, "edit", "exec"), space)
        frame = environments.reset()
        while not frame.ended:
            with within(ACTION_SECONDS):
                action = space["act"](frame.ram[0].tolist(), float(frame.reward[0]), memory)
            if type(action) not in (int, bool) or not 0 <= action < 4:
                return Played(CRASHES, environments.steps, "no action")
            actions = np.array([action], np.int32)
            has_left = has_left or bool(outside(frame.ram, actions)[0])
            if hooks.before_step is not None:
                hooks.before_step(environments.steps + 1)
            frame = environments.step(actions)
    except TooLong:
        return Played(HANGS, environments.steps)
    except Exception as error:
        return Played(CRASHES, environments.steps, type(error).__name__)
    finally:
        environments.close()
    return Played(LEAVES if has_left else PLAYS, environments.steps)


def play_proved(flows: list[Dataflow], steps: int, *, hooks: ExecutionHooks) -> PlayedMany:
    """Evaluates HL programs in one batch for `steps` steps each."""
    has_left = np.zeros(len(flows), bool)

    def watch(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        if actions is not None:
            has_left[frame.lanes] |= outside(frame.ram, actions)
            if hooks.before_step is not None:
                hooks.before_step(environments.steps + len(frame.lanes))

    members = [Member(flow, 1, {}) for flow in flows]
    rollout = evaluate(
        ProgramBatch(members),
        flows[0].card,
        EpisodeSettings(PROTOCOL, (SEED,) * len(flows), steps),
        Resources(num_envs=len(flows)),
        RolloutCallbacks(on_tick=watch),
    )
    every = tuple(
        Played(LEAVES if lane_left else PLAYS, length) for lane_left, length in zip(has_left, rollout.lengths)
    )
    return PlayedMany(every, tuple(sum(counts.assumption_violations) for counts in rollout.counts))
