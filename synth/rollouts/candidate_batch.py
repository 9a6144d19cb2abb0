"""Playing the candidates of a generation side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.counts import PlanningCounts
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.rollouts.episode import Recorder, Recording
from hl_dsl.synth.rollouts.interrupts import Stopping
from hl_dsl.synth.rollouts.last_frames import LastFrames
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.pruning import Pruner
from hl_dsl.synth.rollouts.rollout import Progress, Rollout, evaluate
from hl_dsl.synth.rollouts.video import needs_render

from hl_dsl.cards import Card

FINISHED, LEFT, CUT = "finished", "left", "cut"


@dataclass(frozen=True)
class Episode:
    """One candidate on one seed. `status`: "finished", "left" (clearly worse than the best), or "cut" (the budget, the
    clock or an interrupt came first; it says nothing)."""

    seed: int
    value: float
    length: int
    status: str
    digest: str
    out_of_range: int
    assumption_violations: tuple[int, ...]
    monitor_violations: tuple[int, ...]
    recording: Recording | None
    planning: PlanningCounts = PlanningCounts()


@dataclass(frozen=True)
class BatchResult:
    """All episodes of a generation, a list for each candidate; what the simulator was asked for; what it cost."""

    episodes: list[list[Episode]]
    rollout: Rollout

    def interrupted_too(self) -> BatchResult:
        """The same, but for an interrupt that came after its last tick."""
        return replace(self, rollout=self.rollout.interrupted_too())


def play(
    candidates: Sequence[Dataflow],
    card: Card,
    protocol: str,
    seeds: Sequence[int],
    *,
    dry_steps: int | None,
    max_steps: int | None,
    curves: Mapping[int, np.ndarray | None],
    step_budget: int | None,
    stop: Callable[[], bool],
    stopping: Stopping | None = None,
    on_progress: Callable[[int], None] | None = None,
    before_step: Callable[[int], None] | None = None,
    num_threads: int = 0,
    pictures: bool = False,
    recorded: bool = True,
) -> BatchResult:
    """Plays every candidate on every seed, all in one batch. `curves[seed]`: the best program's returns so far on it.
    `before_step` is told, before each step, how many will then have been taken; `on_progress`, now and then, how many were.
    With `pictures` the recording of each candidate's worst episode has its last frames. `recorded`: whether episodes are recorded.

    A lane's result depends on its program, its seed and the curve alone. `stop` is asked now and then whether to leave
    everything as it is. An interrupt that `stopping` holds back ends it at a tick.
    """
    lanes = [seed for _ in candidates for seed in seeds]
    members = _members(candidates, len(seeds))
    race = Pruner([curves[seed] for seed in lanes])
    recorder = Recorder(len(lanes), pixels=card.family == "atari") if recorded else None

    def show(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(progress.env_steps)

    def abandon(progress: Progress) -> np.ndarray | None:
        return np.ones(len(lanes), bool) if stop() else None

    count = _counting(before_step)
    frames = LastFrames(card, len(lanes)) if pictures and recorded else None

    def tick(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        count(environments, frame, actions)
        if recorder is not None:
            recorder(environments, frame, actions)
        if frames is not None:
            frames(environments, frame, actions)

    rollout = evaluate(
        ProgramBatch(members),
        card,
        protocol,
        lanes,
        num_envs=len(lanes),
        num_threads=num_threads,
        on_progress=show,
        on_tick=tick if stopping is None else stopping.at_ticks(tick),
        step_budget=step_budget,
        abandon=abandon,
        dry_steps=dry_steps,
        max_steps=max_steps,
        leave=race,
        render=pictures and needs_render(card),
    )
    recordings = recorder.episodes() if recorder is not None else [None] * len(lanes)
    episodes = [_episode(rollout, lane, bool(race.left[lane]), recordings[lane]) for lane in range(len(lanes))]
    firsts = range(0, len(lanes), len(seeds))
    if frames is not None:
        for first in firsts:
            worst = min(range(first, first + len(seeds)), key=lambda lane: (episodes[lane].value, lanes[lane]))
            episodes[worst] = replace(
                episodes[worst], recording=replace(recordings[worst], pictures=frames.pictures(worst))
            )
    return BatchResult([episodes[first : first + len(seeds)] for first in firsts], rollout)


def play_values(
    flow: Dataflow,
    columns: Mapping[str, Sequence[float]],
    protocol: str,
    lanes: Sequence[int],
    *,
    stop: Callable[[], bool],
    stopping: Stopping,
    on_progress: Callable[[int], None],
    before_step: Callable[[int], None] | None = None,
    **limits: Any,
) -> Rollout:
    """Plays one program with other parameters in every lane, all in one batch; `lanes` are the seeds. The hooks are `play`'s."""
    return evaluate(
        ProgramBatch([Member(flow, len(lanes), columns)]),
        flow.card,
        protocol,
        lanes,
        num_envs=len(lanes),
        on_tick=stopping.at_ticks(_counting(before_step)),
        on_progress=lambda progress: on_progress(progress.env_steps),
        **limits,
    )


def _counting(before_step: Callable[[int], None] | None) -> Callable[[Environments, Frame, np.ndarray | None], None]:
    """An `on_tick` that tells, before each step, how many will then have been taken."""

    def count(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        if actions is not None and before_step is not None:
            before_step(environments.steps + len(frame.lanes))

    return count


def _members(candidates: Sequence[Dataflow], seeds: int) -> list[Member]:
    """Neighbours that differ in the defaults of their parameters share a tape, each lane with its own values."""
    members: list[Member] = []
    group: list[Dataflow] = []
    for candidate in [*candidates, None]:
        if group and (candidate is None or candidate.nodes is not group[0].nodes):
            names = [one.name for one in group[0].parameters]
            columns = {
                name: np.repeat([one.parameters[place].default for one in group], seeds)
                for place, name in enumerate(names)
            }
            members.append(Member(group[0], len(group) * seeds, columns))
            group = []
        if candidate is not None:
            group.append(candidate)
    return members


def _episode(rollout: Rollout, lane: int, left: bool, recording: Recording | None) -> Episode:
    status = FINISHED if rollout.finished[lane] else LEFT if left else CUT
    return Episode(
        rollout.seeds[lane],
        rollout.returns[lane],
        rollout.lengths[lane],
        status,
        rollout.digests[lane],
        rollout.out_of_range[lane],
        rollout.assumption_violations[lane],
        rollout.monitor_violations[lane],
        recording,
        rollout.planning[lane] if rollout.planning else PlanningCounts(),
    )
