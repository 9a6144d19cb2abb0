"""Running cases on a program: runs are replayed, then the program is proved, then episodes are played, then all is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.environments.environments import load_simulator, steps_taken
from hl_dsl.synth.regressions.case import EpisodeCase, Regression, TraceCase
from hl_dsl.synth.regressions.play import CaseSettings, batches, episode_of
from hl_dsl.synth.regressions.verdicts import CaseResult, broken, of_episode, of_trace
from hl_dsl.synth.rollouts.candidate_batch import Episode, play
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.interrupts import SignalInterrupt, defer_interrupts
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial

from hl_dsl.program import Program

OnProgress = Callable[[int], None]  # environment steps taken so far


@dataclass(frozen=True)
class CasesRun:
    """What became of the cases, in their order. `proof`: the summary, None where nothing was to be played."""

    program: Program
    cases: tuple[Regression, ...]
    outcomes: tuple[CaseResult, ...]
    proof: str | None
    exit_code: int
    env_steps: int
    interrupted: bool

    def to_json(self) -> dict[str, Any]:
        """The document of `hl regress --json`, without its schema."""
        rows = [
            {"name": case.name, "kind": case.kind, "demands": case.says(), **outcome.to_json()}
            for case, outcome in zip(self.cases, self.outcomes)
        ]
        return {
            "policy": self.program.name,
            "program_hash": self.program.hash,
            "env": self.program.card.environment,
            "proof": self.proof,
            "cases": rows,
            "broken": sum(one.passed is False for one in self.outcomes),
            "env_steps": self.env_steps,
            "complete": not self.interrupted,
            "exit_code": self.exit_code,
        }


def run_cases(
    program: Program,
    cases: Sequence[Regression],
    ledger: Ledger | None,
    on_progress: OnProgress | None = None,
    num_threads: int = 0,
) -> CasesRun:
    """Runs the cases and appends a trial to `ledger`. An interrupt ends the episodes at their next tick; what was played is
    recorded. Nothing is played of a program that is not proved: its exit code is then that of the proof, or 1 where a
    replayed run is broken. Raises HLError where the ledger cannot be written, before anything is played."""
    began, cpu, before = time.perf_counter(), time.process_time(), steps_taken()
    found: dict[str, CaseResult] = {one.name: of_trace(one, program.flow) for one in cases if type(one) is TraceCase}
    played = [one for one in cases if type(one) is EpisodeCase]
    code, proof, interrupted = 0, None, False
    if ledger is not None:
        ledger.prepare()
    if played:
        result = program.prove()
        proof, code = result.summary, 0 if result.passed else result.exit_code
        said = "" if result.passed else f"not played: the program is not proved ({proof})"
        found |= {one.name: CaseResult(one.name, None, said) for one in played}
        if result.passed:
            interrupted = _play(program, played, found, on_progress, num_threads)
    outcomes = tuple(found[one.name] for one in cases)
    steps = steps_taken() - before
    if any(one.passed is False for one in outcomes):
        code = 1
    run = CasesRun(program, tuple(cases), outcomes, proof, code, steps, interrupted)
    if ledger is not None and cases:
        spent = {"wall_seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
        ledger.append(replace(_trial(run), **spent).to_event())
    return run


def play_one(program: Program, case: EpisodeCase, on_progress: OnProgress | None = None) -> Episode:
    """The episode of a case, played by a proved program."""
    load_simulator()
    with defer_interrupts() as stop:
        return _batch(
            program, CaseSettings(case.protocol, case.limit, case.no_reward_steps), [case.seed], on_progress, 0, stop
        )[0]


def _play(
    program: Program,
    cases: Sequence[EpisodeCase],
    found: dict[str, CaseResult],
    on_progress: OnProgress | None,
    num_threads: int,
) -> bool:
    """Fills in what became of the cases; whether an interrupt came first."""
    load_simulator()  # it takes a second, in which an interrupt need not wait
    with defer_interrupts() as stop:
        for setting, every, seeds in batches(cases):
            episodes = _batch(program, setting, seeds, on_progress, num_threads, stop)
            found |= {case.name: of_episode(case, episode_of(case, episodes), program.card) for case in every}
            if any(found[case.name].passed is None for case in every):
                stop.hold()
                return True
        stop.hold()
    return False


def _batch(
    program: Program,
    setting: CaseSettings,
    seeds: Sequence[int],
    on_progress: OnProgress | None,
    num_threads: int,
    stop: SignalInterrupt,
) -> list[Episode]:
    return play(
        [program.flow],
        program.card,
        setting.episodes(seeds),
        resources=Resources(num_threads),
        hooks=ExecutionHooks(interrupt=stop, on_progress=on_progress),
    ).episodes[0]


def _trial(run: CasesRun) -> Trial:
    """The record. Its returns stay empty: cases differ in their settings, and a mean of them would be no score."""
    program, first = run.program, broken(run.outcomes)
    protocols = {one.protocol for one in run.cases if type(one) is EpisodeCase}
    gate = (
        Gate.ACCEPTED
        if first is None
        else Gate.NONE
        if run.interrupted
        else Gate.REGRESSION
        if first.passed is False
        else Gate.PROVE
    )
    return Trial(
        kind=TrialKind.REGRESSION,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=gate,
        accepted=gate is Gate.ACCEPTED,
        reason="" if first is None else f"case {first.name}: {first.detail}",
        environment=program.card.environment,
        protocol=protocols.pop() if len(protocols) == 1 else "",
        environment_steps=run.env_steps,
        proof=None if run.proof is None else {"status": run.proof},
        parameters=values_of(program.flow),
        cases={one.name: one.to_json() for one in run.outcomes},
    )
