"""Record of a study in its run folder: settings, ledger, episodes and best program.

A `generation` event names the proposals of a generation and the steps that it may take; its trials follow. A generation
without all its trials was interrupted. It is proposed again, with the same result, and its other trials are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.proposer import Candidate, Rejected
from hl_dsl.synth.runs import run_settings
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.runs.trial import Trial, wasted_trial
from hl_dsl.synth.search.completed_trial import CompletedTrial
from hl_dsl.synth.search.episode_files import EPISODES, read_episodes, write_episodes

_KILLED = "steps of episodes that the end of the process cut"


@dataclass(frozen=True)
class RecordedGeneration:
    """A generation in the ledger.

    Attributes:
        number: Its number.
        reserved_steps: Environment steps that it may take; None: no limit.
        proposals: Its proposals as its event names them.
        trials: Its recorded trials, by number.
    """

    number: int
    reserved_steps: int | None
    proposals: Sequence[Mapping[str, Any]]
    trials: dict[int, Trial] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it was interrupted."""
        return len(self.trials) < len(self.proposals)


class StudyRecord:
    """Writes a study into its run folder, and reads it.

    Args:
        folder: The run folder, held by this process.
        keeps_episodes: Whether episodes are written. Without them, events of trials omit empty items.

    Attributes:
        lost_steps: Environment steps that led to no verdict and are not charged to the budget.
        events: The events in the ledger when the study was resumed.
    """

    def __init__(self, folder: RunFolder, keeps_episodes: bool = True):
        self.folder, self.keeps_episodes = folder, keeps_episodes
        self.lost_steps = 0
        self.events: list[dict[str, Any]] = []
        self._generation = -1
        self._version = ""

    @cached_property
    def meter(self) -> StepCounter:
        """Counts steps before they are taken. It is made on first use, so that a rejected run changes no folder."""
        return StepCounter(self.folder.path)

    def __enter__(self) -> StudyRecord:
        return self

    def __exit__(self, *exception: object) -> None:
        if "meter" in vars(self):
            self.meter.close()

    def start(self, settings: Mapping[str, Any]) -> None:
        """Records the settings of a new run. Raises HLError if the folder holds a run."""
        run_settings.record_settings(self.folder, settings)

    def resume(self, settings: Mapping[str, Any]) -> list[RecordedGeneration]:
        """Reads the recorded generations, in order. Raises HLError if there is no run, or one with other settings."""
        self._version = run_settings.check_resumable(self.folder, settings)
        self.events = self.folder.ledger.read()
        self._record_killed_steps(settings)
        try:
            return self._generations(self.events)
        except (KeyError, TypeError) as error:
            raise run_settings.not_reproducible(self.folder, self._version, "a generation of the run") from error

    def _record_killed_steps(self, settings: Mapping[str, Any]) -> None:
        """Records the steps that a killed process had taken and not recorded."""
        steps = self.meter.unrecorded(self.events)
        if steps:
            self.events.append(self.folder.ledger.append(wasted_trial(settings, steps, _KILLED).to_event()))

    def _generations(self, events: Iterable[Mapping[str, Any]]) -> list[RecordedGeneration]:
        generations: list[RecordedGeneration] = []
        for event in events:
            kind = event.get("kind") if event.get("event") == "trial" else None
            if event.get("event") == "generation":
                generations.append(RecordedGeneration(event["generation"], event["reserved_steps"], event["proposals"]))
            elif kind == TrialKind.INTERRUPTED:
                self.lost_steps += event["environment_steps"]
            elif kind in (TrialKind.SEARCH, TrialKind.TUNE) and generations:
                generations[-1].trials[event["index"]] = Trial.from_event(event)
        return generations

    def start_generation(
        self,
        number: int,
        proposals: Sequence[Candidate | Rejected],
        steps_left: int | None,
        rejected: Sequence[Trial],
        details: Mapping[str, Any],
    ) -> None:
        """Records a generation's proposals, and the trials of those that were rejected before the environment.

        Args:
            number: Number of the generation.
            proposals: Its proposals.
            steps_left: Environment steps that it may take; None: no limit.
            rejected: Trials of the rejected proposals.
            details: Further items of the generation's event.
        """
        self._generation = number
        event = {
            "event": "generation",
            "generation": number,
            "reserved_steps": steps_left,
            **details,
            "proposals": [_named(proposal) for proposal in proposals],
        }
        written = self.folder.ledger.append_many([event, *(trial.to_event() for trial in rejected)])
        self.meter.restart(written[-1]["sequence"])

    def resume_generation(
        self,
        generation: RecordedGeneration,
        proposals: Sequence[Candidate | Rejected],
        rejected: Sequence[Trial],
    ) -> dict[int, CompletedTrial]:
        """Reads the recorded trials of a generation that was proposed again, and records missing rejections.

        Args:
            generation: The recorded generation.
            proposals: Its proposals, made again.
            rejected: Trials of the rejected proposals.

        Returns:
            The trials of evaluated candidates, by number.

        Raises:
            HLError: The proposals differ from the recorded ones, or episodes are missing.
        """
        self._generation = generation.number
        recorded = [(named["index"], named["origin"], named["hash"]) for named in generation.proposals]
        if recorded != [
            tuple(_named(proposal)[name] for name in ("index", "origin", "hash")) for proposal in proposals
        ]:
            raise run_settings.not_reproducible(self.folder, self._version, f"generation {self._generation} of the run")
        completed = self._completed(generation, proposals)
        missing = [trial.to_event() for trial in rejected if trial.index not in generation.trials]
        written = self.folder.ledger.append_many(missing)
        self.meter.restart((written or self.events)[-1]["sequence"])
        return completed

    def _completed(
        self, generation: RecordedGeneration, proposals: Sequence[Candidate | Rejected]
    ) -> dict[int, CompletedTrial]:
        episodes = read_episodes(self.folder.path, generation.number)
        completed = {}
        for proposal in proposals:
            trial = generation.trials.get(proposal.index)
            if isinstance(proposal, Rejected) or trial is None:
                continue
            recordings, statuses = episodes.get(proposal.index, ({}, {}))
            if self.keeps_episodes and not recordings and trial.options:  # without options its evaluator failed
                raise HLError(
                    f"the episodes of trial {proposal.index} are missing in {self.folder.path / EPISODES}",
                    "restore the folder from a copy, or start a new run",
                )
            completed[proposal.index] = CompletedTrial(trial, proposal.operator, proposal.checked, recordings, statuses)
        return completed

    def record_trials(self, completed: Sequence[CompletedTrial]) -> None:
        """Records episodes, then trials."""
        if not completed:
            return
        if self.keeps_episodes:
            write_episodes(self.folder, self._generation, completed)
        events = [trial.trial.to_event() for trial in completed]
        self.folder.ledger.append_many(events if self.keeps_episodes else map(_without_empty, events))

    def record_lost_steps(self, trial: Trial) -> None:
        """Records environment steps that led to no verdict; they are not charged to the budget."""
        self.lost_steps += trial.environment_steps
        if trial.environment_steps:
            self.folder.ledger.append(trial.to_event())

    def record_simplified(self, trial: Trial) -> None:
        """Records the smaller form of the best program, unless a replay finds it recorded."""
        if not any(
            event.get("accepted") and event.get("program_hash") == trial.program_hash
            for event in self.folder.ledger.read()
        ):
            self.folder.ledger.append(trial.to_event())

    def write_best(self, text: str) -> None:
        """Writes `best.hl`. Raises FileUnwritable."""
        self.folder.write_best(text)

    def stop(self, reason: str, items: Mapping[str, Any]) -> None:
        """Records why the study stopped. `items`: further items of the event. Raises LedgerError, FileUnwritable."""
        self.folder.stop(reason, items)


def _named(proposal: Candidate | Rejected) -> dict[str, Any]:
    """A proposal as a generation's event names it."""
    checked = proposal.checked
    named = {"index": proposal.index, "origin": proposal.operator, "hash": checked.hash if checked else ""}
    return {**named, "brief": True} if isinstance(proposal, Candidate) and proposal.brief else named


def _without_empty(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a tuning's sample without its empty items, because a tuning has thousands of samples."""
    if event["program"]:
        return event
    return {name: value for name, value in event.items() if value is False or value == 0 or value}
