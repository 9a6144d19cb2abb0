"""Evaluation of a controller: one episode for each seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hl_dsl.cards import Card
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.controller import Controller
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.callbacks import Progress, RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.wave import Report, Wave


@dataclass(frozen=True)
class Rollout:
    """Result of one evaluation. Rows follow `seeds`, which are the seeds that were started.

    Attributes:
        environment: Id of the environment.
        protocol: Evaluation protocol.
        seeds: Seeds of the rows.
        returns: Sums of rewards. The return of an unfinished episode is its sum when it was stopped.
        lengths: Numbers of steps.
        finished: Whether each episode ended; others were stopped by an interrupt, the budget, `prune` or `abandon`.
        truncated: Whether each episode was ended by a limit of steps.
        digests: Digests of the sequences of actions and rewards.
        distinct_trajectories: Number of different digests among the finished episodes.
        env_steps: Environment steps taken, without those of the planner's model.
        cpu_seconds: CPU time of this process.
        wall_seconds: Wall time.
        counts: Counts of each episode.
        seeds_wanted: Number of seeds of the evaluation.
        interrupted: Whether an interrupt stopped it.
        options: Settings of the simulated world and of the controller, as the ledger records them.
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
    counts: tuple[EpisodeCounts, ...]
    seeds_wanted: int
    interrupted: bool
    options: dict[str, Any]

    @property
    def complete(self) -> bool:
        """Whether every seed's episode was played to its end."""
        return not self.interrupted and len(self.seeds) == self.seeds_wanted and all(self.finished)

    @property
    def total_counts(self) -> EpisodeCounts:
        """The sum of the episodes' counts."""
        return EpisodeCounts.total(self.counts)

    def lanes(self, first: int, last: int, share: float) -> Rollout:
        """The rollout of lanes first to last - 1; `share` is their part of the time if no step was taken."""
        rows = slice(first, last)
        steps = sum(self.lengths[rows])
        share = steps / self.env_steps if self.env_steps else share
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in _ROWS},
            distinct_trajectories=_distinct(self.digests[rows], self.finished[rows]),
            env_steps=steps,
            cpu_seconds=self.cpu_seconds * share,
            wall_seconds=self.wall_seconds * share,
            seeds_wanted=last - first,
        )

    @staticmethod
    def joined(parts: Sequence[Rollout]) -> Rollout:
        """Several rollouts of one program as one."""
        if len(parts) == 1:
            return parts[0]
        rows: dict[str, Any] = {name: tuple(row for part in parts for row in getattr(part, name)) for name in _ROWS}
        sums: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in _SUMS}
        return replace(
            parts[0],
            **rows,
            **sums,
            distinct_trajectories=_distinct(rows["digests"], rows["finished"]),
            interrupted=any(part.interrupted for part in parts),
        )


_ROWS = ("seeds", "returns", "lengths", "finished", "truncated", "digests", "counts")
_SUMS = ("env_steps", "cpu_seconds", "wall_seconds", "seeds_wanted")


def evaluate(
    controller: Controller,
    card: Card,
    settings: EpisodeSettings,
    resources: Resources | None = None,
    callbacks: RolloutCallbacks | None = None,
    step_budget: int | None = None,
) -> Rollout:
    """Plays one episode for each seed, `resources.num_envs` lanes at a time.

    A KeyboardInterrupt is not raised again: the episodes so far are returned, with `interrupted`.

    Args:
        controller: Chooses the actions.
        card: Card of the environment.
        settings: Protocol, seeds and limits of the episodes.
        resources: Threads and lanes; the default is `Resources()`.
        callbacks: What is called while the episodes are played.
        step_budget: Limit of environment steps for all episodes together. No step is taken beyond it.

    Raises:
        HLError: See `Environments`.
    """
    resources, callbacks = resources or Resources(), callbacks or RolloutCallbacks()
    resources.simulators.load(card.environment)  # the import takes a second, which does not belong to the evaluation
    wall, cpu = time.perf_counter(), time.process_time()
    waves: list[Wave] = []
    interrupted, options, spent = False, {}, 0
    for first in range(0, max(1, len(settings.seeds)), resources.num_envs):
        seeds = settings.seeds[first : first + resources.num_envs]
        environments = Environments(
            card,
            settings.protocol,
            seeds,
            resources.num_threads,
            settings.max_steps,
            callbacks.render,
            resources.simulators,
        )
        options = environments.options | {"no_reward_steps": settings.no_reward_steps} | dict(controller.options)
        controller.prepare(environments.seeds, resources.num_threads)
        wave = Wave(controller, environments, first, settings.no_reward_steps)
        waves.append(wave)
        budget = None if step_budget is None else step_budget - spent
        try:
            has_budget = wave.run(callbacks, _reporter(waves, spent, len(settings.seeds), callbacks), budget)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            wave.close()
            spent += environments.steps
        if interrupted or not has_budget:
            break
    return _rollout(
        card,
        settings,
        waves,
        env_steps=spent,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        interrupted=interrupted,
        options=options,
    )


def _reporter(waves: list[Wave], spent: int, episodes: int, callbacks: RolloutCallbacks) -> Report | None:
    """A function that reports the progress of the last wave."""
    on_progress, abandon, wave = callbacks.on_progress, callbacks.abandon, waves[-1]
    if on_progress is None and abandon is None:
        return None

    def report() -> np.ndarray | None:
        progress = Progress(
            env_steps=spent + wave.environments.steps,
            episodes=sum(int(started.record.finished.sum()) for started in waves),
            episodes_wanted=episodes,
            first=wave.first,
            running=wave.running,
            returns=wave.record.returns,
            lengths=wave.record.lengths,
            last_scored=wave.record.last_scored,
        )
        if on_progress is not None:
            on_progress(progress)
        return None if abandon is None else abandon(progress)

    return report


def _rollout(card: Card, settings: EpisodeSettings, waves: Sequence[Wave], **measured: Any) -> Rollout:
    def joined(part: Callable[[Wave], Iterable[Any]]) -> tuple:
        return tuple(row for wave in waves for row in part(wave))

    finished = joined(lambda wave: wave.record.finished.tolist())
    digests = joined(lambda wave: wave.record.digests())
    return Rollout(
        environment=card.environment,
        protocol=settings.protocol,
        seeds=settings.seeds[: len(finished)],
        returns=joined(lambda wave: wave.record.returns.tolist()),
        lengths=joined(lambda wave: wave.record.lengths.tolist()),
        finished=finished,
        truncated=joined(lambda wave: wave.record.truncated.tolist()),
        digests=digests,
        distinct_trajectories=_distinct(digests, finished),
        counts=joined(lambda wave: wave.counts),
        seeds_wanted=len(settings.seeds),
        **measured,
    )


def _distinct(digests: Iterable[str], finished: Iterable[bool]) -> int:
    return len({digest for digest, is_finished in zip(digests, finished) if is_finished})
