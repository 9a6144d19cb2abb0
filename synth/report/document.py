"""Document of a report: all its contents as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import plain
from hl_dsl.program import Program
from hl_dsl.synth.report.contents.curve import score_points
from hl_dsl.synth.report.contents.held_out import held_out_scores
from hl_dsl.synth.report.contents.program_text import display_text
from hl_dsl.synth.report.contents.proved import proof_of
from hl_dsl.synth.report.contents.rejections import rejections
from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.report.contents.steps import accepted_steps, name_of
from hl_dsl.synth.report.drawing.lineage_layout import lineage_graph
from hl_dsl.synth.report.videos import ReportVideo, recorded_steps
from hl_dsl.synth.runs.budget_report import budget_rows, seconds_between
from hl_dsl.synth.runs.call_totals import call_totals
from hl_dsl.synth.runs.run_folder import BEST
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trial_statistics import totals
from hl_dsl.synth.runs.version import UNKNOWN, version

SCHEMA = "hl.report/2"


def document_of(run: ReportedRun, videos: Sequence[ReportVideo]) -> dict[str, Any]:
    """Returns the document of the schema `hl.report/2` in plain JSON values."""
    points, end = score_points(run)
    program = _program(run)
    environment, protocol = run.setting or (None, None)
    return plain(
        {
            "schema": SCHEMA,
            "run": run.folder,
            "ledger": run.ledger,
            "environment": environment,
            "protocol": protocol,
            "status": run.status,
            "stop_reason": run.stop_reason,
            "held_by": run.holder,
            "notes": _notes(run),
            "settings": {name: value for name, value in run.settings.items() if name != "program"},
            "spent": _spent(run),
            "points": points,
            "end": end,
            "best": None if run.best is None else _best(run.best),
            "proof": None if run.best is None else proof_of(run.best, program),
            "held_out": _held_out(run, program),
            "steps": accepted_steps(run),
            "rejections": rejections(run),
            "lineage": lineage_graph(run),
            "videos": [video.to_json() for video in videos],
        }
    )  # type: ignore[return-value]  # a mapping becomes a dict


def _program(run: ReportedRun) -> Program | None:
    try:
        return None if run.best is None else Program.parse(run.best.program, cards=run.cards)
    except HLError:
        return None


def _best(trial: Trial) -> dict[str, Any]:
    return {
        "name": name_of(trial),
        "index": trial.index,
        "sequence": trial.sequence,
        "program_name": trial.program_name,
        "program_hash": trial.program_hash,
        "mean": trial.mean,
        "min": trial.min,
        "max": trial.max,
        "seeds": trial.seeds,
        "returns": trial.returns,
        "parameters": trial.parameters,
        "distinct_trajectories": trial.distinct_trajectories,
        "assumption_violations": trial.assumption_violations,
        "monitor_violations": trial.monitor_violations,
        "out_of_range": trial.out_of_range,
        "program": display_text(trial.program),
    }


def _held_out(run: ReportedRun, program: Program | None) -> list[dict[str, Any]]:
    if run.best is None or program is None:
        return []
    development = run.settings.get("seeds") or []
    return held_out_scores(run.trials, run.best.program_hash, program.card, _policy_file(run, run.best), development)


def _policy_file(run: ReportedRun, best: Trial) -> Path:
    """Returns the file of the best program: the run's `best.hl`, or the policy next to a ledger without a run."""
    policies = [
        path for path in sorted(run.folder.glob("*.hl")) if path.name != BEST and _hash_in(path) == best.program_hash
    ]
    return policies[0] if policies and not run.settings else run.folder / BEST


def _hash_in(path: Path) -> str | None:
    try:
        return Program.load(path).hash
    except HLError:
        return None


def _spent(run: ReportedRun) -> dict[str, Any]:
    """Returns the totals of the ledger.

    `budget_steps` is the budget of environment steps at the last generation, None if it is not recorded. `budgets` has
    the spent, reserved and allowed amount of each. `seconds` is the time from the first event to the last.
    """
    calls = call_totals(run.events)
    lost = sum(trial.environment_steps for trial in run.trials if trial.kind is TrialKind.INTERRUPTED)
    return totals(run.trials, calls) | {
        "budget_steps": _budget_steps(run),
        "budgets": budget_rows(run.events),
        "lost_steps": lost,
        "video_steps": recorded_steps(run),
        "programs": len(run.candidates),
        "generations": sum(event.get("event") == "generation" for event in run.events),
        "seconds": seconds_between(run.events),
    }


def _budget_steps(run: ReportedRun) -> int | None:
    spent, budget = 0, None
    for event, trial in run.entries:
        # A tuning records a generation after it, without proposals.
        if event.get("event") == "generation" and "proposals" in event:
            left = event.get("reserved_steps")
            budget = None if left is None else spent + left
        elif trial is not None and trial.kind is TrialKind.SEARCH:
            spent += trial.environment_steps
    return budget


def _notes(run: ReportedRun) -> list[str]:
    """Returns warnings that a reader must know first."""
    notes = []
    if run.torn:
        notes.append(f"The last line of the ledger is incomplete after a crash ({run.torn:,} bytes); it is omitted.")
    starter = run.settings.get("version") or UNKNOWN
    if run.settings and starter != version():
        notes.append(f"HL {starter} made this run. HL {version()} made this report, its proof and its program texts.")
    if not run.candidates:
        notes.append("No program was proposed yet.")
    elif run.best is None:
        notes.append("No program was accepted yet.")
    return notes
