"""Evaluation: a controller plays one episode for each seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.planner.counts import PlanningCounts
from hl_dsl.synth.environments.environments import Environments, load_simulator
from hl_dsl.synth.rollouts.step_log import BLOCK, StepLog

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card


class Controller(Protocol):
    """What acts. The counters are read after the last tick of a wave, one row for each lane.

    One that plans has more: `planning`, PlanningCounts for each lane; `report_every`, after so many ticks progress is to be
    shown; `prepare(seeds, num_threads)`, called before a reset; `options`, the settings of its own that a record must state.
    """

    out_of_range: np.ndarray  # (n,) int64: observations that had to be clamped into their range
    assumption_violations: np.ndarray  # (n, A) int64, a column for each `assume`
    monitor_violations: np.ndarray  # (n, M) int64, a column for each `monitor`

    def reset(self, num_lanes: int) -> None:
        """Forgets everything and begins an episode in each of `num_lanes` lanes."""

    def tick(self, frame: Frame) -> np.ndarray:
        """One action for each row of `frame`, in the environment's dtype and shape, contiguous."""


# Called after each tick with the frame and the actions chosen on it, and with None for the actions when the frame shows
# the end of its lanes.
OnTick = Callable[[Environments, Frame, "np.ndarray | None"], None]

# Called on the frame after each step; answers with a mask of its rows to leave unfinished, or None.
Leave = Callable[[Frame], "np.ndarray | None"]


@dataclass(slots=True)
class Progress:
    """How far an evaluation is, at the end of a block of steps. Rows are of the lanes of this wave."""

    env_steps: int
    episodes: int
    episodes_wanted: int
    first: int  # the place in `seeds` of lane 0
    running: np.ndarray  # (k,) int32: lanes still alive
    returns: np.ndarray  # (n,) so far
    lengths: np.ndarray  # (n,) so far
    last_scored: np.ndarray  # (n,) the step of the last positive reward, 0 before one


@dataclass(frozen=True)
class Rollout:
    """One evaluation. Rows follow `seeds`, which are the ones that were started.

    `finished` says which episodes came to their end; the return of another is what it had when the run was stopped by
    an interrupt, the step budget or `abandon`. `truncated` episodes ended by a limit of steps. `distinct_trajectories`
    counts the different sequences of actions and rewards among the finished episodes. `planning` tells what planning took,
    which `env_steps` does not count; it is empty where nothing plans.
    """

    environment: str
    protocol: str
    seeds: tuple[int, ...]
    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    finished: tuple[bool, ...]
    truncated: tuple[bool, ...]
    digests: tuple[str, ...]
    distinct_trajectories: int
    env_steps: int
    cpu_seconds: float
    wall_seconds: float
    out_of_range: tuple[int, ...]
    assumption_violations: tuple[tuple[int, ...], ...]
    monitor_violations: tuple[tuple[int, ...], ...]
    seeds_wanted: int
    interrupted: bool
    options: dict[str, Any]
    planning: tuple[PlanningCounts, ...] = ()

    def interrupted_too(self) -> Rollout:
        """The same, but for an interrupt that came after its last tick."""
        return replace(self, interrupted=True)

    @property
    def complete(self) -> bool:
        """Whether every seed that was asked for played its whole episode."""
        return not self.interrupted and len(self.seeds) == self.seeds_wanted and all(self.finished)


