"""A run as it stands on disk: its settings, its events, and whether it is still going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hl_dsl.synth.report.contents.held_out import is_held_out
from hl_dsl.synth.runs.call_totals import RESERVED, SETTLED
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import lock_holder, settings_in
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.statuses import STUDY_KINDS, Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trial_statistics import main_setting, run_best, stop_event
from hl_dsl.synth.runs.trials_table import ledger_path

from hl_dsl.base.errors import HLError
from hl_dsl.cards import CardResolver

GOING_ON, STOPPED, INTERRUPTED_RUN, CUT_OFF, NO_RUN = "going on", "stopped", "interrupted", "cut off", "no run"
_OF_A_CALL = {
    RESERVED: ("call", "reserved_tokens", "reserved_cost"),
    SETTLED: ("call", "outcome", "tokens", "cost", "estimated"),
}


@dataclass(frozen=True)
class ReportedRun:
    """`entries` are the ledger's events in order, each with its trial where it is one. `settings` is empty where the ledger
    belongs to no run. `torn`: bytes of a last line that a crash cut short."""

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
        return [event for event, _ in self.entries]

    @cached_property
    def trials(self) -> list[Trial]:
        """Every trial in the ledger."""
        return [trial for _, trial in self.entries if trial is not None]

    @cached_property
    def candidates(self) -> list[Trial]:
        """The programs the run chose among. What was evaluated beside a search is none of its steps, nor is any score on
        held-out seeds."""
        trials = [trial for trial in self.trials if trial.gate != Gate.NONE and not is_held_out(trial)]
        searched = [trial for trial in trials if trial.kind in STUDY_KINDS]
        return searched or trials

    @cached_property
    def setting(self) -> tuple[str, str] | None:
        """The environment and the protocol of the run's scores."""
        known = self.settings.get("environment"), self.settings.get("protocol")
        return main_setting(self.candidates) or (known if all(known) else None)

    @cached_property
    def best(self) -> Trial | None:
        """The program the run came to."""
        return run_best(self.events, self.candidates)

    @property
    def stop_reason(self) -> str | None:
        """Why it stopped; None where it goes on, was cut off, or does not say."""
        end = stop_event(self.events) if self.holder is None else {}
        return str(end.get("reason", "")) if end else None

    @property
    def status(self) -> str:
        if self.holder is not None:
            return GOING_ON
        if self.stop_reason is not None:
            return INTERRUPTED_RUN if self.stop_reason == INTERRUPTED else STOPPED
        return CUT_OFF if self.settings else NO_RUN


def read_run(where: Path | str) -> ReportedRun:
    """The run at a folder, or of a `.jsonl` file. Only reads, and so may read a run that is going on.

    Raises HLError where there is none, LedgerDamaged and LedgerUnreadable, and RunFolderError where its settings are damaged.
    """
    path = ledger_path(Path(where))
    folder = path.parent
    # Asked before the ledger is read: a run that ends in between has then told all.
    held = lock_holder(folder)
    ledger = Ledger(path)
    entries = tuple((event, _trial_in(event)) for event in ledger.read())
    return ReportedRun(folder, path, settings_in(folder) or {}, entries, len(ledger.torn), held)


def _trial_in(event: Mapping[str, Any]) -> Trial | None:
    """The trial of an event, None where it is none. Raises HLError where it is nothing this version can read."""
    if event.get("event") == "call":
        missing = [name for name in _OF_A_CALL.get(event.get("state"), ("state",)) if name not in event]
        if missing:
            raise HLError(
                f"event {event.get('sequence')} of the ledger is no call this version can read: it has no {missing[0]}",
                "It was probably written by another version of HL; report on it with that one.",
            )
    return Trial.from_event(event) if event.get("event") == "trial" else None
