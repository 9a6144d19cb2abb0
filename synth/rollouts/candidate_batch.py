"""Episodes of several programs, played side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import OnTick, Progress, RolloutCallbacks
from hl_dsl.synth.rollouts.episode import Recorder, Recording, RecordingDetail
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.last_frames import LastFrames
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.pruning import Pruner
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import Rollout, evaluate
from hl_dsl.synth.rollouts.video import needs_render


@dataclass(frozen=True)
class Episode:
    """Episode of one program on one seed.

    Attributes:
        seed: Seed of the episode.
        value: Return; of an unfinished episode, the sum of the rewards so far.
        length: Number of steps.
        status: How it ended.
        digest: Digest of its actions and rewards.
        counts: Its counts.
        recording: What it showed and did at each tick.
    """

    seed: int
    value: float
    length: int
    status: EpisodeStatus
    digest: str
    counts: EpisodeCounts
    recording: Recording | None


@dataclass(frozen=True)
class BatchResult:
    """Result of a batch: the episodes of each program, and the rollout of all lanes."""

    episodes: list[list[Episode]]
    rollout: Rollout


def play(
    candidates: Sequence[Dataflow],
    card: Card,
    settings: EpisodeSettings,
    *,
    resources: Resources,
    hooks: ExecutionHooks,
    curves: Mapping[int, np.ndarray | None] | None = None,
    step_budget: int | None = None,
    detail: RecordingDetail = RecordingDetail.STEPS,
) -> BatchResult:
    """Plays every program on every seed, all in one batch.

    The result of a lane depends on its program, its seed and the curve alone.

    Args:
        candidates: The programs.
        card: Card of their environment.
        settings: Protocol, seeds and limits of the episodes.
        resources: Threads; the batch is as wide as it has lanes.
        hooks: Connections to the caller. An interrupt in `hooks.interrupt` stops the batch at a tick.
        curves: (T,) returns so far of the best program on each seed, for pruning; None prunes nothing.
        step_budget: Limit of environment steps for the whole batch.
        detail: What is recorded of the episodes.
    """
    lanes = [seed for _ in candidates for seed in settings.seeds]
    pruner = Pruner([(curves or {}).get(seed) for seed in lanes])
    recorder = (
        Recorder(len(lanes), pixels=card.capabilities.has_pixels) if detail is not RecordingDetail.NOTHING else None
    )
    frames = LastFrames(card, len(lanes)) if detail is RecordingDetail.PICTURES else None
    rollout = evaluate(
        ProgramBatch(_members(candidates, len(settings.seeds))),
        card,
        settings.with_seeds(lanes),
        replace(resources, num_envs=len(lanes)),
        RolloutCallbacks(
            on_tick=_on_tick(hooks, recorder, frames),
            on_progress=_on_progress(hooks),
            abandon=lambda progress: np.ones(len(lanes), bool) if hooks.stop is not None and hooks.stop() else None,
            prune=pruner,
            render=frames is not None and needs_render(card),
        ),
        step_budget,
    )
    recordings: Sequence[Recording | None] = recorder.episodes() if recorder is not None else [None] * len(lanes)
    episodes = [_episode(rollout, lane, bool(pruner.pruned[lane]), recordings[lane]) for lane in range(len(lanes))]
    firsts = range(0, len(lanes), len(settings.seeds))
    if frames is not None:
        for first in firsts:
            own = range(first, first + len(settings.seeds))
            worst = min(own, key=lambda lane: (episodes[lane].value, lanes[lane]))
            recording = recordings[worst]
            if recording is not None:
                illustrated = replace(recording, pictures=frames.pictures(worst))
                episodes[worst] = replace(episodes[worst], recording=illustrated)
    return BatchResult([episodes[first : first + len(settings.seeds)] for first in firsts], rollout)


def play_values(
    flow: Dataflow,
    columns: Mapping[str, Sequence[float]],
    settings: EpisodeSettings,
    *,
    resources: Resources,
    hooks: ExecutionHooks,
    step_budget: int | None = None,
) -> Rollout:
    """Plays one program with other parameters in every lane, all in one batch. Lane i has `settings.seeds[i]`."""
    lanes = len(settings.seeds)
    return evaluate(
        ProgramBatch([Member(flow, lanes, columns)]),
        flow.card,
        settings,
        replace(resources, num_envs=lanes),
        RolloutCallbacks(on_tick=_on_tick(hooks), on_progress=_on_progress(hooks)),
        step_budget,
    )


def _on_tick(hooks: ExecutionHooks, *others: OnTick | None) -> OnTick:
    """An `on_tick` that announces each step, and lets interrupts through first."""
    before_step = hooks.before_step
    called = [on_tick for on_tick in others if on_tick is not None]

    def tick(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        if actions is not None and before_step is not None:
            before_step(environments.steps + len(frame.lanes))
        for on_tick in called:
            on_tick(environments, frame, actions)

    return tick if hooks.interrupt is None else hooks.interrupt.at_ticks(tick)


def _on_progress(hooks: ExecutionHooks) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        if hooks.on_progress is not None:
            hooks.on_progress(progress.env_steps)

    return show


def _members(candidates: Sequence[Dataflow], seeds: int) -> list[Member]:
    """Neighbours that differ in the defaults of their parameters only share a tape, each lane with its own values."""
    members: list[Member] = []
    group: list[Dataflow] = []
    for candidate in [*candidates, None]:
        if group and (candidate is None or candidate.nodes is not group[0].nodes):
            columns = {
                parameter.name: np.repeat([flow.parameters[place].default for flow in group], seeds)
                for place, parameter in enumerate(group[0].parameters)
            }
            members.append(Member(group[0], len(group) * seeds, columns))
            group = []
        if candidate is not None:
            group.append(candidate)
    return members


def _episode(rollout: Rollout, lane: int, is_pruned: bool, recording: Recording | None) -> Episode:
    status = (
        EpisodeStatus.FINISHED if rollout.finished[lane] else EpisodeStatus.PRUNED if is_pruned else EpisodeStatus.CUT
    )
    return Episode(
        rollout.seeds[lane],
        rollout.returns[lane],
        rollout.lengths[lane],
        status,
        rollout.digests[lane],
        rollout.counts[lane],
        recording,
    )
