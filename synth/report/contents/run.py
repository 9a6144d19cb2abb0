"""Run as read from disk for a report: settings, events, and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cards import CardResolver
from hl_dsl.synth.report.contents.held_out import is_held_out
from hl_dsl.synth.runs.call_totals import RESERVED, SETTLED
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import lock_holder, settings_in
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.statuses import STUDY_KINDS, Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trial_statistics import main_setting, run_best, stop_event
from hl_dsl.synth.runs.trials_table import ledger_path


class RunStatus(StrEnum):
    """Status of a run."""

    RUNNING = "running"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    ABORTED = "aborted"
    """The process ended without recording a stop."""
    NO_RUN = "no run"
    """The ledger belongs to no run, such as that of a policy."""


# Fields of a call event by its state.
_CALL_FIELDS = {
    RESERVED: ("call", "reserved_tokens", "reserved_cost"),
    SETTLED: ("call", "outcome", "tokens", "cost", "estimated"),
}


@dataclass(frozen=True)
class ReportedRun:
    """A run folder or a single ledger.

    Attributes:
        folder: The run folder, or the folder of the ledger.
        ledger: Path of the ledger.
        settings: Settings of the run; empty if the ledger belongs to no run.
        entries: The ledger's events in order, each with its trial if it is one.
        torn: Bytes of an incomplete last line.
        holder: The process that has locked the run folder; None if there is none.
    """

    folder: Path
    ledger: Path
    settings: Mapping[str, Any]
    entries: tuple[tuple[Mapping[str, Any], Trial | None], ...]
    torn: int
    holder: str | None

    @property
    def cards(self) -> CardResolver:
        """Finds the cards of the run's programs: the run folder keeps one that is not packaged."""
        return CardResolver.of_user().with_folder(self.folder)

    @cached_property
    def events(self) -> list[Mapping[str, Any]]:
        """Every event of the ledger."""
        return [event for event, _ in self.entries]

    @cached_property
    def trials(self) -> list[Trial]:
        """Every trial of the ledger."""
        return [trial for _, trial in self.entries if trial is not None]

    @cached_property
    def candidates(self) -> list[Trial]:
        """The programs among which the run chose, without evaluations and scores on held-out seeds."""
        trials = [trial for trial in self.trials if trial.gate != Gate.NONE and not is_held_out(trial)]
        searched = [trial for trial in trials if trial.kind in STUDY_KINDS]
        return searched or trials

    @cached_property
    def setting(self) -> tuple[str, str] | None:
        """The environment and the protocol of the run's scores."""
        environment, protocol = self.settings.get("environment"), self.settings.get("protocol")
        return main_setting(self.candidates) or ((environment, protocol) if environment and protocol else None)

    @cached_property
    def best(self) -> Trial | None:
        """The best program of the run."""
        return run_best(self.events, self.candidates)

    @property
    def stop_reason(self) -> str | None:
        """Why the run stopped; None if it is running or was aborted."""
        end = stop_event(self.events) if self.holder is None else {}
        return str(end.get("reason", "")) if end else None

    @property
    def status(self) -> RunStatus:
        """Whether the run is running, and how it ended."""
        if self.holder is not None:
            return RunStatus.RUNNING
        if self.stop_reason is not None:
            return RunStatus.INTERRUPTED if self.stop_reason == INTERRUPTED else RunStatus.STOPPED
        return RunStatus.ABORTED if self.settings else RunStatus.NO_RUN


def read_run(where: Path | str) -> ReportedRun:
    """Returns the run of a folder or of a `.jsonl` file. Only reads, so the run may be running.

    Raises:
        HLError: There is no run.
        LedgerDamaged: A line of the ledger is damaged.
        LedgerUnreadable: The ledger cannot be read.
        RunFolderError: The settings are damaged.
    """
    path = ledger_path(Path(where))
    folder = path.parent
    # Checked before the ledger is read, so the ledger of a run that ends in between is complete.
    held = lock_holder(folder)
    ledger = Ledger(path)
    entries = tuple((event, _trial_in(event)) for event in ledger.read())
    return ReportedRun(folder, path, settings_in(folder) or {}, entries, len(ledger.torn), held)


def _trial_in(event: Mapping[str, Any]) -> Trial | None:
    """Returns the trial of an event, None if it is not a trial.

    Raises HLError if this version cannot read the event.
    """
    if event.get("event") == "call":
        missing = [name for name in _CALL_FIELDS.get(str(event.get("state")), ("state",)) if name not in event]
        if missing:
            raise HLError(
                f"event {event.get('sequence')} of the ledger is not a call that this version can read: "
                f"`{missing[0]}` is missing",
                "report on it with the version of HL that wrote it",
            )
    return Trial.from_event(event) if event.get("event") == "trial" else None
