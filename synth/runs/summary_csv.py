"""`summary.csv`: one row for each trial, for spreadsheets. Derived from the ledger, never read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from hl_dsl.synth.runs.trial import Trial, proof_summary, violations
from hl_dsl.synth.runs.trial_statistics import Cumulative, cumulative

from hl_dsl.base.files import write_whole

PLAIN_COLUMNS = (
    "sequence", "time", "index", "run_seed", "kind", "gate", "accepted", "reason",
    "program_name", "program_hash", "proposer", "model", "change", "environment", "protocol",
    "episodes", "mean", "min", "max", "distinct_trajectories", "environment_steps",
    "cpu_seconds", "wall_seconds", "tokens", "cost",
)  # fmt: skip
DERIVED_COLUMNS = (
    "parents", "proof", "out_of_range", "assumption_violations", "monitor_violations",
    "total_steps", "total_episodes", "best_so_far",
)  # fmt: skip


def summary_csv(trials: Sequence[Trial]) -> str:
    """The table as text, a header line first; a value that is not known is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PLAIN_COLUMNS + DERIVED_COLUMNS)
    for entry in cumulative(trials):
        writer.writerow([_cell(getattr(entry.trial, name)) for name in PLAIN_COLUMNS] + _derived(entry))
    return text.getvalue()


def write_summary(trials: Sequence[Trial], path: Path | str) -> Path:
    """Rebuild the table at `path`. Raises FileUnwritable."""
    return write_whole(path, summary_csv(trials))


def _derived(entry: Cumulative) -> list[object]:
    trial = entry.trial
    return [
        " ".join(trial.parent_hashes),
        proof_summary(trial.proof),
        violations(trial.out_of_range),
        violations(trial.assumption_violations),
        violations(trial.monitor_violations),
        entry.total_steps,
        entry.total_episodes,
        _cell(entry.best),
    ]


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # A program or a reason may hold any character; a NUL or a bare carriage return breaks readers of CSV.
    return value.replace("\0", "").replace("\r", " ") if isinstance(value, str) else value
