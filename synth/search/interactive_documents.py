"""Documents about an interactive study, read from its folder alone, even while another process holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cards import CardResolver
from hl_dsl.program import Program
from hl_dsl.synth.proposers.submissions import NAME
from hl_dsl.synth.proposers.text.feedback import episode_table
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import LEDGER, settings_in
from hl_dsl.synth.runs.statuses import GATES, TrialKind
from hl_dsl.synth.runs.trial import Trial, proof_summary, trials_of
from hl_dsl.synth.runs.trial_statistics import best_trial
from hl_dsl.synth.search.episode_files import read_episodes

MOST_TICKS = 500  # that a trace may have


def open_settings(run: Path) -> dict[str, Any]:
    """The settings of an interactive study. Raises HLError if the folder holds none."""
    settings = settings_in(run)
    if settings is None:
        raise HLError(f"{run} holds no run", "open one: hl open POLICY --run FOLDER")
    if settings.get("proposer") != NAME or "budget" not in settings:
        raise HLError(
            f"{run} holds a run that is not interactive", "open an interactive one: hl open POLICY --run FOLDER"
        )
    return settings


def finished(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the study was finished."""
    return any(event.get("event") == "stop" for event in events)


def status(run: Path) -> dict[str, Any]:
    """The document of `hl status`. Raises HLError."""
    settings, events, trials = _run(run)
    search = [trial for trial in trials if trial.kind is TrialKind.SEARCH]
    counts = {gate: sum(trial.gate is gate for trial in search) for gate in GATES}
    first = next((trial for trial in search if trial.index == 0), None)
    return {
        "schema": "hl.status/2",
        "run": str(run),
        "env": settings["environment"],
        "protocol": settings["protocol"],
        "seeds": settings["seeds"],
        "open": not finished(events),
        "start_score": None if first is None else first.mean,
        "best": _best(search),
        "trials": len(search),
        "gates": {gate.value: count for gate, count in counts.items() if count},
        "cases": sorted(settings.get("regressions") or {}),
        **_budget(settings, trials),
    }


def submitted(run: Path, index: int) -> dict[str, Any]:
    """The document of `hl submit`, about the trial of the submitted program. Raises HLError."""
    settings, _, trials = _run(run)
    trial = _trial(trials, index, run)
    best = best_trial([other for other in trials if other.kind is TrialKind.SEARCH])
    return {
        "schema": "hl.submit/2",
        "run": str(run),
        "trial": index,
        "gate": trial.gate.value,
        "accepted": trial.accepted,
        "reason": trial.reason,
        "change": trial.change,
        "program_hash": trial.program_hash,
        "proof": proof_summary(trial.proof),
        "seeds": list(trial.seeds),
        "returns": list(trial.returns),
        "mean": trial.mean,
        "cases": {name: dict(result) for name, result in trial.cases.items()},
        "env_steps": trial.environment_steps,
        "best_score": None if best is None else best.mean,
        "exit_code": 0 if trial.accepted else 1,
        **_budget(settings, trials),
    }


def inspect(run: Path, index: int | None = None, seed: int | None = None, ticks: int = 24) -> dict[str, Any]:
    """The document of `hl inspect`: a trial with its program, and the last steps of one of its episodes.

    Args:
        run: The run folder.
        index: Number of the trial; None: the best one.
        seed: Seed of the episode; None: the one with the lowest return.
        ticks: Number of steps.

    Raises:
        HLError: There is no such trial or episode, or the number of steps is out of range.
    """
    _, events, trials = _run(run)
    if not 1 <= ticks <= MOST_TICKS:
        raise HLError(f"{ticks} steps cannot be shown", f"give a number from 1 to {MOST_TICKS}")
    search = [trial for trial in trials if trial.kind is TrialKind.SEARCH]
    best = best_trial(search) if index is None else _trial(search, index, run)
    if best is None:
        raise HLError(f"no program was accepted in {run} yet", "name a trial")
    trial = best
    episodes = [
        {"seed": seed_, "return": value, "length": length}
        for seed_, value, length in zip(trial.seeds, trial.returns, trial.lengths)
    ]
    return {
        "schema": "hl.inspect/2",
        "run": str(run),
        "trial": trial.index,
        "gate": trial.gate.value,
        "accepted": trial.accepted,
        "reason": trial.reason,
        "change": trial.change,
        "parents": list(trial.parent_hashes),
        "program_hash": trial.program_hash,
        "program": trial.program,
        "proof": proof_summary(trial.proof),
        "mean": trial.mean,
        "episodes": episodes,
        "env_steps": trial.environment_steps,
        "assumption_violations": dict(trial.assumption_violations),
        "monitor_violations": dict(trial.monitor_violations),
        "cases": {name: dict(result) for name, result in trial.cases.items()},
        "trace": _trace(run, events, trial, seed, ticks),
    }


def _trace(
    run: Path, events: Sequence[Mapping[str, Any]], trial: Trial, seed: int | None, ticks: int
) -> dict[str, Any] | None:
    returns = dict(zip(trial.seeds, trial.returns))
    if seed is not None and seed not in returns:
        raise HLError(
            f"trial {trial.index} has no finished episode on seed {seed}",
            f"its seeds: {', '.join(map(str, trial.seeds)) or 'none'}",
        )
    if not returns:
        return None
    seed = min(returns, key=lambda key: (returns[key], key)) if seed is None else seed
    generation = next(
        event["generation"]
        for event in events
        if event.get("event") == "generation" and any(named["index"] == trial.index for named in event["proposals"])
    )
    recordings, _ = read_episodes(run, generation).get(trial.index or 0, ({}, {}))
    if seed not in recordings:
        return None
    table = episode_table(
        Program.parse(trial.program, f"trial {trial.index}", CardResolver.of_user().with_folder(run)).flow,
        seed,
        returns[seed],
        recordings[seed],
        ticks,
    )
    return {"title": table.title, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}


def _run(run: Path) -> tuple[dict[str, Any], list[dict], list[Trial]]:
    settings = open_settings(run)
    events = Ledger(run / LEDGER).read()
    return settings, events, trials_of(events)


def _trial(trials: Sequence[Trial], index: int, run: Path) -> Trial:
    found = next((trial for trial in trials if trial.index == index and trial.kind is TrialKind.SEARCH), None)
    if found is None:
        raise HLError(
            f"there is no trial {index} in {run}",
            f"there are trials 0 to {max((trial.index or 0 for trial in trials), default=0)}",
        )
    return found


def _best(search: Sequence[Trial]) -> dict[str, Any] | None:
    best = best_trial(search)
    return (
        None
        if best is None
        else {"trial": best.index, "score": best.mean, "program_hash": best.program_hash, "program": best.program}
    )


def _budget(settings: Mapping[str, Any], trials: Sequence[Trial]) -> dict[str, Any]:
    """What the study may spend, has spent, and has left. Steps that an interrupt wasted are counted separately."""
    limits = settings["budget"]
    search = [trial for trial in trials if trial.kind is TrialKind.SEARCH]
    spent = {"env_steps": sum(trial.environment_steps for trial in search), "programs": len(search)}
    left = {name: None if limits[name] is None else max(0, limits[name] - spent[name]) for name in spent}
    return {
        "budget": dict(limits),
        "spent": spent,
        "left": left,
        "lost_steps": sum(trial.environment_steps for trial in trials if trial.kind is TrialKind.INTERRUPTED),
    }
