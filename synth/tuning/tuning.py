"""`hl tune`: CMA-ES over a program's parameters, a whole population in one batch, every lane with its own values.

A generation is played, judged and written down, in that order; what it came to is a function of the program, the seeds and
the settings. So a run that was cut is repeated from what the ledger tells of it, and goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hl_dsl.synth.candidates.parameter_values import hash_with, values_of
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.executor import Executor
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.tuning.cma_es import CmaEs
from hl_dsl.synth.tuning.episode_schedule import WHOLE, Phase, schedule_text
from hl_dsl.synth.tuning.fitness import MEAN, Fitness
from hl_dsl.synth.tuning.generation import RACE_SEEDS, Generations
from hl_dsl.synth.tuning.parameter_selection import chosen_parameters
from hl_dsl.synth.tuning.result import TuneResult
from hl_dsl.synth.tuning.sample_runner import BudgetExhausted, SampleFailed, SampleRunner, TuningInterrupted
from hl_dsl.synth.tuning.samples import Sample
from hl_dsl.synth.tuning.tuning_record import TuningRecord
from hl_dsl.synth.workers.worker_executor import WorkerExecutor

from hl_dsl.base.errors import HLError
from hl_dsl.base.text import counted
from hl_dsl.cases.documents import content_hash
from hl_dsl.cases.records import StoredCase
from hl_dsl.program import Program

_RESERVED = 0.5  # at most so much of the budget is kept back for whole episodes while short ones are played

OnEvent = Callable[[dict[str, Any]], None]


def tune(
    program: Program,
    protocol: str,
    seeds: Sequence[int],
    budget: Budget,
    seed: int = 0,
    ledger: Ledger | None = None,
    **more: Any,
) -> TuneResult:
    """Tunes all parameters, or those named (see `Tuning`); every sample is a trial in `ledger`. The same seed gives the same
    result. Raises HLError, as `Tuning` does."""
    return Tuning(program, protocol, seeds, budget, seed, **more).run(ledger)


class Tuning:
    """A tuning of a program's parameters, all or those in `names` (see `chosen_parameters`).

    `fitness` is what is made greater. `race`: all samples of a generation play 2 seeds, then the better half of them
    four times as many in all, and so on: successive halving. `short`: phases of short episodes before whole ones; nothing
    is accepted in them. `center`: only the center of the samples may be accepted, played once a generation, so that the luck
    of one sample is left out. What is accepted passes all `cases`. Raises HLError for a program without parameters or with none of a name, for seeds
    that are not for development, and NotProved, before anything is played.
    """

    def __init__(
        self,
        program: Program,
        protocol: str,
        seeds: Sequence[int],
        budget: Budget,
        seed: int = 0,
        names: Sequence[str] | None = None,
        population: int | None = None,
        no_reward_steps: int | None = None,
        max_steps: int | None = None,
        num_threads: int = 0,
        on_event: OnEvent | None = None,
        evaluator: Executor | None = None,
        fitness: Fitness = MEAN,
        race: bool = False,
        short: Sequence[Phase] = (),
        step_size: float | None = None,
        cases: Sequence[StoredCase] = (),
        center: bool = False,
    ):
        refuse_other_seeds(seeds, "a tuning")
        self.program, self.protocol, self.budget, self.seed, self.population, self.step_size = (
            program,
            protocol,
            budget,
            seed,
            population,
            step_size,
        )
        self.fitness, self.race, self.short, self.cases, self.center = fitness, race, tuple(short), tuple(cases), center
        self.chosen = chosen_parameters(program.flow.parameters, names, program.name)
        self.names = None if names is None else list(names)
        self.proof = program.prove()
        if not self.proof.passed:
            raise NotProved(program, self.proof)
        # Where nothing is drawn at random every seed is the same episode.
        self.seeds = tuple(seeds) if draws_at_random(program.card, protocol) else tuple(seeds)[:1]
        if race and len(self.seeds) <= RACE_SEEDS:
            same = len(seeds) > len(self.seeds)
            why = (
                f": every seed is the same episode under `{protocol}`"
                if same
                else f": every sample plays {RACE_SEEDS}"
                if len(self.seeds) > 1
                else ""
            )
            raise HLError(
                f"there is nothing to race with {counted(len(self.seeds), 'seed')}{why}",
                "leave the race out" if same else "give more seeds, or leave the race out",
            )
        self.episodes = EpisodeSettings(protocol, self.seeds, max_steps, no_reward_steps)
        self.resources = Resources(num_threads, executor=evaluator or WorkerExecutor())
        self._owns_executor = evaluator is None
        self.tell = on_event or (lambda event: None)
        self.defaults = values_of(program.flow)

    def settings(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        return {
            "kind": "tune",
            "environment": self.program.card.environment,
            "protocol": self.protocol,
            "run_seed": self.seed,
            "seeds": list(self.seeds),
            "params": self.names,
            "population": self.population,
            "step_size": self.step_size,
            "fitness": self.fitness.text,
            "race": self.race or None,
            "center": self.center or None,
            "short": schedule_text(self.short),
            "no_reward_steps": self.episodes.no_reward_steps,
            "max_steps": self.episodes.max_steps,
            "regressions": {one.name: content_hash(one) for one in self.cases} or None,
            "program_hash": self.program.hash,
            "program": self.program.source.text or self.program.text,
        }

    def run(
        self, ledger: Ledger | None = None, events: Sequence[Mapping[str, Any]] = (), meter: StepCounter | None = None
    ) -> TuneResult:
        """Tunes, and records every sample. `events`: the ledger of a run that goes on; what it tells is not played again.

        An interrupt ends the tuning; what was best by then is the result. Raises HLError for a budget too small to play
        the program once, and where the program breaks a case.
        """
        self.book = TuningRecord(self.program, self.proof, self.fitness, self.settings(), ledger, events)
        if meter is not None:
            self.book.charge_killed(meter, events)
        self.budget.steps_spent = self.book.steps_charged
        self.player = SampleRunner(
            self.program,
            self.episodes,
            self.budget,
            self.resources,
            meter,
            self.tell,
            self.book.failed,
            self.cases,
        )
        self.player.planning = self.book.planning
        self.all = Generations(self.player, self.book, self.fitness, self.seeds, self.race, self.tell)
        self.generations, reason, hint = 0, "the samples no longer differ", "give it a larger budget"
        try:
            start = self.all.play([self.defaults])[0]
            if start.gate is Gate.ACCEPTED:
                self._improve()
        except TuningInterrupted as cut:
            reason = str(cut)
            hint = "mend what failed, and start a new run" if isinstance(cut, SampleFailed) else hint
        except KeyboardInterrupt:
            reason = INTERRUPTED
        finally:
            executor = self.resources.executor
            if self._owns_executor:
                executor.close()
            else:
                executor.release()
        start = self.all.samples.get(self.book.key(Sample(0, self.defaults)))
        if start is not None and start.gate is Gate.REGRESSION:
            raise HLError(
                f"the program that the tuning begins from is no good: {start.reason}",
                "mend it first, and start a new run; `hl regress` shows more",
            )
        if self.all.best is None:
            raise HLError(f"the run stopped before the first episodes ended: {reason}", hint)
        return self._result(start.score, reason)

    # the generations

    def _improve(self) -> None:
        strategy = CmaEs(self.chosen, self.seed, self.population, self.step_size)
        start = self.all.best
        for phase in (*self.short, WHOLE):
            try:
                start = self._phase(strategy, phase, start)
            except BudgetExhausted:
                # What is kept back for whole episodes is not spent in short ones; the best of those is played in whole.
                if phase is WHOLE or not self.player.reserve:
                    raise
                start = self.all.best_of(phase.cap) or start

    def _phase(self, strategy: CmaEs, phase: Phase, start: Sample) -> Sample:
        """The generations of a phase, from the best that is known; the best one of the phase."""
        self.player.reserve = self._kept_back(phase)
        self.all.play([self.defaults, start.values], phase.cap)
        begun = known = 0
        left = phase.generations
        while left is None or left > 0:
            best = self.all.best_of(phase.cap)
            if strategy.rested:
                if strategy.exhausted or begun > 2 and len(self.all.samples) == known:
                    break
                if phase is not WHOLE and begun:
                    break  # whole episodes tell more than another beginning
                strategy.begin(best.values)
                begun, known = begun + 1, len(self.all.samples)
            drawn = [self.defaults | values for values in strategy.ask()]
            played = self.all.play(drawn, phase.cap, self.defaults | strategy.center if self.center else None)[
                : len(drawn)
            ]
            strategy.tell([one.told for one in played])
            left = None if left is None else left - 1
            self._generation_ended(strategy, phase, played)
        return self.all.best_of(phase.cap)

    def _kept_back(self, phase: Phase) -> int:
        """Steps for the best one's whole episodes, which a phase of short ones may not spend."""
        if phase.cap is None or self.budget.steps is None:
            return 0
        longest = min(
            self.episodes.max_steps or self.program.card.max_episode_steps, self.program.card.max_episode_steps
        )
        return min(longest * len(self.seeds), int(self.budget.steps * _RESERVED))

    def _generation_ended(self, strategy: CmaEs, phase: Phase, played: Sequence[Sample]) -> None:
        # A race may have gone on with the center alone, and samples that come again may all have been dropped before.
        scores = [one.score for one in played if not one.dropped] or [one.score for one in played]
        best = self.all.best_of(phase.cap)
        told = {
            "best": None if best is None else best.score,
            "mean": sum(scores) / len(scores),
            "sigma": strategy.sigma,
            "restart": strategy.restarts,
            "samples": len(self.all.samples),
            "short": phase.cap,
            "env_steps": self.budget.steps_spent,
        }
        self.book.generation(self.generations, told)
        self.generations += 1
        self.tell(
            {
                **told,
                "event": "generation",
                "budget_steps": self.budget.steps,
                "programs": len(self.all.samples),
                "seconds": self.budget.seconds,
                "seconds_left": self._seconds_left(),
            }
        )

    def _seconds_left(self) -> float | None:
        """Until the first of the budgets is spent, at the pace so far."""
        spent, seconds = self.budget.steps_spent - self.book.steps_charged, self.budget.seconds
        ends = [
            self.budget.seconds_left,
            self.budget.steps_left / spent * seconds if spent and self.budget.steps_left is not None else None,
        ]
        return min((one for one in ends if one is not None), default=None)

    def _result(self, start: float, reason: str) -> TuneResult:
        best = self.all.best
        text = self.book.text(best.values) if best.score > start else self.program.source.text or self.program.text
        return TuneResult(
            text,
            hash_with(self.program.flow, best.values),
            best.values,
            best.score,
            start,
            self.seeds,
            len(self.all.samples),
            self.budget.steps_spent,
            reason,
            self.program.name,
            self.protocol,
            self.fitness.text,
            self.player.planning,
        )
