"""Run of the cases on a program: replays, proof, simulated episodes, and a trial in the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hl_dsl.cases.records import CounterexampleCase, EpisodeCase, StoredCase
from hl_dsl.program import Program
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.batches import batches, episode_of, settings_of
from hl_dsl.synth.regressions.verdicts import CaseResult, check_counterexample, check_episode, first_failure
from hl_dsl.synth.rollouts.candidate_batch import Episode, play
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.interrupts import SignalInterrupt, defer_interrupts
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial

OnProgress = Callable[[int], None]  # takes the environment steps so far


@dataclass(frozen=True)
class CasesRun:
    """Results of the cases, in their order. `proof` is the proof's summary; None if no episode was to be simulated."""

    program: Program
    cases: tuple[StoredCase, ...]
    results: tuple[CaseResult, ...]
    proof: str | None
    exit_code: int
    env_steps: int
    interrupted: bool

    def to_json(self) -> dict[str, Any]:
        """Returns the document of `hl regress --json`, without its schema."""
        rows = [
            {"name": case.name, "kind": str(case.kind), "demands": case.describe(), **result.to_json()}
            for case, result in zip(self.cases, self.results, strict=True)
        ]
        return {
            "policy": self.program.name,
            "program_hash": self.program.hash,
            "env": self.program.card.environment,
            "proof": self.proof,
            "cases": rows,
            "broken": sum(result.passed is False for result in self.results),
            "env_steps": self.env_steps,
            "complete": not self.interrupted,
            "exit_code": self.exit_code,
        }


def run_cases(
    program: Program,
    cases: Sequence[StoredCase],
    ledger: Ledger | None,
    on_progress: OnProgress | None = None,
    num_threads: int = 0,
) -> CasesRun:
    """Runs the cases on a program.

    An interrupt ends the episodes at their next tick; finished episodes are recorded. A program that is not proved is
    not simulated; the exit code is then that of the proof, or 1 if a replayed counterexample fails.

    Args:
        program: The program.
        cases: The cases.
        ledger: Ledger to which a trial is appended; None: not recorded.
        on_progress: Takes the environment steps so far.
        num_threads: Simulator threads; 0: one for each core.

    Raises:
        HLError: The ledger cannot be written. Raised before any episode.
    """
    resources, wall, cpu = Resources(num_threads), time.perf_counter(), time.process_time()
    results: dict[str, CaseResult] = {
        case.name: check_counterexample(case, program.flow) for case in cases if isinstance(case, CounterexampleCase)
    }
    episode_cases = [case for case in cases if isinstance(case, EpisodeCase)]
    exit_code, proof_summary, interrupted = 0, None, False
    if ledger is not None:
        ledger.prepare()
    if episode_cases:
        proof = program.prove()
        proof_summary, exit_code = proof.summary, 0 if proof.passed else proof.exit_code
        detail = "" if proof.passed else f"not simulated: the program is not proved ({proof_summary})"
        results |= {case.name: CaseResult(case.name, None, detail) for case in episode_cases}
        if proof.passed:
            interrupted = _simulate(program, episode_cases, results, on_progress, resources)
    ordered = tuple(results[case.name] for case in cases)
    if any(result.passed is False for result in ordered):
        exit_code = 1
    steps = resources.simulators.steps_taken
    run = CasesRun(program, tuple(cases), ordered, proof_summary, exit_code, steps, interrupted)
    if ledger is not None and cases:
        trial = replace(_trial(run), wall_seconds=time.perf_counter() - wall, cpu_seconds=time.process_time() - cpu)
        ledger.append(trial.to_event())
    return run


def simulate_case(
    program: Program, case: EpisodeCase, resources: Resources, on_progress: OnProgress | None = None
) -> Episode:
    """Returns the episode of a case with a proved program."""
    resources.simulators.load(program.card.environment)
    with defer_interrupts() as interrupt:
        return _episodes(program, settings_of(case), on_progress, resources, interrupt)[0]


def _simulate(
    program: Program,
    cases: Sequence[EpisodeCase],
    results: dict[str, CaseResult],
    on_progress: OnProgress | None,
    resources: Resources,
) -> bool:
    """Writes the results of the cases into `results`; true if an interrupt came first."""
    resources.simulators.load(program.card.environment)  # takes about a second, in which an interrupt must not wait
    with defer_interrupts() as interrupt:
        for settings, group in batches(cases):
            episodes = _episodes(program, settings, on_progress, resources, interrupt)
            results |= {case.name: check_episode(case, episode_of(case, episodes), program.card) for case in group}
            if any(results[case.name].passed is None for case in group):
                interrupt.hold()
                return True
        interrupt.hold()
    return False


def _episodes(
    program: Program,
    settings: EpisodeSettings,
    on_progress: OnProgress | None,
    resources: Resources,
    interrupt: SignalInterrupt,
) -> list[Episode]:
    return play(
        [program.flow],
        program.card,
        settings,
        resources=resources,
        hooks=ExecutionHooks(interrupt=interrupt, on_progress=on_progress),
    ).episodes[0]


def _trial(run: CasesRun) -> Trial:
    """The trial of a run. Its returns are empty: cases differ in their settings, so a mean of returns means nothing."""
    program, failure = run.program, first_failure(run.results)
    protocols = {case.protocol for case in run.cases if isinstance(case, EpisodeCase)}
    gate = _gate(run, failure)
    return Trial(
        kind=TrialKind.REGRESSION,
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        gate=gate,
        accepted=gate is Gate.ACCEPTED,
        reason="" if failure is None else f"case {failure.name}: {failure.detail}",
        environment=program.card.environment,
        protocol=protocols.pop() if len(protocols) == 1 else "",
        environment_steps=run.env_steps,
        proof=None if run.proof is None else {"status": run.proof},
        parameters=values_of(program.flow),
        cases={result.name: result.to_json() for result in run.results},
    )


def _gate(run: CasesRun, failure: CaseResult | None) -> Gate:
    if failure is None:
        return Gate.ACCEPTED
    if run.interrupted:
        return Gate.NONE
    return Gate.REGRESSION if failure.passed is False else Gate.PROVE
