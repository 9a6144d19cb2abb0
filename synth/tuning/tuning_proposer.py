"""Proposer of a tuning: CMA-ES over the parameters of one program, whole generations of parameter vectors at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.cma_es import DEFAULT_STEP_SIZE, CmaEs, CmaOptions
from hl_dsl.synth.candidates.proposer import (
    Candidate,
    Proposer,
    ProposerFailed,
    ProposerStopped,
    Rejected,
    SearchContext,
)
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.search.completed_trial import BUDGET_SPENT
from hl_dsl.synth.search.study_settings import TuningSettings
from hl_dsl.synth.tuning.episode_schedule import WHOLE, Phase
from hl_dsl.synth.tuning.fitness import Fitness
from hl_dsl.synth.tuning.tuning_selection import Batch

NAME = "cma-es"
_WITHHELD_SHARE = 0.5  # of the budget, at most, is kept for whole episodes while short ones are played
_NAMED_PARAMETERS = 4  # that a change names one by one
_FLAT_GENERATIONS = 5  # of equal scores before a restart
_GENERATIONS_PER_DIMENSION = 100  # before a restart
Values = Mapping[str, float]


@dataclass
class Sample:
    """One set of parameter values in episodes of one length.

    Attributes:
        number: Number of its trial.
        values: All parameters.
        max_steps: Steps after which its episodes end; None: whole episodes.
        is_eligible: Whether it may be accepted.
        score: Fitness on the seeds that it finished; None if it finished none.
        reported_score: The score that is reported to CMA-ES.
        is_whole: Whether it finished all seeds.
        is_accepted: Whether it was accepted.
    """

    number: int
    values: dict[str, float]
    max_steps: int | None
    is_eligible: bool
    score: float | None = None
    reported_score: float | None = None
    is_whole: bool = False
    is_accepted: bool = False


@dataclass(frozen=True)
class TuningProblem:
    """Definition of a tuning.

    Attributes:
        start: The initial program as a candidate.
        parameters: The parameters that are tuned.
        seeds: Development seeds.
        fitness: What is maximized over the seeds.
        phases: Phases of short episodes, before whole ones.
        longest: Steps of the longest episode.
        run_seed: Seed of all random numbers.
        settings: The settings of the tuning.
    """

    start: Candidate
    parameters: Sequence[Parameter]
    seeds: tuple[int, ...]
    fitness: Fitness
    phases: tuple[Phase, ...]
    longest: int
    run_seed: int
    settings: TuningSettings


class TuningProposer(Proposer):
    """Proposes the samples of CMA-ES. What it keeps is a function of the trials and the settings.

    A set of values that was evaluated before is not proposed again; its earlier score is reported to CMA-ES again.
    """

    def __init__(self, problem: TuningProblem):
        self.problem = problem
        settings = problem.settings
        limits = {
            "tolflatfitness": _FLAT_GENERATIONS,
            "maxiter": _GENERATIONS_PER_DIMENSION * max(2, len(problem.parameters)),
        }
        options = CmaOptions(settings.population, settings.step_size or DEFAULT_STEP_SIZE, limits=limits)
        self.strategy = CmaEs(problem.parameters, lambda restart: generator(problem.run_seed, restart, "tune"), options)
        self.batch = Batch()
        self.last_scores: list[float] = []
        self._defaults = dict(problem.start.values)
        self._samples: dict[tuple[Any, ...], Sample] = {}
        self._proposed: list[Sample] = [self._add(self._defaults, None, is_eligible=True)]
        self._best: Sample | None = None
        self._steps_spent = 0
        self._steps_left: int | None = None
        self._is_cut = False
        self._generations = self._run()

    @property
    def samples(self) -> int:
        """Number of samples so far."""
        return len(self._samples)

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """The samples of the next generation that were not evaluated before."""
        self._steps_left = context.steps_left
        batch = next(self._generations, None)
        if batch is None:
            raise ProposerStopped("the samples no longer differ")
        self.batch = batch
        return [self._candidate(sample) for sample in self._proposed]

    def _candidate(self, sample: Sample) -> Candidate:
        start = self.problem.start
        moved = [f"`{name}`" for name, value in sample.values.items() if value != self._defaults[name]]
        named = ", ".join(moved) if len(moved) <= _NAMED_PARAMETERS else f"{len(moved)} params"
        return Candidate(
            sample.number,
            start.checked.with_values(sample.values),
            start.proof,
            f"tuned {named}" if moved else "",
            NAME,
            (start.checked.hash,) if moved else (),
            sample.values,
        )

    # results

    def observe(self, trials: Sequence[Trial]) -> None:
        """Takes the results of the generation that was proposed last.

        Raises:
            ProposerFailed: No evaluation of the generation succeeded.
        """
        by_number = {trial.index: trial for trial in trials}
        fitness, seeds = self.problem.fitness, set(self.problem.seeds)
        for sample in self._proposed:
            trial = by_number[sample.number]
            sample.score = fitness(trial.returns) if trial.returns else None
            sample.is_whole = seeds <= set(trial.seeds)
            sample.is_accepted = trial.accepted
        whole = [sample.score for sample in self._proposed if sample.is_whole and sample.score is not None]
        worst = min(whole, default=None)
        for sample in self._proposed:
            trial = by_number[sample.number]
            is_worst = sample.score is None or trial.gate is Gate.REGRESSION
            sample.reported_score = worst if is_worst else sample.score
            if not sample.is_whole and sample.score is not None and worst is not None:
                sample.reported_score = min(sample.score, worst)
            if sample.is_accepted:
                self._best = sample
        self._steps_spent += sum(trial.environment_steps for trial in trials)
        self._is_cut = any(BUDGET_SPENT in trial.reason for trial in trials)
        scores = [sample.score for sample in self._proposed if sample.score is not None]
        self.last_scores = whole or scores
        if not scores and not self._is_cut and len(trials) > 1:
            raise ProposerFailed(trials[-1].reason)

    def _best_of(self, max_steps: int | None) -> Sample | None:
        """The best accepted sample of whole episodes, or the best eligible one of short episodes."""
        if max_steps is None:
            return self._best
        samples = [
            sample
            for sample in self._samples.values()
            if sample.max_steps == max_steps and sample.is_whole and sample.is_eligible
        ]
        return max(samples, key=lambda sample: (sample.score, -sample.number), default=None)

    # generations

    def _run(self) -> Iterator[Batch]:
        """The generations of all phases."""
        start = self._defaults
        for phase in (*self.problem.phases, WHOLE):
            yield from self._phase(phase, start)
            best = self._best_of(phase.max_steps) or self._best
            start = self._defaults if best is None else best.values

    def _phase(self, phase: Phase, start: Values) -> Iterator[Batch]:
        """The generations of a phase, from the best values that are known."""
        strategy, settings = self.strategy, self.problem.settings
        yield from self._generation([self._defaults, start], phase, None)
        starts = known = generation = 0
        while phase.generations is None or generation < phase.generations:
            if self._is_spent(phase):
                return
            if strategy.has_converged:
                if strategy.is_exhausted or starts > 2 and self.samples == known:
                    return
                if phase is not WHOLE and starts:
                    return  # whole episodes are more informative than another restart
                best = self._best_of(phase.max_steps)
                strategy.restart(self._defaults if best is None else best.values)
                starts, known = starts + 1, self.samples
            drawn = [self._defaults | values for values in strategy.ask()]
            center = self._defaults | strategy.center if settings.center else None
            yield from self._generation(drawn, phase, center)
            scores = [self._samples[self._key(values, phase.max_steps)].reported_score for values in drawn]
            reported = [score for score in scores if score is not None]
            if reported:
                strategy.tell([min(reported) if score is None else score for score in scores])
            generation += 1

    def _generation(self, drawn: Sequence[Values], phase: Phase, center: Values | None) -> Iterator[Batch]:
        """One generation, unless all of its samples were evaluated before.

        If there is a center, only the center may be accepted.
        """
        proposed: list[Sample] = []
        samples = [(values, center is None) for values in drawn] + ([] if center is None else [(center, True)])
        for values, is_eligible in samples:
            known = self._samples.get(self._key(values, phase.max_steps))
            if known is None:
                proposed.append(self._add(values, phase.max_steps, is_eligible))
            elif known in proposed:
                known.is_eligible |= is_eligible
        if proposed:
            self._proposed = proposed
            eligible = frozenset(sample.number for sample in proposed if sample.is_eligible)
            yield Batch(phase.max_steps, eligible, self._withheld_steps(phase))

    def _add(self, values: Values, max_steps: int | None, is_eligible: bool) -> Sample:
        sample = Sample(len(self._samples), dict(values), max_steps, is_eligible)
        self._samples[self._key(values, max_steps)] = sample
        return sample

    def _key(self, values: Values, max_steps: int | None) -> tuple[Any, ...]:
        return (max_steps, *(values[name] for name in self._defaults))

    # budget

    def _withheld_steps(self, phase: Phase) -> int:
        """Environment steps for whole episodes of the best sample, which a phase of short ones may not spend."""
        if phase.max_steps is None or self._steps_left is None:
            return 0
        budget = self._steps_left + self._steps_spent
        return min(self.problem.longest * len(self.problem.seeds), int(budget * _WITHHELD_SHARE))

    def _is_spent(self, phase: Phase) -> bool:
        """Whether a phase of short episodes has spent its part of the budget."""
        if phase.max_steps is None or self._steps_left is None:
            return False
        return self._is_cut or self._steps_left <= self._withheld_steps(phase)
