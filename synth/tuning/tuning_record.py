"""A tuning on record: a trial for each sample, with the text of the program for the first and for each new best alone, and an
event for each generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.synth.candidates.parameter_values import hash_with, values_of
from hl_dsl.synth.evaluation.evaluate import trial_of
from hl_dsl.synth.evaluation.program_text import text_with
from hl_dsl.synth.rollouts.rollout import Rollout
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.runs.trial import Trial, trials_of, wasted_trial
from hl_dsl.synth.tuning.fitness import Fitness
from hl_dsl.synth.tuning.samples import Sample
from hl_dsl.synth.workers.limits import EvaluatorFailed
from hl_dsl.verify import Proof

from hl_dsl.program import Program

HELD = "played to its end; its generation was cut"
SPENT = "the budget was spent before its episodes ended"
KILLED = "steps of episodes that the end of the process cut"
UNCHARGED = (INTERRUPTED, KILLED)  # so that a run that goes on is the same as without the cut (see Budget)
_NAMED = 4  # params that a change names one by one


class TuningRecord:
    """Writes a tuning down, and reads it back. `sequence` is the number of the last event."""

    def __init__(
        self,
        program: Program,
        proof: Proof,
        fitness: Fitness,
        settings: Mapping[str, Any],
        ledger: Ledger | None,
        events: Sequence[Mapping[str, Any]],
    ):
        self.program, self.proof, self.fitness, self.settings, self.ledger = program, proof, fitness, settings, ledger
        self.defaults = values_of(program.flow)
        self.sequence = events[-1]["sequence"] if events else 0
        self.generations = sum(event.get("event") == "generation" for event in events)
        trials = trials_of(events)
        self.steps_charged = sum(trial.environment_steps for trial in trials if trial.reason not in UNCHARGED)
        self.planning = sum((PlanningCounts(**trial.planning) for trial in trials), PlanningCounts())
        self._cut = self._cut_by_budgets(events)
        self._known = {
            self._key(trial.parameters, trial.options.get("short")): trial
            for trial in trials
            if trial.kind is TrialKind.TUNE and (trial.gate != Gate.NONE or trial.reason == HELD)
        }

    def charge_killed(self, meter: StepCounter, events: Sequence[Mapping[str, Any]]) -> None:
        """Lists what a process that was killed had played, and could not write down."""
        steps = meter.unrecorded(events)
        if steps:
            self._append([wasted_trial(self.settings, steps, KILLED).to_event()])

    def failed(self, failure: EvaluatorFailed) -> None:
        """Lists the steps of an evaluator that came to no result."""
        self._append(
            [
                wasted_trial(
                    self.settings, failure.steps, INTERRUPTED if failure.outcome == INTERRUPTED else failure.message
                ).to_event()
            ]
        )

    def known(self, values: Mapping[str, float], cap: int | None) -> Trial | None:
        """What the ledger tells of a sample."""
        return self._known.get(self._key(values, cap))

    def was_cut(self, one: Sample, budget: int | None) -> bool:
        """Whether a budget of so many steps, or of more, was spent before the sample's episodes ended."""
        return budget is not None and budget <= self._cut.get(self.key(one), 0)

    def _cut_by_budgets(self, events: Sequence[Mapping[str, Any]]) -> dict[tuple, int]:
        """By sample, the largest budget of steps that cut it."""
        found: dict[tuple, int] = {}
        steps = 0
        for event in events:
            if event.get("event") == "budget":
                steps = event.get("steps") or 0
            elif event.get("event") == "trial" and event.get("kind") == TrialKind.TUNE and event.get("reason") == SPENT:
                key = self._key(event["parameters"], event["options"].get("short"))
                found[key] = max(steps, found.get(key, 0))
        return found

    def key(self, one: Sample) -> tuple:
        return self._key(one.values, one.cap)

    def _key(self, values: Mapping[str, float], cap: int | None) -> tuple:
        return (cap, *(values.get(name) for name in self.defaults))

    def write(self, samples: Iterable[Sample]) -> None:
        """Records what was played, and verdicts that were not on record."""
        self._append(
            [_thin(self._trial(one).to_event()) for one in samples if one.fresh or one.case_steps or _settles(one)]
        )

    def generation(self, number: int, told: Mapping[str, Any]) -> None:
        """Records how a generation came out, once."""
        if number >= self.generations:
            self._append([{**told, "event": "generation", "generation": number}])
            self.generations = number + 1

    def _append(self, events: list[dict]) -> None:
        if self.ledger is not None and events:
            self.sequence = self.ledger.append_many(events)[-1]["sequence"]

    def _trial(self, one: Sample) -> Trial:
        moved = [f"`{name}`" for name, value in one.values.items() if value != self.defaults[name]]
        if one.fresh:
            rollout = Rollout.joined(one.parts)
            trial = trial_of(self.program, self.proof, rollout, one.values, TrialKind.TUNE)
            trial = replace(
                trial, options=self._options(trial.options, one), environment_steps=rollout.env_steps + one.case_steps
            )
        else:
            trial = replace(one.known, environment_steps=one.case_steps, cpu_seconds=0.0, wall_seconds=0.0)
        accepted = one.gate is Gate.ACCEPTED
        text = (
            ""
            if one.number and not accepted
            else self.text(one.values)
            if moved
            else self.program.source.text or self.program.text
        )
        change = "" if not moved else "tuned " + (", ".join(moved) if len(moved) <= _NAMED else f"{len(moved)} params")
        return replace(
            trial,
            gate=one.gate,
            accepted=accepted,
            reason=one.reason,
            program_hash=hash_with(self.program.flow, one.values),
            index=one.number,
            run_seed=self.settings["run_seed"],
            proposer="cma-es",
            parent_hashes=(self.program.hash,) if moved else (),
            change=change,
            program=text,
            cases=one.cases,
            fitness=None if self.fitness.is_mean else one.score,
        )

    def _options(self, options: Mapping[str, Any], one: Sample) -> dict[str, Any]:
        return {**options, "fitness": self.fitness.text, "short": one.cap}

    def text(self, values: Mapping[str, float]) -> str:
        """The program with other defaults."""
        return text_with(self.program, values)


def _thin(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a sample without what is empty in it, as it is in most of thousands of samples."""
    return (
        {name: value for name, value in event.items() if value is False or value == 0 or value}
        if not event["program"]
        else event
    )


def _settles(one: Sample) -> bool:
    """Whether the verdict on a sample that was on record is another one than recorded."""
    return (
        one.known is not None
        and one.gate != Gate.NONE
        and (one.known.gate == Gate.NONE or (one.gate is Gate.ACCEPTED) != one.known.accepted)
    )
