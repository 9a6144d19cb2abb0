"""New cases: from an episode of a policy, from the best program of a run, or from a counterexample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import read_counterexample
from hl_dsl.cases.records import EpisodeCase, StoredCase, Window
from hl_dsl.program import Program
from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.regressions.files import check_case
from hl_dsl.synth.regressions.run import OnProgress, simulate_case
from hl_dsl.synth.regressions.verdicts import CaseResult, case_return, check_episode
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import BEST, LEDGER, settings_in
from hl_dsl.synth.runs.statuses import STUDY_KINDS, TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.runs.trial_statistics import best_trial


@dataclass(frozen=True)
class Requirement:
    """Requirement of a new case on its episode; see `EpisodeCase`.

    If neither `least_return` nor `holds` is given, the return is measured and becomes the least return. `protocol`
    None means the run's protocol, or the environment's first.
    """

    seed: int | None = None
    protocol: str | None = None
    max_steps: int | None = None
    window: Window | None = None
    least_return: float | None = None
    holds: str | None = None


@dataclass(frozen=True)
class NewCase:
    """A case, and the environment steps that it took to measure its requirement."""

    case: StoredCase
    env_steps: int = 0


def case_from_counterexample(path: Path, name: str | None) -> NewCase:
    """Returns the case of a counterexample that `hl verify --save-trace` stored. Raises InvalidCase."""
    return NewCase(replace(read_counterexample(path), name=name or path.stem))


def case_from_policy(
    path: Path,
    requirement: Requirement,
    name: str | None,
    ledger: Ledger,
    on_progress: OnProgress | None = None,
) -> NewCase:
    """Returns a case of an episode of a policy.

    The policy is proved and simulated, and a trial recorded in `ledger`, only if the return must be measured.

    Raises:
        HLError: The policy or the requirement is invalid.
    """
    program = Program.load(path)
    case = _case(program, requirement, name, f"policy {program.name} ({program.hash})")
    check_case(case, program.card, "the case")
    return _measure(program, case, ledger, on_progress) if _needs_measurement(case) else NewCase(case)


def case_from_run(
    folder: Path, requirement: Requirement, name: str | None, on_progress: OnProgress | None = None
) -> NewCase:
    """Returns a case of an episode of a run's best program, with the run's settings.

    The return is read from the run's ledger if it holds the episode. Otherwise it is measured and recorded there.

    Raises:
        HLError: The folder does not hold a run, or the requirement is invalid.
    """
    settings = _settings(folder)
    program = Program.load(folder / BEST)
    if requirement.protocol is None:
        requirement = replace(requirement, protocol=settings["protocol"])
    if requirement.max_steps is None:
        requirement = replace(requirement, max_steps=settings.get("max_steps"))
    ledger = Ledger(folder / LEDGER)
    case = replace(
        _case(program, requirement, name, f"run {folder.name}, program {program.hash}"),
        no_reward_steps=settings.get("no_reward_steps"),
    )
    check_case(case, program.card, "the case")
    if not _needs_measurement(case):
        return NewCase(case)
    recorded = _recorded_return(ledger, program, case, settings)
    if recorded is None:
        return _measure(program, case, ledger, on_progress)
    return NewCase(replace(case, least_return=recorded))


def _needs_measurement(case: EpisodeCase) -> bool:
    return case.least_return is None and case.holds is None


def _case(program: Program, requirement: Requirement, name: str | None, origin: str) -> EpisodeCase:
    if requirement.seed is None:
        raise HLError("the case needs a seed", "name it: --seed 7")
    refuse_other_seeds([requirement.seed], "a case")
    protocol = requirement.protocol or program.card.protocols[0]
    window = "" if requirement.window is None else f"-tick-{requirement.window.start}"
    return EpisodeCase(
        name or f"seed-{requirement.seed}-{protocol}{window}",
        program.card.environment,
        protocol,
        requirement.seed,
        requirement.max_steps,
        None,
        requirement.window,
        requirement.least_return,
        requirement.holds,
        origin,
    )


def _measure(program: Program, case: EpisodeCase, ledger: Ledger, on_progress: OnProgress | None) -> NewCase:
    """Simulates the case's episode, records it as a trial, and requires its return."""
    proof = program.prove()
    if not proof.passed:
        raise NotProved(program, proof)
    ledger.prepare()
    resources = Resources()
    episode = simulate_case(program, case, resources, on_progress)
    steps = resources.simulators.steps_taken
    measured = replace(case, least_return=case_return(case, episode))
    result = check_episode(measured, episode, program.card)
    trial = replace(
        _trial(case, episode, result),
        program_name=program.name,
        program_hash=program.hash,
        program=program.source.text or program.text,
        environment_steps=steps,
        proof={"status": proof.summary},
    )
    ledger.append(trial.to_event())
    if episode.status == EpisodeStatus.CUT:
        raise KeyboardInterrupt
    if not result.passed:
        raise HLError(f"the case cannot be added: {result.detail}", "choose ticks that the episode reaches")
    return NewCase(measured, steps)


def _trial(case: EpisodeCase, episode: Episode, result: CaseResult) -> Trial:
    is_whole = case.window is None and episode.status != EpisodeStatus.CUT
    return Trial(
        kind=TrialKind.REGRESSION,
        environment=case.environment,
        protocol=case.protocol,
        change=f"measures case {case.name}",
        options={"max_steps": case.last_step, "no_reward_steps": case.no_reward_steps},
        seeds=(case.seed,) if is_whole else (),
        returns=(episode.value,) if is_whole else (),
        lengths=(episode.length,) if is_whole else (),
        cases={case.name: result.to_json()},
    )


def _settings(folder: Path) -> dict[str, Any]:
    settings = settings_in(folder)
    if settings is None or "protocol" not in settings:
        raise HLError(
            f"{folder} is not the folder of a run",
            "give a policy, the folder of `hl synth` or `hl tune`, or a file of `hl verify --save-trace`",
        )
    return settings


def _recorded_return(ledger: Ledger, program: Program, case: EpisodeCase, settings: dict[str, Any]) -> float | None:
    """The return of exactly this episode in the run's ledger; None if it is not recorded."""
    if case.window is not None or case.protocol != settings["protocol"] or case.max_steps != settings.get("max_steps"):
        return None
    trials = [
        trial for trial in trials_of(ledger.read()) if trial.program_hash == program.hash and trial.kind in STUDY_KINDS
    ]
    best = best_trial(trials)
    return None if best is None else dict(zip(best.seeds, best.returns, strict=False)).get(case.seed)
