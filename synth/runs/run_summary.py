"""One line on a whole run, for the ledger that is kept beside its policy: what was tried, what it cost, what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import STUDY_KINDS, Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.runs.trial_statistics import run_best, stop_event

from hl_dsl.base.text import counted

SUMMARY_KINDS = {"tune": TrialKind.TUNING, "synth": TrialKind.STUDY}
_STATED = (
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
_NAMED = 8  # params whose values stand in the change


def append_summary(
    settings: Mapping[str, Any], events: Sequence[Mapping[str, Any]], into: Ledger, problem: str = ""
) -> None:
    """Appends the line of a run with these settings and events, successful or not (`problem`: why it ended without a result). Where
    the ledger has a line of the same run, from before it went on, the new one is charged the further steps alone. Nothing is
    added for a run that has done nothing (since). Raises LedgerError."""
    line = summary_trial(
        settings, events, [one for one in trials_of(into.read()) if one.kind in SUMMARY_KINDS.values()], problem
    )
    if line is not None:
        into.append(line.to_event())


def summary_trial(
    settings: Mapping[str, Any], events: Sequence[Mapping[str, Any]], lines: Sequence[Trial] = (), problem: str = ""
) -> Trial | None:
    """The line as a trial; see `append_summary`."""
    trials = trials_of(events)
    if not trials:
        return None
    run = events[0]["checksum"]
    charged = sum(one.environment_steps for one in lines if one.options.get("run") == run)
    steps = sum(one.environment_steps for one in trials)
    if charged and steps == charged:
        return None
    candidates = [one for one in trials if one.kind in STUDY_KINDS and one.gate != Gate.NONE]
    start, best = next((one for one in candidates if one.index == 0), None), run_best(events, candidates)
    stop = stop_event(events).get("reason")
    stated = {name: settings[name] for name in _STATED if settings.get(name) is not None}
    shown = best or start or trials[0]
    improved = best is not None and best is not start
    gate = (
        Gate.ACCEPTED
        if improved
        else Gate.NONE
        if start is None
        else Gate.REGRESSION
        if start.gate is Gate.REGRESSION
        else Gate.ALL_SEEDS
    )
    reason = (
        ""
        if improved
        else problem
        or (start.reason if start is not None else "")
        or "not better than the initial program" + (f"; {stop}" if stop else "")
    )
    return Trial(
        kind=SUMMARY_KINDS[settings["kind"]],
        program_name=shown.program_name,
        program_hash=shown.program_hash,
        program=shown.program,
        parent_hashes=(settings["program_hash"],) if improved else (),
        proposer=shown.proposer,
        change=_story(settings, start, best, len(candidates)),
        gate=gate,
        accepted=improved,
        reason=reason,
        environment=settings["environment"],
        protocol=settings["protocol"],
        options={
            **stated,
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
        cpu_seconds=sum(one.cpu_seconds for one in trials),
        wall_seconds=sum(one.wall_seconds for one in trials),
        proof=shown.proof,
        out_of_range=shown.out_of_range,
        assumption_violations=shown.assumption_violations,
        monitor_violations=shown.monitor_violations,
        parameters=shown.parameters,
        cases=shown.cases,
        fitness=shown.fitness,
        run_seed=settings["run_seed"],
    )


def _story(settings: Mapping[str, Any], start: Trial | None, best: Trial | None, count: int) -> str:
    what = {"tune": "sample", "synth": "program"}[settings["kind"]]
    seeds = settings["seeds"]
    scores = "" if start is None or best is None else f"{start.score:g} -> {best.score:g} "
    by = settings.get("fitness") or "mean"
    moved = (
        {}
        if start is None or best is None
        else {name: value for name, value in best.parameters.items() if start.parameters.get(name) != value}
    )
    values = ", ".join(f"{name} = {value:g}" for name, value in list(moved.items())[:_NAMED]) + (
        f" and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
    )
    verb = {"tune": "tuning", "synth": "search"}[settings["kind"]]
    return f"{verb}: {scores}({by} over {counted(len(seeds), 'seed')}), {counted(count, what)}" + (
        f"; {values}" if settings["kind"] == "tune" and values else ""
    )


def read_run(folder: Path) -> tuple[Mapping[str, Any] | None, list[dict]]:
    """The settings and the events of a run's folder; None where it holds no run, or none that can be read."""
    from hl_dsl.synth.runs.run_folder import LEDGER, RunFolderError, settings_in

    try:
        settings = settings_in(folder)
    except RunFolderError:
        settings = None
    return settings, [] if settings is None else Ledger(folder / LEDGER).read()
