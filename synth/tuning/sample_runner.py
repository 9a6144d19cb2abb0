"""Plays samples side by side, and charges what that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.candidates.parameter_values import flow_with
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.gate import CaseGate
from hl_dsl.synth.rollouts.candidate_batch import play, play_values
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.interrupts import SignalInterrupt
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import Rollout
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.tuning.samples import Sample
from hl_dsl.synth.workers.limits import EvaluatorFailed

from hl_dsl.cases.records import StoredCase
from hl_dsl.program import Program

MOST_LANES = 256  # in one batch: a MuJoCo robot takes up to 25 MB of a worker's address space
_CHANCES = 2  # for samples whose evaluator came to no result


class TuningInterrupted(Exception):
    """The run cannot go on; the message is the reason. What was played to the end is kept."""


class BudgetExhausted(TuningInterrupted):
    """The budget, or what of it is not kept back, is spent."""


class SampleFailed(TuningInterrupted):
    """The evaluator came to no result, however often it was asked; a larger budget would not help."""


class SampleRunner:
    """`failed` is told of the steps of an evaluator that came to no result. `reserve`: steps of the budget that are kept back;
    `planning`: what planning took so far."""

    def __init__(
        self,
        program: Program,
        episodes: EpisodeSettings,
        budget: Budget,
        resources: Resources,
        meter: StepCounter | None,
        tell: Callable[[dict], None],
        failed: Callable[[EvaluatorFailed], None],
        cases: Sequence[StoredCase] = (),
    ):
        self.program, self.episodes, self.budget, self.resources = program, episodes, budget, resources
        self.meter, self.tell, self.failed, self.cases = meter, tell, failed, tuple(cases)
        self.names = [one.name for one in program.flow.parameters]
        self.reserve = self._taken = 0
        self.planning = PlanningCounts()

    def begin(self, sequence: int) -> None:
        """What is played from here on comes after the event of that number."""
        self._taken = 0
        if self.meter is not None:
            self.meter.restart(sequence)

    @property
    def steps_left(self) -> int | None:
        return None if self.budget.steps_left is None else max(0, self.budget.steps_left - self.reserve)

    def refuse_overspending(self) -> None:
        """Raises Spent where a limit has been reached."""
        reason = self.budget.stop_reason()
        if reason is not None or self.steps_left == 0:
            raise self.spent() if reason is None else BudgetExhausted(reason)

    def spent(self) -> BudgetExhausted:
        return BudgetExhausted(f"the budget of {self.budget.steps:,} environment steps is spent")

    def play(self, samples: Sequence[Sample], seeds: Sequence[int], stop: SignalInterrupt) -> None:
        """Adds to each sample its episodes on the seeds, played side by side, as many as memory is sure to hold. Raises Cut."""
        together = max(1, MOST_LANES // len(seeds))
        for first in range(0, len(samples), together):
            self._play_together(samples[first : first + together], seeds, stop)

    def _play_together(self, samples: Sequence[Sample], seeds: Sequence[int], stop: SignalInterrupt) -> None:
        rollout = self._run(
            play_values,
            self.program.flow,
            {name: [one.values[name] for one in samples for _ in seeds] for name in self.names},
            replace(
                self.episodes,
                seeds=tuple(seed for _ in samples for seed in seeds),
                max_steps=self.episodes.max_steps if samples[0].cap is None else samples[0].cap,
            ),
            stop=stop,
        )
        count = len(seeds)
        for place, one in enumerate(samples):
            one.parts.append(rollout.lanes(place * count, (place + 1) * count, 1 / len(samples)))
        if rollout.interrupted or stop.was_delivered:
            raise TuningInterrupted(INTERRUPTED)
        if not all(rollout.finished) or len(rollout.seeds) < count * len(samples):
            raise self.spent()

    def passes(self, sample: Sample, stop: SignalInterrupt) -> str | None:
        """Why a sample breaks one of the task's golden cases; None where it passes them all. Raises Cut."""
        flow: Dataflow = flow_with(self.program.flow, sample.values)
        gate = CaseGate(self.cases, self.program.card)
        gate.replay(sample.number, flow)
        try:
            for setting, cases in gate.batches():
                if not gate.passes_so_far(sample.number):
                    break
                played = self._run(
                    play,
                    [flow],
                    self.program.card,
                    setting,
                    stop=stop,
                )
                gate.record_episodes(sample.number, cases, played.episodes[0])
                if played.rollout.interrupted or stop.was_delivered:
                    raise TuningInterrupted(INTERRUPTED)
                if not played.rollout.complete:
                    raise self.spent()
        finally:
            sample.cases, sample.case_steps = gate.results_json(sample.number), gate.steps(sample.number)
        return gate.rejection_reason(sample.number)

    def _run(self, function: Callable, *arguments: Any, stop: SignalInterrupt) -> Any:
        for _ in range(_CHANCES):
            before, taken = self.budget.steps_spent, self._taken

            def show(steps: int) -> None:
                self.tell(
                    {
                        "event": "steps",
                        "env_steps": before + steps,
                        "budget_steps": self.budget.steps,
                        "seconds": self.budget.seconds,
                    }
                )

            try:
                played = self.resources.executor.run(
                    function,
                    *arguments,
                    hooks=ExecutionHooks(
                        before_step=None if self.meter is None else self.meter.after(taken),
                        interrupt=stop,
                        on_progress=show,
                    ),
                    resources=self.resources,
                    step_budget=self.steps_left,
                )
            except EvaluatorFailed as failure:
                self._taken += failure.steps
                if failure.outcome != INTERRUPTED:
                    self.budget.steps_spent += failure.steps
                self.failed(failure)
                if failure.outcome == INTERRUPTED:
                    raise TuningInterrupted(INTERRUPTED) from None
                said = failure.message
            else:
                rollout: Rollout = getattr(played, "rollout", played)
                self._taken += rollout.env_steps
                self.budget.steps_spent += rollout.env_steps
                self.planning += rollout.total_counts.planning or PlanningCounts()
                return played
        raise SampleFailed(said)
