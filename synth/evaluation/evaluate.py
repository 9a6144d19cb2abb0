"""Evaluation of one program: proof, rollout, record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.planner.controller import controller_for
from hl_dsl.program import Program
from hl_dsl.synth.environments.backends.backend import EnvironmentFailed
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.proof_check import CHECKED, Disagreement, ProofCheck
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.interrupts import defer_interrupts
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import Rollout, evaluate
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.verify import Proof
from hl_dsl.verify.goals.statuses import ProofStatus


class NotProved(HLError):
    """The program failed its proof, so it was not run. `proof` has the reasons."""

    def __init__(self, program: Program, proof: Proof, exit_code: int | None = None):
        super().__init__(
            f"{program.name} is not proved, so it does not run: {proof.summary}\n\n{proof.render(program.source)}",
            "fix the errors above, or write `monitor` for `invariant` to count violations without a proof",
        )
        self.proof = proof
        self.exit_code = proof.exit_code if exit_code is None else exit_code
        self.details = {
            "policy": program.name,
            "program_hash": program.hash,
            "env": program.card.environment,
            "env_steps": 0,
            "proof": proof.summary,
            "obligations": [result for result in proof.to_json()["results"] if result["status"] != ProofStatus.PROVED],
        }


class NotRecorded(HLError):
    """The episodes were played, but the trial could not be written to the ledger. `evaluation` is the result."""

    def __init__(self, evaluation: Evaluation, problem: HLError):
        super().__init__(f"the episodes were played, but not recorded: {problem.message}", problem.hint)
        self.evaluation = evaluation


@dataclass(frozen=True)
class Evaluation:
    """Rollout of a proved program.

    Attributes:
        program: The program.
        proof: Its proof.
        rollout: Its episodes.
        trial: Its record in the ledger.
        backend: Back end of the compiled policy.
        note: Why the usual back end was not used.
        disagreements: Violations of proved properties.
    """

    program: Program
    proof: Proof
    rollout: Rollout
    trial: Trial
    backend: str = "tape"
    note: str | None = None
    disagreements: tuple[Disagreement, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document of `hl eval --json`."""
        rollout, trial, counts = self.rollout, self.trial, self.rollout.total_counts
        return {
            "schema": "hl.eval/1",
            "policy": self.program.name,
            "program_hash": self.program.hash,
            "env": rollout.environment,
            "protocol": rollout.protocol,
            "seeds": list(trial.seeds),
            "returns": list(trial.returns),
            "lengths": list(trial.lengths),
            "truncated": [
                is_truncated
                for is_truncated, is_finished in zip(rollout.truncated, rollout.finished, strict=True)
                if is_finished
            ],
            "mean": trial.mean,
            "min": trial.min,
            "max": trial.max,
            "distinct_trajectories": rollout.distinct_trajectories,
            "env_steps": rollout.env_steps,
            "planning": None if counts.planning is None else counts.planning.to_json(),
            "cpu_seconds": rollout.cpu_seconds,
            "wall_seconds": rollout.wall_seconds,
            "out_of_range": counts.out_of_range,
            "assumption_violations": dict(trial.assumption_violations),
            "monitor_violations": dict(trial.monitor_violations),
            "invariant_violations": dict(trial.invariant_violations),
            "reached": dict(trial.reached),
            "disagreements": [asdict(found) | {"message": str(found)} for found in self.disagreements],
            "proof": self.proof.summary,
            "parameters": dict(trial.parameters),
            "options": dict(rollout.options),
            "complete": rollout.complete,
            "backend": self.backend,
            "note": self.note,
        }


@dataclass(frozen=True)
class EvaluationOptions:
    """Options of `evaluate_program`.

    Attributes:
        parameters: Values of parameters by name; the others have their defaults.
        kind: Kind of the recorded trial.
        check: Monitor all that is proved.
        planner_seed: Seed of the planner's random numbers.
    """

    parameters: Mapping[str, float] = field(default_factory=dict)
    kind: TrialKind = TrialKind.EVALUATION
    check: bool = False
    planner_seed: int = 0


