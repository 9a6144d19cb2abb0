"""Summary of a whole run as one trial, for the ledger next to its policy: what was tried, its cost, its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.base.text import counted
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import LEDGER, RunFolderError, settings_in
from hl_dsl.synth.runs.statuses import STUDY_KINDS, Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.runs.trial_statistics import run_best, stop_event

SUMMARY_KINDS = {"tune": TrialKind.TUNING, "synth": TrialKind.STUDY}
"""Kind of the summary by the kind of run."""

_VERBS = {"tune": "tuning", "synth": "search"}
_SAMPLE_NOUNS = {"tune": "sample", "synth": "program"}
# Settings that a summary repeats.
_SETTINGS = (
    "params",
    "fitness",
    "population",
    "step_size",
    "race",
    "center",
    "short",
    "proposer",
    "no_reward_steps",
    "max_steps",
    "version",
)
_NAMED_PARAMS = 8  # parameters whose values the change names


def append_summary(
    settings: Mapping[str, Any], events: Sequence[Mapping[str, Any]], into: Ledger, problem: str = ""
) -> None:
    """Appends the summary of a run, successful or not.

    If the ledger has a summary of the same run, from before a resume, the new one is charged only the further steps.
    Nothing is appended for a run that has taken no step (since).

    Args:
        settings: Settings of the run.
        events: Events of the run's ledger.
        into: The ledger next to the policy.
        problem: Why the run ended without a result.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    summaries = [trial for trial in trials_of(into.read()) if trial.kind in SUMMARY_KINDS.values()]
    summary = summary_trial(settings, events, summaries, problem)
    if summary is not None:
        into.append(summary.to_event())


def summary_trial(
    settings: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    summaries: Sequence[Trial] = (),
    problem: str = "",
) -> Trial | None:
    """Returns the summary of a run as a trial, or None (see `append_summary`). `summaries` are the recorded ones."""
    trials = trials_of(events)
    if not trials:
        return None
    run = events[0]["checksum"]
    charged = sum(trial.environment_steps for trial in summaries if trial.options.get("run") == run)
    steps = sum(trial.environment_steps for trial in trials)
    if charged and steps == charged:
        return None
    candidates = [trial for trial in trials if trial.kind in STUDY_KINDS and trial.gate is not Gate.NONE]
    start = next((trial for trial in candidates if trial.index == 0), None)
    best = run_best(events, candidates)
    is_improved = best is not None and best is not start
    shown = best or start or trials[0]
    return Trial(
        kind=SUMMARY_KINDS[settings["kind"]],
        program_name=shown.program_name,
        program_hash=shown.program_hash,
        program=shown.program,
        parent_hashes=(settings["program_hash"],) if is_improved else (),
        proposer=shown.proposer,
        change=_change(settings, start, best, len(candidates)),
        gate=Gate.ACCEPTED if is_improved else _gate_without_improvement(start),
        accepted=is_improved,
        reason="" if is_improved else problem or _reason_without_improvement(start, events),
        environment=settings["environment"],
        protocol=settings["protocol"],
        options={
            **{name: settings[name] for name in _SETTINGS if settings.get(name) is not None},
            "run": run,
            "samples": len(candidates),
            "start_score": None if start is None else start.score,
            "score": None if best is None else best.score,
        },
        seeds=shown.seeds,
        returns=shown.returns,
        lengths=shown.lengths,
        distinct_trajectories=shown.distinct_trajectories,
        environment_steps=steps - charged,
        cpu_seconds=sum(trial.cpu_seconds for trial in trials),
        wall_seconds=sum(trial.wall_seconds for trial in trials),
        proof=shown.proof,
        out_of_range=shown.out_of_range,
        assumption_violations=shown.assumption_violations,
        monitor_violations=shown.monitor_violations,
        parameters=shown.parameters,
        cases=shown.cases,
        fitness=shown.fitness,
        run_seed=settings["run_seed"],
    )


def _gate_without_improvement(start: Trial | None) -> Gate:
    if start is None:
        return Gate.NONE
    return Gate.REGRESSION if start.gate is Gate.REGRESSION else Gate.ALL_SEEDS


def _reason_without_improvement(start: Trial | None, events: Sequence[Mapping[str, Any]]) -> str:
    if start is not None and start.reason:
        return start.reason
    stop = stop_event(events).get("reason")
    return "not better than the initial program" + (f"; {stop}" if stop else "")


def _change(settings: Mapping[str, Any], start: Trial | None, best: Trial | None, count: int) -> str:
    """Returns scores, number of candidates and tuned values as one line."""
    kind = settings["kind"]
    scores = values = ""
    if start is not None and best is not None:
        scores = f"{start.score:g} -> {best.score:g} "
        moved = {name: value for name, value in best.parameters.items() if start.parameters.get(name) != value}
        named = list(moved.items())[:_NAMED_PARAMS]
        values = ", ".join(f"{name} = {value:g}" for name, value in named)
        values += f" and {len(moved) - _NAMED_PARAMS} more" if len(moved) > _NAMED_PARAMS else ""
    fitness = settings.get("fitness") or "mean"
    seeds, candidates = counted(len(settings["seeds"]), "seed"), counted(count, _SAMPLE_NOUNS[kind])
    tuned = f"; {values}" if kind == "tune" and values else ""
    return f"{_VERBS[kind]}: {scores}({fitness} over {seeds}), {candidates}{tuned}"


def read_run(folder: Path) -> tuple[Mapping[str, Any] | None, list[dict[str, Any]]]:
    """Returns the settings and the events of a run folder; None and no events if it holds no readable run."""
    try:
        settings = settings_in(folder)
    except RunFolderError:
        settings = None
    return settings, [] if settings is None else Ledger(folder / LEDGER).read()
