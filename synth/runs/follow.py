"""Follower of a run: one line for each trial while another process records it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import lock_holder
from hl_dsl.synth.runs.statuses import EVALUATION_KINDS, Gate
from hl_dsl.synth.runs.trial import Trial, trial_name, trial_summary
from hl_dsl.synth.runs.trials_table import ledger_path

_RECENT_TRIALS = 10  # recorded trials that are shown at the start
_POLL_SECONDS = 0.25


def follow(run: Path | str, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Yields one line for each trial of a run, and one on how the run ended.

    Starts with the most recent trials and continues with each new one. Ends when no process holds the run folder; at
    once if none does. Only reads.

    Raises:
        HLError: There is no run.
        LedgerDamaged: A line of the ledger is damaged.
        LedgerUnreadable: The ledger cannot be read.
    """
    path = _wait_for_ledger(Path(run), pause)
    ledger, totals = Ledger(path), _RunningTotals()
    offset = sequence = 0
    first, ending = True, None
    while True:
        # Checked before the ledger is read, so that everything written before the folder is released is read.
        is_running = lock_holder(path.parent) is not None
        events, offset = ledger.read_from(offset, sequence)
        sequence += len(events)
        lines = []
        for event in events:
            if event.get("kind") not in EVALUATION_KINDS:
                ending = event if event.get("event") == "stop" else None
            if event.get("event") == "trial":
                lines.append(totals.line(Trial.from_event(event)))
        if first and len(lines) > _RECENT_TRIALS:
            yield f"… {len(lines) - _RECENT_TRIALS:,} trials before"
            lines = lines[-_RECENT_TRIALS:]
        yield from lines
        first = False
        if not is_running:
            yield _ending_line(ending)
            return
        pause(_POLL_SECONDS)


def _wait_for_ledger(run: Path, pause: Callable[[float], None]) -> Path:
    """Returns the path of the ledger. A run that has just started has none yet."""
    while True:
        is_held = run.suffix != ".jsonl" and lock_holder(run) is not None
        try:
            return ledger_path(run)
        except HLError:
            if not is_held:
                raise
        pause(_POLL_SECONDS)


def _ending_line(stop: Mapping[str, Any] | None) -> str:
    return "the run is not active" if stop is None else f"stopped: {stop.get('reason', '')}"


class _RunningTotals:
    """Number of trials and steps so far."""

    def __init__(self) -> None:
        self.steps, self.count = 0, 0

    def line(self, trial: Trial) -> str:
        position, self.count = self.count, self.count + 1
        self.steps += trial.environment_steps
        gate = trial.kind if trial.gate is Gate.NONE else trial.gate
        score = "-" if trial.score is None else f"{trial.score:,.1f}"
        # The text of a model may hold control characters; they are shown, not sent to the terminal.
        summary = "".join(letter if letter.isprintable() else "�" for letter in trial_summary(trial))
        return f"{trial_name(trial, position):>6}  {self.steps:>12,} steps  {gate:<11}  {score:>10}  {summary}".rstrip()
