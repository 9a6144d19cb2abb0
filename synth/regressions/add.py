"""Turning what was seen into a case: an episode of a policy, a moment of it, a run's best, a counterexample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hl_dsl.synth.environments.environments import steps_taken
from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.regressions.case import EpisodeCase, Regression, TraceCase, Window
from hl_dsl.synth.regressions.files import refuse_unsuited
from hl_dsl.synth.regressions.run import OnProgress, play_one
from hl_dsl.synth.regressions.verdicts import of_episode, value_of
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import BEST, LEDGER, settings_in
from hl_dsl.synth.runs.statuses import STUDY_KINDS, TrialKind
from hl_dsl.synth.runs.trial_statistics import best_trial
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.verify.results import counterexample_files as traces

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program


@dataclass(frozen=True)
class Demand:
    """What is to be kept of an episode; see `EpisodeCase`. Where neither `least_return` nor `holds` is given, the return is
    measured and becomes the least. `protocol` None: the environment's usual one, or the run's."""

    seed: int | None = None
    protocol: str | None = None
    max_steps: int | None = None
    window: Window | None = None
    least_return: float | None = None
    holds: str | None = None


@dataclass(frozen=True)
class Added:
    """A case, and the environment steps that it took to measure what it demands."""

    case: Regression
    env_steps: int = 0


def from_trace(path: Path, name: str | None) -> Added:
    """The case of a counterexample that `hl verify --save-trace` kept. Raises NoCase."""
    return Added(TraceCase(name or path.stem, traces.read_case(path)))


def from_policy(
    path: Path, demand: Demand, name: str | None, ledger: Ledger, on_progress: OnProgress | None = None
) -> Added:
    """A case of an episode of a policy. It is proved and played, and the trial recorded, only where its return is asked for.
    Raises HLError."""
    program = Program.load(path)
    case = _case(program, demand, name, f"policy {program.name} ({program.hash})")
    refuse_unsuited(case, program.card, "the case")
    return (
        _measured(program, case, ledger, on_progress)
        if case.least_return is None and case.holds is None
        else Added(case)
    )


def from_run(folder: Path, demand: Demand, name: str | None, on_progress: OnProgress | None = None) -> Added:
    """A case of an episode of a run's best program, played by the rules of the run. The return is taken from the run's
    records where it has the episode, and else measured, which the run's ledger then tells. Raises HLError."""
    settings = _settings(folder)
    program = Program.load(folder / BEST)
    if demand.protocol is None:
        demand = replace(demand, protocol=settings["protocol"])
    if demand.max_steps is None:
        demand = replace(demand, max_steps=settings.get("max_steps"))
    ledger = Ledger(folder / LEDGER)
    case = replace(
        _case(program, demand, name, f"run {folder.name}, program {program.hash}"),
        no_reward_steps=settings.get("no_reward_steps"),
    )
    refuse_unsuited(case, program.card, "the case")
    if case.least_return is not None or case.holds is not None:
        return Added(case)
    known = _recorded(ledger, program, case, settings)
    return _measured(program, case, ledger, on_progress) if known is None else Added(replace(case, least_return=known))


def _case(program: Program, demand: Demand, name: str | None, origin: str) -> EpisodeCase:
    if demand.seed is None:
        raise HLError("the case needs a seed", "name it: --seed 7")
    refuse_other_seeds([demand.seed], "a case")
    protocol = demand.protocol or program.card.protocols[0]
    moment = "" if demand.window is None else f"-tick-{demand.window.start}"
    return EpisodeCase(
        name or f"seed-{demand.seed}-{protocol}{moment}",
        program.card.environment,
        protocol,
        demand.seed,
        demand.max_steps,
        None,
        demand.window,
        demand.least_return,
        demand.holds,
        origin,
    )


def _measured(program: Program, case: EpisodeCase, ledger: Ledger, on_progress: OnProgress | None) -> Added:
    proof = program.prove()
    if not proof.passed:
        raise NotProved(program, proof)
    ledger.prepare()
    before = steps_taken()
    episode = play_one(program, case, on_progress)
    steps = steps_taken() - before
    measured = replace(case, least_return=value_of(case, episode))
    outcome = of_episode(measured, episode, program.card)
    whole = case.window is None and episode.status != EpisodeStatus.CUT
    ledger.append(
        Trial(
            kind=TrialKind.REGRESSION,
            program_name=program.name,
            program_hash=program.hash,
            program=program.source.text or program.text,
            environment=case.environment,
            protocol=case.protocol,
            environment_steps=steps,
            proof={"status": proof.summary},
            change=f"measures case {case.name}",
            options={"max_steps": case.limit, "no_reward_steps": case.no_reward_steps},
            seeds=(case.seed,) if whole else (),
            returns=(episode.value,) if whole else (),
            lengths=(episode.length,) if whole else (),
            cases={case.name: outcome.to_json()},
        ).to_event()
    )
    if episode.status == EpisodeStatus.CUT:
        raise KeyboardInterrupt
    if not outcome.passed:
        raise HLError(f"the case cannot be kept: {outcome.detail}", "choose a moment that the episode reaches")
    return Added(measured, steps)


def _settings(folder: Path) -> dict[str, Any]:
    settings = settings_in(folder)
    if settings is None or "protocol" not in settings:
        raise HLError(
            f"{folder} is no run's folder",
            "give a policy, the folder of `hl synth` or `hl tune`, or a file of `hl verify --save-trace`",
        )
    return settings


def _recorded(ledger: Ledger, program: Program, case: EpisodeCase, settings: dict[str, Any]) -> float | None:
    """The return in the run's records of just this episode."""
    if case.window is not None or case.protocol != settings["protocol"] or case.max_steps != settings.get("max_steps"):
        return None
    best = best_trial(
        [one for one in trials_of(ledger.read()) if one.program_hash == program.hash and one.kind in STUDY_KINDS]
    )
    return None if best is None else dict(zip(best.seeds, best.returns)).get(case.seed)