def evaluate(
    controller: Controller,
    card: Card,
    protocol: str,
    seeds: Sequence[int],
    num_envs: int = 16,
    num_threads: int = 0,
    max_steps: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_tick: OnTick | None = None,
    step_budget: int | None = None,
    abandon: Callable[[Progress], np.ndarray | None] | None = None,
    render: bool = False,
    dry_steps: int | None = None,
    leave: Leave | None = None,
) -> Rollout:
    """Plays one episode for each seed, `num_envs` lanes at a time, and reports what came of it.

    A seed may stand several times in `seeds` (a population: lane i then belongs to candidate i, all in one wave).
    `max_steps` ends an episode early, as a truncation. `step_budget` bounds the environment steps of this call; no step
    is taken past it. `abandon` is asked after each block of steps and answers with a mask (n,) of lanes to leave, or
    None. `leave` is asked on every tick, so that what it does in one lane need not depend on the others; it should be
    quick. `dry_steps` ends an episode, as a truncation, once that many steps brought no reward other than zero; it is
    stated in the options, because a return under it is not the return of the whole episode. A KeyboardInterrupt is not
    raised again: what was done by then is reported with `interrupted`.

    Raises HLError where Environments does.
    """
    if num_envs < 1:
        raise HLError(f"{num_envs} environments at a time are too few", "give --num-envs 1 or more")
    seeds = tuple(int(seed) for seed in seeds)
    load_simulator()  # importing it takes a second, which is not the evaluation's
    wall, cpu = time.perf_counter(), time.process_time()
    waves: list[_Wave] = []
    interrupted, options, spent = False, {}, 0
    for first in range(0, max(1, len(seeds)), num_envs):
        environments = Environments(card, protocol, seeds[first : first + num_envs], num_threads, max_steps, render)
        options = environments.options | {"no_reward_steps": dry_steps} | getattr(controller, "options", {})
        left = None if step_budget is None else step_budget - spent
        prepare = getattr(controller, "prepare", None)
        if prepare is not None:
            prepare(environments.seeds, num_threads)
        wave = _Wave(controller, environments, first, left, dry_steps, leave)
        waves.append(wave)
        try:
            going_on = wave.run(on_tick, _reporter(wave, spent, seeds, waves, on_progress, abandon))
        except KeyboardInterrupt:
            going_on, interrupted = False, True
        finally:
            wave.close()
            spent += environments.steps
        if not going_on:
            break
    return _rollout(card, protocol, seeds, waves, interrupted, options, spent, wall, cpu)


class _Wave:
    """Lanes that run side by side."""

    def __init__(
        self,
        controller: Controller,
        environments: Environments,
        first: int,
        budget: int | None,
        dry_steps: int | None,
        leave: Leave | None,
    ):
        action = environments.card.action
        self.controller = controller
        self.environments = environments
        self.first = first
        self.record = StepLog(
            len(environments.seeds),
            action.shape(1)[1:],
            np.dtype(action.dtype),
            getattr(controller, "report_every", BLOCK),
        )
        self.running = np.arange(len(environments.seeds), dtype=np.int32)
        self._budget = float("inf") if budget is None else budget
        self._dry = None if dry_steps is None else _NoRewardTruncation(len(environments.seeds), dry_steps)
        self._leave = leave
        self._started = False

    def run(self, on_tick: OnTick | None, report: Callable[[], np.ndarray | None] | None) -> bool:
        """Runs to the end of the last lane. False where the budget did not reach."""
        environments, record, tick, budget = self.environments, self.record, self.controller.tick, self._budget
        self.controller.reset(len(environments.seeds))
        self._started = True
        frame = environments.reset()
        step, keep, dry, leave = environments.step, record.keep, self._dry, self._leave
        while environments.steps + len(frame.lanes) <= budget:
            actions = tick(frame)
            if on_tick is not None:
                on_tick(environments, frame, actions)
            frame = None  # lets its pixels go before the next ones come: 3 % of an Atari step
            frame = step(actions)
            full = keep(actions, frame.reward)
            if dry is not None:
                dry.end(frame)
            leaving = leave(frame) if leave is not None else None
            if leaving is not None:
                frame = self._left(frame, leaving, on_tick)
                if not len(frame.lanes):
                    return True
                continue
            if not (full or frame.ended):
                continue
            if frame.ended:
                record.end(frame)
                if on_tick is not None:
                    on_tick(environments, frame.rows(frame.done), None)
                frame = self._go_on_with(frame.alive())
                environments.keep(frame.lanes)
            else:
                record.flush()
            left = report() if report is not None else None
            if left is not None and left[frame.lanes].any():
                frame = self._go_on_with(frame.rows(~left[frame.lanes]))
                environments.keep(frame.lanes)
            if not len(frame.lanes):
                return True
        return False

    def _left(self, frame: Frame, leaving: np.ndarray, on_tick: OnTick | None) -> Frame:
        """Closes the rows that are done, and goes on with those that are neither done nor in `leaving`."""
        self.record.end(frame)
        if on_tick is not None and frame.ended:
            on_tick(self.environments, frame.rows(frame.done), None)
        frame = self._go_on_with(frame.rows(~frame.done & ~leaving))
        self.environments.keep(frame.lanes)
        return frame

    def _go_on_with(self, frame: Frame) -> Frame:
        self.record.follow(frame.lanes)
        self.running = frame.lanes
        return frame

    def close(self) -> None:
        self.record.flush()
        self.environments.close()
        lanes = len(self.environments.seeds)
        self.planning: list[PlanningCounts] = []
        if not self._started:
            self.out_of_range = np.zeros(lanes, np.int64)
            self.assumption_violations = self.monitor_violations = np.zeros((lanes, 0), np.int64)
            return
        self.out_of_range = np.array(self.controller.out_of_range[:lanes])
        self.assumption_violations = np.array(self.controller.assumption_violations[:lanes])
        self.monitor_violations = np.array(self.controller.monitor_violations[:lanes])
        self.planning = getattr(self.controller, "planning", [])


