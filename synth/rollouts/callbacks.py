"""Callbacks of an evaluation, and the progress it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.environments import Environments

# Called at each tick with the frame and the actions chosen on it. Called once more, with None for the actions, when the
# frame shows lanes whose episodes ended.
OnTick = Callable[[Environments, Frame, "np.ndarray | None"], None]

# Called with the frame after each step. Returns a mask of the frame's rows to stop unfinished, or None.
Prune = Callable[[Frame], "np.ndarray | None"]


@dataclass(slots=True)
class Progress:
    """Progress of an evaluation at the end of a block of steps.

    Attributes:
        env_steps: Environment steps taken so far.
        episodes: Episodes finished so far.
        episodes_wanted: Episodes of the whole evaluation.
        first: Index in the settings' seeds of lane 0 of this wave.
        running: (k,) int32, lanes whose episodes have not ended.
        returns: (n,) float64, returns of this wave's lanes so far.
        lengths: (n,) int64, steps of this wave's lanes so far.
        last_scored: (n,) int64, step of the last positive reward, 0 before one.
    """

    env_steps: int
    episodes: int
    episodes_wanted: int
    first: int
    running: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    last_scored: np.ndarray


@dataclass(frozen=True)
class RolloutCallbacks:
    """Callbacks of an evaluation.

    Attributes:
        on_tick: Called at each tick; see `OnTick`.
        on_progress: Called after each block of steps.
        abandon: Called after each block of steps; returns a mask (n,) of lanes to stop unfinished, or None.
        prune: Called after each step, so that its effect on a lane does not depend on the others. It must be fast.
        render: Whether `on_tick` draws lanes with `Environments.render`.
    """

    on_tick: OnTick | None = None
    on_progress: Callable[[Progress], None] | None = None
    abandon: Callable[[Progress], np.ndarray | None] | None = None
    prune: Prune | None = None
    render: bool = False
