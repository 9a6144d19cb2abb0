"""A run's trials as they come, while another process makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import lock_holder
from hl_dsl.synth.runs.statuses import EVALUATION_KINDS, Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trials_table import ledger_path, trial_name, trial_summary

from hl_dsl.base.errors import HLError

_BEFORE = 10
_PAUSE = 0.25  # seconds


def follow(run: Path | str, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """One line for each trial of a run, the last few there are and then each new one as it is recorded, and one on how it ended.

    Ends when no process holds the run's folder any more; at once, where none does. Only reads. Raises HLError where there is no
    run, LedgerDamaged and LedgerUnreadable.
    """
    path = _wait_for_ledger(Path(run), pause)
    ledger, tally = Ledger(path), _Tally()
    offset = sequence = 0
    first, ending = True, None
    while True:
        # Asked before the ledger is read: what is written until the folder is let go is then read, too.
        going_on = lock_holder(path.parent) is not None
        events, offset = ledger.read_from(offset, sequence)
        sequence += len(events)
        lines = []
        for event in events:
            if event.get("kind") not in EVALUATION_KINDS:
                ending = event if event.get("event") == "stop" else None
            if event.get("event") == "trial":
                lines.append(tally.line(Trial.from_event(event)))
        if first and len(lines) > _BEFORE:
            yield f"… {len(lines) - _BEFORE:,} trials before"
            lines = lines[-_BEFORE:]
        yield from lines
        first = False
        if not going_on:
            yield _ended(ending)
            return
        pause(_PAUSE)


def _wait_for_ledger(run: Path, pause: Callable[[float], None]) -> Path:
    """A run that has just begun has no ledger yet."""
    while True:
        held = run.suffix != ".jsonl" and lock_holder(run) is not None
        try:
            return ledger_path(run)
        except HLError:
            if not held:
                raise
        pause(_PAUSE)


def _ended(stop: dict | None) -> str:
    return "the run is not going on" if stop is None else f"stopped: {stop.get('reason', '')}"


class _Tally:
    """What the ledger adds up to, line by line."""

    def __init__(self) -> None:
        self.steps, self.count = 0, 0

    def line(self, trial: Trial) -> str:
        place, self.count = self.count, self.count + 1
        self.steps += trial.environment_steps
        gate = trial.kind if trial.gate == Gate.NONE else trial.gate
        score = "-" if trial.score is None else f"{trial.score:,.1f}"
        # A change that a model wrote may hold anything; what moves a cursor is shown, not done.
        story = "".join(one if one.isprintable() else "�" for one in trial_summary(trial))
        return f"{trial_name(trial, place):>6}  {self.steps:>12,} steps  {gate:<11}  {score:>10}  {story}".rstrip()
