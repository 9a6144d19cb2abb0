"""`hl tune`: a program's parameters moved inside their proved ranges by CMA-ES; the structure, and so the proof, stays.

A whole population is played in one batch, every lane with its own parameters.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable, Mapping, Sequence

from hl_dsl.compiler.ir import Parameter
from hl_dsl.diagnostics import HLError
from hl_dsl.format import format_policy
from hl_dsl.program import Program
from hl_dsl.synth.budget import Budget
from hl_dsl.synth.defaults import hash_with, syntax_with, values_of
from hl_dsl.synth.evaluation import NotProved, trial_of
from hl_dsl.synth.header import without_measured
from hl_dsl.synth.ledger import Ledger
from hl_dsl.synth.isolation.evaluator import InProcess, Isolated
from hl_dsl.synth.isolation.limits import EvaluatorFailed
from hl_dsl.synth.planning.counts import PlanningCounts, added
from hl_dsl.synth.playing import play_values
from hl_dsl.synth.protocols import draws_at_random, protocol_options
from hl_dsl.synth.random_numbers import generator
from hl_dsl.synth.rollout import Rollout
from hl_dsl.synth.sampling import values_at
from hl_dsl.synth.stopping import Stopping, stopping
from hl_dsl.synth.trials import NO_GATE, Trial, cut_trial
from hl_dsl.synth.words import counted

INTERRUPTED = "interrupted"
_MOST_RESTARTS = 100
_STEP = 0.25  # CMA-ES's first step size; every range is scaled to [0, 1]
_CHANCES = 2  # for samples whose evaluator came to no result
OnEvent = Callable[[dict[str, Any]], None]


class _NoResult(Exception):
    """The evaluator failed, and failed again; the message is the stop reason."""


@dataclass(frozen=True)
class TuneResult:
    """`text` is the program with the best values as its defaults (the program's own text where nothing was better).
    `score` and `start_score` are mean returns over `seeds`."""

    text: str
    program_hash: str
    values: dict[str, float]
    score: float
    start_score: float
    seeds: tuple[int, ...]
    samples: int
    env_steps: int
    stop_reason: str
    program_name: str = ""
    protocol: str = ""
    planning: PlanningCounts = PlanningCounts()

    @property
    def interrupted(self) -> bool:
        return self.stop_reason == INTERRUPTED

    def to_json(self) -> dict[str, Any]:
        """The document of `hl tune --json`, without its schema."""
        return {
            "policy": self.program_name, "protocol": self.protocol, "program_hash": self.program_hash, "parameters": self.values,
            "score": self.score, "start_score": self.start_score, "seeds": list(self.seeds), "samples": self.samples,
            "env_steps": self.env_steps, "planning": self.planning._asdict() if any(self.planning) else None, "stop_reason": self.stop_reason, "program": self.text}

    def render(self) -> str:
        """For people: the scores, the values, the text."""
        values = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        return (
            f"{self.program_name}: {self.start_score:g} -> {self.score:g} under {self.protocol}, {counted(len(self.seeds), 'seed')}, "
            f"{counted(self.samples, 'sample')}, {counted(self.env_steps, 'environment step')}"
            + (f", {counted(self.planning.steps, 'step')} of the model to plan" if self.planning.steps else "") + "\n"
            f"stopped: {self.stop_reason}\n{values}\n\n{self.text}").rstrip()


def tune(program: Program, protocol: str, seeds: Sequence[int], budget: Budget, seed: int = 0, ledger: Ledger | None = None, **more: Any) -> TuneResult:
    """Tunes all parameters, or those named (see `Tuning`); every sample is a trial in `ledger`. The same seed gives the same
    result. Raises HLError, as `Tuning` does."""
    return Tuning(program, protocol, seeds, budget, seed, **more).run(ledger)


def _chosen(program: Program, names: Sequence[str] | None) -> list[Parameter]:
    parameters = program.flow.parameters
    if not parameters:
        raise HLError(f"{program.name} has no parameters to tune", "declare one: `param gain: real = 1 in [0, 10]`")
    known = {one.name.partition("[")[0] for one in parameters}
    for name in names or ():
        if name not in known and name not in {one.name for one in parameters}:
            raise HLError(f"{program.name} has no parameter `{name}`", f"its parameters: {', '.join(sorted(known))}")
    chosen = [one for one in parameters if not names or one.name in names or one.name.partition("[")[0] in names]
    return [one for one in chosen if one.low < one.high] or _refuse(program)


def _refuse(program: Program):
    raise HLError(f"the parameters of {program.name} cannot move: their ranges are single points", "widen a range")


class Tuning:
    """A tuning of a program's parameters, all or those in `names`.

    Raises HLError for a program without parameters or with none of a name, and NotProved, before anything is played.
    """

    def __init__(
        self, program: Program, protocol: str, seeds: Sequence[int], budget: Budget, seed: int = 0, names: Sequence[str] | None = None,
        population: int | None = None, dry_steps: int | None = None, max_steps: int | None = None, num_threads: int = 0,
        on_event: OnEvent | None = None, evaluator: InProcess | Isolated | None = None,
    ):
        self.program, self.protocol, self.budget, self.seed, self.population = program, protocol, budget, seed, population
        self.chosen = _chosen(program, names)
        self.names = None if names is None else list(names)
        self.proof = program.prove()
        if not self.proof.passed:
            raise NotProved(program, self.proof)
        # Where nothing is drawn at random every seed is the same episode.
        self.seeds = tuple(seeds) if draws_at_random(protocol_options(program.card, protocol)) else tuple(seeds)[:1]
        self.limits = {"dry_steps": dry_steps, "max_steps": max_steps, "num_threads": num_threads}
        self.tell, self.evaluator = on_event or (lambda event: None), evaluator or Isolated()
        self.defaults = values_of(program.flow)

    def settings(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        return {
            "kind": "tune", "environment": self.program.card.environment, "protocol": self.protocol, "run_seed": self.seed, "seeds": list(self.seeds),
            "params": self.names, "population": self.population, "dry_steps": self.limits["dry_steps"], "max_steps": self.limits["max_steps"],
            "program_hash": self.program.hash, "program": self.program.source.text or self.program.text}

    def run(self, ledger: Ledger | None = None, known: Iterable[Trial] = ()) -> TuneResult:
        """Tunes, and records every sample. `known`: the trials of a run that goes on; what they tell is not played again.

        An interrupt ends the tuning; what was best by then is the result. Raises HLError for a budget too small to play
        the program once.
        """
        self.ledger, self.scores, self.best, self.reason, self.sampled = ledger, {}, None, None, 0
        self.recorded = {self._key(trial.parameters): sum(trial.returns) / len(self.seeds) for trial in known if trial.gate != NO_GATE}
        # What an interrupt cut is not charged, so that the run is the same as without it (see Budget).
        self.budget.steps_spent = sum(trial.environment_steps for trial in known if trial.reason != INTERRUPTED)
        self.planning = added(PlanningCounts(**trial.planning) for trial in known)
        try:
            if self._play([self.defaults]) is not None:
                self._improve(self.seed, self.population)
        except KeyboardInterrupt:
            self.reason = INTERRUPTED
        except _NoResult as failed:
            self.reason = str(failed)
        finally:
            self.evaluator.close()
        if self.best is None:
            raise HLError(f"the run stopped before the first episodes ended: {self.reason}", "give it a larger budget")
        return self._result(self.scores[self._key(self.defaults)], self.reason or "the samples no longer differ")

    def _improve(self, seed: int, population: int | None) -> None:
        """CMA-ES, begun again with a larger population whenever it has come to rest: from the best, or from anywhere."""
        for restart in range(_MOST_RESTARTS):
            strategy = self._strategy(seed, population, restart)
            known = len(self.scores)
            while not strategy.stop():
                points = strategy.ask()
                scores = self._play([self._values(point) for point in points])
                if scores is None:
                    return
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    strategy.tell(points, [-score for score in scores])
                self.tell({"event": "generation", "env_steps": self.budget.steps_spent, "budget_steps": self.budget.steps, "best": self.best[0],
                           "programs": len(self.scores), "seconds": self.budget.seconds})
            if restart > 1 and len(self.scores) == known:
                return

    def _strategy(self, seed: int, population: int | None, restart: int):
        import cma

        random = generator(seed, restart, "tune")
        center = self.defaults if self.best is None else self.best[1]
        start = [(center[one.name] - one.low) / (one.high - one.low) for one in self.chosen]
        if restart % 2:
            start = [random.random() for _ in start]
        # CMA-ES needs two dimensions; where one parameter is tuned the second does nothing.
        start += [0.5] * (2 - len(start))
        options = {"bounds": [0, 1], "seed": random.randrange(1, 2**31), "verbose": -9, "tolflatfitness": 5, "maxiter": 100 * len(start)}
        size = population or 4 + int(3 * math.log(len(start)))
        options["popsize"] = max(2, size) * 2 ** min(restart, 4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cma.CMAEvolutionStrategy(start, _STEP, options)

    def _values(self, point) -> dict[str, float]:
        return self.defaults | values_at(self.chosen, point)

    def _play(self, every: list[dict[str, float]]) -> list[float] | None:
        """The scores, each value set played once in a run; None where the budget or an interrupt came first."""
        new = [values for place, values in enumerate(every) if self._key(values) not in self.scores and values not in every[:place]]
        unknown = [values for values in new if self._key(values) not in self.recorded]
        if unknown:
            self.reason = self.budget.stop_reason()
            if self.reason is not None:
                return None
        with stopping() as stop:
            rollout = self._rollout(unknown, stop) if unknown else None
            stop.hold()
            whole = self._record(new, rollout)
        if rollout is not None and rollout.interrupted:
            self.reason = INTERRUPTED
        if not whole:
            self.reason = self.reason or f"the budget of {self.budget.steps:,} environment steps is spent"
            return None
        return [self.scores[self._key(values)] for values in every]

    def _rollout(self, new: list[dict[str, float]], stop: Stopping) -> Rollout:
        lanes = [seed for _ in new for seed in self.seeds]
        columns = {name: [values[name] for values in new for _ in self.seeds] for name in self.defaults}
        before = self.budget.steps_spent

        def show(steps: int) -> None:
            self.tell({"event": "steps", "env_steps": before + steps, "budget_steps": self.budget.steps, "seconds": self.budget.seconds})

        for _ in range(_CHANCES):
            try:
                rollout = self.evaluator.run(
                    play_values, self.program.flow, columns, self.protocol, lanes, step_budget=self.budget.steps_left, on_progress=show, stopping=stop, **self.limits)
            except EvaluatorFailed as failure:
                self._charge(failure)
                before, failed = self.budget.steps_spent, failure.says
            else:
                self.budget.steps_spent += rollout.env_steps
                self.planning = added((self.planning, *rollout.planning))
                return rollout
        raise _NoResult(failed)

    def _charge(self, failure: EvaluatorFailed) -> None:
        """Charges the steps of an evaluator that came to no result, and lists them."""
        interrupted = failure.outcome == INTERRUPTED
        if not interrupted:
            self.budget.steps_spent += failure.steps
        if self.ledger is not None:
            self.ledger.append(cut_trial(self.settings(), failure.steps, INTERRUPTED if interrupted else failure.says).to_event())
        if interrupted:
            raise KeyboardInterrupt

    def _record(self, new: list[dict[str, float]], rollout: Rollout | None) -> bool:
        """Takes in the samples that were played to the end, in their order, and puts into the ledger what is not in it.
        Whether none was cut."""
        events, whole, count, played = [], True, len(self.seeds), 0
        for number, values in enumerate(new, self.sampled):
            score = self.recorded.get(self._key(values))
            if score is None:
                part = _lanes(rollout, played * count, (played + 1) * count, len(rollout.seeds) // count)
                played += 1
                score = sum(part.returns) / count if all(part.finished) else None
                better = score is not None and (self.best is None or score > self.best[0])
                events.append(self._trial(part, values, score is not None, better, number).to_event())
            if score is None:
                whole = False
                continue
            self.scores[self._key(values)] = score
            if self.best is None or score > self.best[0]:
                self.best = (score, values)
                self.tell({"event": "best", "score": score, "values": values})
        self.sampled += len(new)
        if self.ledger is not None:
            self.ledger.append_many(events)
        return whole

    def _trial(self, part: Rollout, values: dict[str, float], finished: bool, better: bool, number: int) -> Trial:
        trial = trial_of(self.program, self.proof, part, values, "tune")
        if finished and not better:
            trial = replace(trial, gate="development", accepted=False, reason="no better than the best so far")
        elif not finished and not part.interrupted:
            trial = replace(trial, reason="the budget was spent before its episodes ended")
        moved = [f"`{name}`" for name, value in values.items() if value != self.defaults[name]]
        return replace(
            trial, program_hash=hash_with(self.program.flow, values), index=number, run_seed=self.seed, proposer="cma-es",
            parent_hashes=(self.program.hash,) if moved else (), change="tuned " + ", ".join(moved) if moved else "",
            program=self._text(values) if moved else trial.program)

    def _text(self, values: Mapping[str, float]) -> str:
        """The program with other defaults. What was measured of it before was measured of another program."""
        return without_measured(format_policy(syntax_with(self.program.syntax, self.program.flow, values)))

    def _key(self, values: Mapping[str, float]) -> tuple:
        return tuple(values.get(name) for name in self.defaults)

    def _result(self, start: float, reason: str) -> TuneResult:
        score, values = self.best
        moved = {one.name: values[one.name] for one in self.chosen}
        changed = score > start
        text = self._text(moved) if changed else self.program.source.text or self.program.text
        return TuneResult(
            text, hash_with(self.program.flow, values), values, score, start, self.seeds, len(self.scores), self.budget.steps_spent, reason,
            self.program.name, self.protocol, self.planning)


def _lanes(rollout: Rollout, first: int, last: int, parts: int) -> Rollout:
    """The rollout of some lanes by itself, with its share of the time."""
    rows = slice(first, last)
    digests = [digest for digest, done in zip(rollout.digests[rows], rollout.finished[rows]) if done]
    steps = sum(rollout.lengths[rows])
    share = steps / max(1, rollout.env_steps) if rollout.env_steps else 1 / parts
    return replace(
        rollout, seeds=rollout.seeds[rows], returns=rollout.returns[rows], lengths=rollout.lengths[rows], finished=rollout.finished[rows],
        truncated=rollout.truncated[rows], digests=rollout.digests[rows], distinct_trajectories=len(set(digests)), env_steps=steps,
        cpu_seconds=rollout.cpu_seconds * share, wall_seconds=rollout.wall_seconds * share, out_of_range=rollout.out_of_range[rows],
        assumption_violations=rollout.assumption_violations[rows], monitor_violations=rollout.monitor_violations[rows], seeds_wanted=last - first,
        planning=rollout.planning[rows])
