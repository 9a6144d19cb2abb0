"""`hl tune` as a kind of study: the parameters of one program, tuned by CMA-ES inside their proved ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.text import counted
from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.proposer import Candidate, Proposer
from hl_dsl.synth.evaluation.policy_header import without_measured
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.search.search_state import StudyState
from hl_dsl.synth.search.selection import CandidateResult, SelectionRule
from hl_dsl.synth.search.study_kind import QUICK_SEEDS, Ending, StudyInputs, StudyKind
from hl_dsl.synth.search.study_settings import TuningSettings
from hl_dsl.synth.search.trial_maker import TrialMaker, Usage
from hl_dsl.synth.tuning.episode_schedule import parse_short, schedule_text
from hl_dsl.synth.tuning.fitness import MEAN, Fitness, parse_fitness
from hl_dsl.synth.tuning.parameter_selection import chosen_parameters
from hl_dsl.synth.tuning.progress_plot import ProgressPlot
from hl_dsl.synth.tuning.result import TuneResult
from hl_dsl.synth.tuning.tuning_proposer import NAME, TuningProblem, TuningProposer
from hl_dsl.synth.tuning.tuning_selection import RACE_SEEDS, TuningSelection


class ParameterTuning(StudyKind):
    """A tuning of a program's parameters. The structure stays, and with it the proof, which holds for all values.

    Raises:
        HLError: The program has no parameters to tune, or an option that would change nothing, and as `StudyKind`.
    """

    keeps_episodes = False

    def __init__(self, inputs: StudyInputs):
        tuning = inputs.settings.tuning or TuningSettings()
        card = inputs.program.card
        longest = min(inputs.settings.max_steps or card.max_episode_steps, card.max_episode_steps)
        self.fitness = parse_fitness(tuning.fitness)
        phases = parse_short(tuning.short, longest)
        tuning = replace(tuning, fitness=self.fitness.text, short=schedule_text(phases))
        super().__init__(replace(inputs, settings=replace(inputs.settings, tuning=tuning)))
        self.plot = ProgressPlot(inputs.folder, self.report)
        self.report = self.plot
        if tuning.race:
            _check_race(len(inputs.settings.seeds), len(self.settings.seeds), self.settings.protocol or "")
        chosen = chosen_parameters(inputs.program.flow.parameters, tuning.params, inputs.program.name)
        self._problem = TuningProblem(
            self.start,
            chosen,
            tuple(self.settings.seeds),
            self.fitness,
            phases,
            longest,
            self.settings.run_seed,
            tuning,
        )

    def document(self) -> dict[str, Any]:
        """What `run.json` records."""
        return self.settings.document(self.program, self.inputs.cases, None)

    def new_proposer(self) -> Proposer:
        """CMA-ES before its first generation."""
        return TuningProposer(self._problem)

    def new_state(self) -> StudyState:
        """The state before the first trial."""
        settings = self.settings
        return StudyState(
            self.program.card,
            tuple(settings.seeds),
            QUICK_SEEDS,
            settings.no_reward_steps,
            self.fitness,
            archives_accepted_only=True,
        )

    def trial_maker(self) -> TrialMaker:
        """Makes the trials of the study."""
        settings = self.settings
        return TuningTrialMaker(
            self.program, settings.protocol or "", settings.run_seed, NAME, kind=TrialKind.TUNE, fitness=self.fitness
        )

    def selection(self, state: StudyState, proposer: Proposer) -> SelectionRule:
        """Selection of at most one sample."""
        assert isinstance(proposer, TuningProposer)
        incumbent = None if state.archive.best is None else state.archive.best.best.score
        tuning = self._problem.settings
        return TuningSelection(proposer.batch, self.fitness, self._problem.seeds, tuning.race, incumbent)

    def observe(self, proposer: Proposer, trials: Any) -> None:
        """Hands the results of a generation to CMA-ES."""
        assert isinstance(proposer, TuningProposer)
        proposer.observe(trials)

    def generation_details(self, state: StudyState, proposer: Proposer) -> Mapping[str, Any]:
        """The step size of CMA-ES, the number of its restarts, and the length of short episodes."""
        assert isinstance(proposer, TuningProposer)
        strategy = proposer.strategy
        details = {"sigma": strategy.sigma, "restart": strategy.restarts} if strategy.restarts >= 0 else {}
        return {**details, "short": proposer.batch.max_steps}

    def progress(self, state: StudyState, proposer: Proposer) -> Mapping[str, Any]:
        """Mean score of the generation, step size, number of samples, and time left."""
        assert isinstance(proposer, TuningProposer)
        strategy = proposer.strategy
        if strategy.restarts < 0 or not proposer.last_scores:
            return {}
        return {
            "mean": fmean(proposer.last_scores),
            "sigma": strategy.sigma,
            "restart": strategy.restarts,
            "samples": proposer.samples,
            "short": proposer.batch.max_steps,
            "seconds_left": self._seconds_left(),
        }

    def _seconds_left(self) -> float | None:
        """Seconds until the first budget is spent, at the pace so far."""
        budget, ends = self.budget, [self.budget.seconds_left]
        if budget.steps_left is not None and budget.steps_spent:
            ends.append(budget.steps_left / budget.steps_spent * budget.seconds)
        return min((seconds for seconds in ends if seconds is not None), default=None)

    def best_text(self, state: StudyState, best: Structure, proof: str | None) -> str:
        """The program with the best values as its defaults; the initial program is not changed."""
        if best.best.trial == 0:
            return self.program.source.text or self.program.text
        return without_measured(best.checked.program.text)

    def result(self, state: StudyState, best: Structure, ending: Ending) -> TuneResult:
        """The result of the tuning."""
        planning = sum((PlanningCounts(**trial.planning) for trial in trials_of(ending.events)), PlanningCounts())
        return TuneResult(
            self.best_text(state, best, None),
            best.checked.hash,
            dict(best.best.values),
            best.best.score,
            best.best.score if state.archive.first is None else state.archive.first,
            tuple(self.settings.seeds),
            state.next_index,
            state.steps_spent,
            ending.reason,
            self.program.name,
            self.settings.protocol or "",
            self.fitness.text,
            planning,
        )

    def recorded(self) -> None:
        """Draws the progress plot."""
        self.plot.draw()


@dataclass(frozen=True)
class TuningTrialMaker(TrialMaker):
    """Makes the trials of a tuning: the text is recorded for the initial program and for accepted samples."""

    fitness: Fitness = MEAN

    def text(self, candidate: Candidate, is_accepted: bool) -> str:
        """The text of the initial program and of accepted samples; empty for others."""
        if candidate.index and not is_accepted:
            return ""
        text = super().text(candidate, is_accepted)
        return text if candidate.index == 0 else without_measured(text)

    def evaluated(self, result: CandidateResult, gate: Gate, reason: str, usage: Usage, steps_of_cases: int) -> Trial:
        """Trial of a sample, with its fitness if that is not the mean return."""
        trial = super().evaluated(result, gate, reason, usage, steps_of_cases)
        if self.fitness.is_mean or not trial.returns:
            return trial
        return replace(trial, fitness=self.fitness(trial.returns))


def _check_race(given: int, used: int, protocol: str) -> None:
    """Raises HLError if a race over so many seeds would change nothing."""
    if used > RACE_SEEDS:
        return
    is_fixed = given > used
    reason = (
        f": every seed is the same episode under `{protocol}`"
        if is_fixed
        else f": every sample is evaluated on {RACE_SEEDS}"
        if used > 1
        else ""
    )
    raise HLError(
        f"there is nothing to race with {counted(used, 'seed')}{reason}",
        "remove --race" if is_fixed else "give more seeds, or remove --race",
    )