class _NoRewardTruncation:
    """Ends episodes that bring nothing any more."""

    def __init__(self, lanes: int, steps: int):
        self.steps = steps
        self.last = np.zeros(lanes, np.int64)

    def end(self, frame: Frame) -> None:
        """Marks as done what has had no reward for too long."""
        step = int(frame.step[0])
        rewarded = frame.reward != 0
        if rewarded.any():
            self.last[frame.lanes[rewarded]] = step
        if step < self.steps:
            return
        dry = (step - self.last[frame.lanes] >= self.steps) & ~frame.done
        if dry.any():
            frame.done = frame.done | dry
            frame.truncated = frame.truncated | dry
            frame.ended = True


def _reporter(wave: _Wave, spent: int, seeds, waves, on_progress, abandon) -> Callable[[], np.ndarray | None] | None:
    if on_progress is None and abandon is None:
        return None

    def report() -> np.ndarray | None:
        record = wave.record
        progress = Progress(
            env_steps=spent + wave.environments.steps,
            episodes=sum(int(one.record.finished.sum()) for one in waves),
            episodes_wanted=len(seeds),
            first=wave.first,
            running=wave.running,
            returns=record.returns,
            lengths=record.lengths,
            last_scored=record.last_scored,
        )
        if on_progress is not None:
            on_progress(progress)
        return None if abandon is None else abandon(progress)

    return report


def _rollout(card, protocol, seeds, waves, interrupted, options, spent, wall, cpu) -> Rollout:
    def joined(part: Callable[[_Wave], Any]) -> tuple:
        return tuple(row for wave in waves for row in part(wave))

    finished = joined(lambda wave: wave.record.finished.tolist())
    digests = joined(lambda wave: wave.record.digests())
    return Rollout(
        environment=card.environment,
        protocol=protocol,
        seeds=seeds[: len(finished)],
        returns=joined(lambda wave: wave.record.returns.tolist()),
        lengths=joined(lambda wave: wave.record.lengths.tolist()),
        finished=finished,
        truncated=joined(lambda wave: wave.record.truncated.tolist()),
        digests=digests,
        distinct_trajectories=len({digest for digest, done in zip(digests, finished) if done}),
        env_steps=spent,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        out_of_range=joined(lambda wave: wave.out_of_range.tolist()),
        assumption_violations=joined(lambda wave: [tuple(row) for row in wave.assumption_violations.tolist()]),
        monitor_violations=joined(lambda wave: [tuple(row) for row in wave.monitor_violations.tolist()]),
        seeds_wanted=len(seeds),
        interrupted=interrupted,
        options=options,
        planning=joined(lambda wave: wave.planning),
    )