def evaluate_program(
    program: Program,
    settings: EpisodeSettings,
    *,
    ledger: Ledger | None,
    resources: Resources | None = None,
    callbacks: RolloutCallbacks | None = None,
    options: EvaluationOptions | None = None,
) -> Evaluation:
    """Proves `program`, plays one episode for each seed, and appends the trial to `ledger`.

    An interrupt stops the episodes at their next tick. What was played is recorded and returned, with
    `rollout.interrupted`. A proved property that an episode violates is in `disagreements` (with `options.check`), and
    the trial is not accepted.

    Args:
        program: The program.
        settings: Protocol, seeds and limits of the episodes.
        ledger: Where the trial is recorded, a failed proof too; None records nothing.
        resources: Threads and lanes.
        callbacks: What is called while the episodes are played.
        options: Parameters, monitoring, and the kind of the trial.

    Raises:
        NotProved: The proof failed. No environment step is taken.
        EnvironmentFailed: The user's own environment failed. The trial is recorded with its steps.
        HLError: The protocol is unknown, or the ledger cannot be written; before any step.
        NotRecorded: The ledger could not be written at the end.
        KeyboardInterrupt: The interrupt came before the first step.
    """
    options, callbacks = options or EvaluationOptions(), callbacks or RolloutCallbacks()
    resources = resources or Resources()
    parameters = options.parameters
    proof = program.prove()
    if not proof.passed:
        if ledger is not None:
            ledger.append(_rejected(program, proof, settings.protocol).to_event())
        raise NotProved(program, proof)
    if ledger is not None:
        ledger.prepare()
    checking = ProofCheck(program, parameters, options.planner_seed) if options.check else None
    policy = (
        checking.policy if checking else controller_for(program.flow, parameters, planner_seed=options.planner_seed)
    )
    simulators = resources.simulators
    simulators.load(program.card.environment)  # it takes a second, in which an interrupt need not wait
    before = simulators.steps_taken
    with defer_interrupts() as stop:
        on_tick = stop.at_ticks(checking.on_tick if checking else None, callbacks.on_tick)
        try:
            rollout = evaluate(policy, program.card, settings, resources, replace(callbacks, on_tick=on_tick))
        except EnvironmentFailed as problem:
            if ledger is not None:
                failed = _broken_off(program, proof, settings.protocol, options.kind, problem)
                ledger.append(replace(failed, environment_steps=simulators.steps_taken - before).to_event())
            raise
        stop.hold()
        if rollout.interrupted and not rollout.env_steps:
            raise KeyboardInterrupt
        trial = trial_of(program, proof, rollout, parameters, options.kind, checking)
        disagreements = checking.disagreements if checking else ()
        evaluation = Evaluation(program, proof, rollout, trial, policy.backend, policy.note, disagreements)
        if ledger is not None:
            _record(ledger, evaluation)
    return evaluation


def _record(ledger: Ledger, evaluation: Evaluation) -> None:
    try:
        ledger.append(evaluation.trial.to_event())
    except HLError as problem:
        raise NotRecorded(evaluation, problem) from problem


def trial_of(
    program: Program,
    proof: Proof,
    rollout: Rollout,
    parameters: Mapping[str, float] | None,
    kind: TrialKind,
    checking: ProofCheck | None = None,
) -> Trial:
    """The record of a rollout. Unfinished episodes count in the steps, not in the returns.

    Args:
        program: The program.
        proof: Its proof.
        rollout: Its rollout.
        parameters: Values of parameters by name; the others have their defaults.
        kind: Kind of the trial.
        checking: The check of the proof, if the rollout was monitored.
    """
    done = rollout.finished

    def finished(values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(value for value, is_finished in zip(values, done, strict=True) if is_finished)

    flow = program.flow
    values = {item.name: item.default for item in flow.parameters} | dict(parameters or {})
    counts = rollout.total_counts
    counted = counts.trial_fields(flow)
    if checking:
        monitors, invariants, reached = (checking.counted(kind_, counts.monitor_violations) for kind_ in CHECKED)
        counted |= {"monitor_violations": monitors, "invariant_violations": invariants, "reached": reached}
    against = "; ".join(map(str, checking.disagreements)) if checking else ""
    accepted = rollout.complete and not against
    return Trial(
        kind=kind,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=Gate.ACCEPTED if accepted else Gate.PROVE if against else Gate.NONE,
        accepted=accepted,
        reason=against or ("" if rollout.complete else "interrupted"),
        environment=rollout.environment,
        protocol=rollout.protocol,
        options=rollout.options,
        seeds=finished(rollout.seeds),
        returns=finished(rollout.returns),
        lengths=finished(rollout.lengths),
        distinct_trajectories=rollout.distinct_trajectories,
        environment_steps=rollout.env_steps,
        cpu_seconds=rollout.cpu_seconds,
        wall_seconds=rollout.wall_seconds,
        proof={"status": proof.summary},
        parameters=values,
        **counted,
    )


def _rejected(program: Program, proof: Proof, protocol: str) -> Trial:
    return Trial(
        kind=TrialKind.VERIFY_REJECT,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=Gate.PROVE,
        reason=proof.summary,
        environment=program.card.environment,
        protocol=protocol,
        proof={"status": proof.summary},
    )


def _broken_off(program: Program, proof: Proof, protocol: str, kind: TrialKind, problem: HLError) -> Trial:
    return Trial(
        kind=kind,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=Gate.NONE,
        reason=problem.message,
        environment=program.card.environment,
        protocol=protocol,
        proof={"status": proof.summary},
    )


def policy_ledger(policy: Path) -> Ledger:
    """The ledger of a policy file: `trials.jsonl` in its folder."""
    return Ledger(policy.parent / "trials.jsonl")
