"""One evaluation from end to end: prove, then play, then record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hl_dsl.compiler.planner.controller import controller_for
from hl_dsl.compiler.planner.counts import added, counts_record
from hl_dsl.synth.environments.environments import load_simulator, steps_taken
from hl_dsl.synth.environments.gymnasium_pool import EnvironmentFailed
from hl_dsl.synth.evaluation.proof_check import CHECKED, Disagreement, ProofCheck
from hl_dsl.synth.rollouts.interrupts import stopping
from hl_dsl.synth.rollouts.rollout import OnTick, Progress, Rollout, evaluate
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.verify import Proof
from hl_dsl.verify.goals.statuses import ProofStatus

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program


class NotProved(HLError):
    """The program does not pass its proof, so it was not run. `proof` says why."""

    def __init__(self, program: Program, proof: Proof, exit_code: int | None = None):
        super().__init__(
            f"{program.name} is not proved, so it does not run: {proof.summary}\n\n{proof.render(program.source)}",
            "mend what is shown, or watch a property instead of proving it by writing `monitor` for `invariant`",
        )
        self.proof = proof
        self.exit_code = proof.exit_code if exit_code is None else exit_code
        self.details = {
            "policy": program.name,
            "program_hash": program.hash,
            "env": program.card.environment,
            "env_steps": 0,
            "proof": proof.summary,
            "obligations": [one for one in proof.to_json()["results"] if one["status"] != ProofStatus.PROVED],
        }


class NotRecorded(HLError):
    """The episodes were played, but the ledger did not take the trial. `evaluation` is what they came to."""

    def __init__(self, evaluation: Evaluation, problem: HLError):
        super().__init__(f"the episodes were played, but not recorded: {problem.message}", problem.hint)
        self.evaluation = evaluation


@dataclass(frozen=True)
class Evaluation:
    """A proved program's rollout. `trial` is what went into the ledger. `backend` ran the program; where that is not the
    compiled one, `note` says why. `disagreements`: what a run that was to check the proof found against it."""

    program: Program
    proof: Proof
    rollout: Rollout
    trial: Trial
    backend: str = "tape"
    note: str | None = None
    disagreements: tuple[Disagreement, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document of `hl eval --json`."""
        rollout, trial = self.rollout, self.trial
        return {
            "schema": "hl.eval/1",
            "policy": self.program.name,
            "program_hash": self.program.hash,
            "env": rollout.environment,
            "protocol": rollout.protocol,
            "seeds": list(trial.seeds),
            "returns": list(trial.returns),
            "lengths": list(trial.lengths),
            "truncated": [cut for cut, done in zip(rollout.truncated, rollout.finished) if done],
            "mean": trial.mean,
            "min": trial.min,
            "max": trial.max,
            "distinct_trajectories": rollout.distinct_trajectories,
            "env_steps": rollout.env_steps,
            "planning": added(rollout.planning)._asdict() if rollout.planning else None,
            "cpu_seconds": rollout.cpu_seconds,
            "wall_seconds": rollout.wall_seconds,
            "out_of_range": sum(rollout.out_of_range),
            "assumption_violations": dict(trial.assumption_violations),
            "monitor_violations": dict(trial.monitor_violations),
            "invariant_violations": dict(trial.invariant_violations),
            "reached": dict(trial.reached),
            "disagreements": [asdict(one) | {"message": str(one)} for one in self.disagreements],
            "proof": self.proof.summary,
            "parameters": dict(trial.parameters),
            "options": dict(rollout.options),
            "complete": rollout.complete,
            "backend": self.backend,
            "note": self.note,
        }


def evaluate_program(
    program: Program,
    protocol: str,
    seeds: Sequence[int],
    *,
    ledger: Ledger | None,
    num_envs: int = 16,
    num_threads: int = 0,
    max_steps: int | None = None,
    parameters: Mapping[str, float] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_tick: OnTick | None = None,
    render: bool = False,
    kind: TrialKind = TrialKind.EVALUATION,
    check: bool = False,
    planner_seed: int = 0,
) -> Evaluation:
    """Proves `program`, plays one episode for each seed, and appends the trial to `ledger`.

    An interrupt ends the episodes at their next tick; what was played is recorded and returned, with
    `rollout.interrupted`, and where that is nothing KeyboardInterrupt is raised. With `check`, all that is proved is
    watched as well; what a run breaks of it is in `disagreements`, and the trial is not accepted. Raises `NotProved` where the proof does
    not pass (recorded too; no environment step is taken), `EnvironmentFailed` where a user's own environment broke off (recorded
    with its steps), `HLError` for an unknown protocol or, before anything is
    played, a ledger that cannot be written, and `NotRecorded` where it could not be written in the end.
    """
    proof = program.prove()
    if not proof.passed:
        if ledger is not None:
            ledger.append(_rejected(program, proof, protocol).to_event())
        raise NotProved(program, proof)
    if ledger is not None:
        ledger.prepare()
    checking = ProofCheck(program, parameters, planner_seed) if check else None
    policy = checking.policy if checking else controller_for(program.flow, parameters, planner_seed=planner_seed)
    load_simulator()  # it takes a second, in which an interrupt need not wait
    before = steps_taken()
    with stopping() as stop:
        try:
            rollout = evaluate(
                policy,
                program.card,
                protocol,
                seeds,
                num_envs=num_envs,
                num_threads=num_threads,
                max_steps=max_steps,
                on_progress=on_progress,
                on_tick=stop.at_ticks(checking.on_tick if checking else None, on_tick),
                render=render,
            )
        except EnvironmentFailed as problem:
            if ledger is not None:
                ledger.append(_broken_off(program, proof, protocol, kind, problem, steps_taken() - before).to_event())
            raise
        stop.hold()
        if rollout.interrupted and not rollout.env_steps:
            raise KeyboardInterrupt
        trial = trial_of(program, proof, rollout, parameters, kind, checking)
        evaluation = Evaluation(
            program, proof, rollout, trial, policy.backend, policy.note, checking.disagreements if checking else ()
        )
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
    """The record of a rollout. Episodes cut off by an interrupt count in the steps, not in the returns."""
    done = rollout.finished

    def finished(values):
        return tuple(value for value, end in zip(values, done) if end)

    flow = program.flow
    values = {item.name: item.default for item in flow.parameters} | dict(parameters or {})
    rows = rollout.monitor_violations
    monitors, invariants, reached = (
        [checking.counted(kind_, rows) for kind_ in CHECKED]
        if checking
        else (_named(flow.of_kind("monitor"), rows), {}, {})
    )
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
        out_of_range={"all": sum(rollout.out_of_range)},
        assumption_violations=_named(flow.of_kind("assume"), rollout.assumption_violations),
        monitor_violations=monitors,
        invariant_violations=invariants,
        reached=reached,
        planning=counts_record(rollout.planning),
        parameters=values,
    )


def _named(properties, rows) -> dict[str, int]:
    return {item.name: sum(row[column] for row in rows) for column, item in enumerate(properties)}


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


def _broken_off(program: Program, proof: Proof, protocol: str, kind: TrialKind, problem: HLError, steps: int) -> Trial:
    return Trial(
        kind=kind,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=Gate.NONE,
        reason=problem.message,
        environment=program.card.environment,
        protocol=protocol,
        environment_steps=steps,
        proof={"status": proof.summary},
    )


def ledger_beside(policy: Path) -> Ledger:
    """The ledger of a policy file: `trials.jsonl` in its folder."""
    return Ledger(policy.parent / "trials.jsonl")
