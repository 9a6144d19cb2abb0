"""`summary.csv`: one row for each trial, for spreadsheets. Derived from the ledger and never read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from hl_dsl.base.files import write_whole
from hl_dsl.synth.runs.trial import Trial, proof_summary, violations
from hl_dsl.synth.runs.trial_statistics import Cumulative, cumulative

COLUMNS = (
    "sequence", "time", "index", "run_seed", "kind", "gate", "accepted", "reason",
    "program_name", "program_hash", "proposer", "model", "change", "environment", "protocol",
    "episodes", "mean", "min", "max", "distinct_trajectories", "environment_steps",
    "cpu_seconds", "wall_seconds", "tokens", "cost",
    "parents", "proof", "out_of_range", "assumption_violations", "monitor_violations",
    "total_steps", "total_episodes", "best_so_far",
)  # fmt: skip


def summary_csv(trials: Sequence[Trial]) -> str:
    """Returns the table as text, with a header line. An unknown value is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _row(entry)] for entry in cumulative(trials))
    return text.getvalue()


def write_summary(trials: Sequence[Trial], path: Path | str) -> Path:
    """Writes the table to `path` and returns the path. Raises FileUnwritable."""
    return write_whole(path, summary_csv(trials))


def _row(entry: Cumulative) -> tuple[object, ...]:
    """Returns the values of one trial in the order of `COLUMNS`."""
    trial = entry.trial
    return (
        trial.sequence,
        trial.time,
        trial.index,
        trial.run_seed,
        trial.kind,
        trial.gate,
        trial.accepted,
        trial.reason,
        trial.program_name,
        trial.program_hash,
        trial.proposer,
        trial.model,
        trial.change,
        trial.environment,
        trial.protocol,
        trial.episodes,
        trial.mean,
        trial.min,
        trial.max,
        trial.distinct_trajectories,
        trial.environment_steps,
        trial.cpu_seconds,
        trial.wall_seconds,
        trial.tokens,
        trial.cost,
        " ".join(trial.parent_hashes),
        proof_summary(trial.proof),
        violations(trial.out_of_range),
        violations(trial.assumption_violations),
        violations(trial.monitor_violations),
        entry.total_steps,
        entry.total_episodes,
        entry.best,
    )


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # A program or a reason may hold any character; a NUL or a bare carriage return breaks readers of CSV.
    return value.replace("\0", "").replace("\r", " ") if isinstance(value, str) else value
