"""A study on disk: settings, the ledger, recorded episodes, the best program."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from hl_dsl.synth.candidates.proposer import Candidate, Rejected
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.picture import Picture
from hl_dsl.synth.runs import run_settings
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.runs.trial import Trial, wasted_trial
from hl_dsl.synth.search.completed_trial import CompletedTrial

from hl_dsl.base.errors import HLError

EPISODES = "episodes"


class StudyRecord:
    """Writes a study down as it goes, and reads it back.

    A `generation` event names what was proposed and reserves steps; the trials follow it. A generation whose trials are
    not all there was interrupted: it is proposed again, the same, and what is missing is played.
    """

    def __init__(self, folder: RunFolder, keeps_episodes: bool = True):
        self.folder, self.keeps_episodes = folder, keeps_episodes
        self.lost_steps = 0
        self.events: list[dict] = []
        self._generation = -1
        self._made_by = ""

    @cached_property
    def meter(self) -> StepCounter:
        """Made when it is first needed: a folder whose run is refused stays as it is."""
        return StepCounter(self.folder.path)

    def __enter__(self) -> StudyRecord:
        return self

    def __exit__(self, *exception: object) -> None:
        if "meter" in vars(self):
            self.meter.close()

    def start(self, settings: Mapping[str, Any]) -> None:
        """Raises HLError where the folder already holds a run."""
        run_settings.record_settings(self.folder, settings)

    def resume(self, settings: Mapping[str, Any]) -> list[dict]:
        """The generations on record, in order. Raises HLError where there is no run, or it differs in what it searches."""
        self._made_by = run_settings.check_resumable(self.folder, settings)
        self.events = self.folder.ledger.read()
        self._charge_cut_steps(settings)
        try:
            return self._generations(self.events)
        except (KeyError, TypeError) as error:
            raise run_settings.not_reproducible(self.folder, self._made_by, "a generation of the run") from error

    def _charge_cut_steps(self, settings: Mapping[str, Any]) -> None:
        """What a process that was killed had played, and could not write down."""
        steps = self.meter.unrecorded(self.events)
        if steps:
            self.events.append(
                self.folder.ledger.append(
                    wasted_trial(settings, steps, "steps of episodes that the end of the process cut").to_event()
                )
            )

    def _generations(self, events: list[dict]) -> list[dict]:
        generations: list[dict] = []
        for event in events:
            kind = event.get("event")
            if kind == "generation":
                generations.append({**event, "trials": {}})
            elif kind == "trial" and event.get("kind") == TrialKind.INTERRUPTED:
                self.lost_steps += event["environment_steps"]
            elif kind == "trial" and event.get("kind") in (TrialKind.SEARCH, TrialKind.TUNE) and generations:
                generations[-1]["trials"][event["index"]] = Trial.from_event(event)
        return generations

    def begin(
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

    def complete(self, generation: dict, rejected: Sequence[Trial]) -> None:
        """Records those of a known generation's rejections that a crash kept from the ledger."""
        missing = [trial.to_event() for trial in rejected if trial.index not in generation["trials"]]
        written = self.folder.ledger.append_many(missing)
        self.meter.restart((written or self.events)[-1]["sequence"])

    def known(self, generation: dict, proposals: Sequence[Candidate | Rejected]) -> dict[int, CompletedTrial]:
        """What the ledger tells of a generation that has been proposed again. Raises HLError where it is another one."""
        self._generation = generation["generation"]
        recorded = [(one["index"], one["origin"], one["hash"]) for one in generation["proposals"]]
        now = [(one.index, one.operator, one.checked.hash if one.checked else "") for one in proposals]
        if recorded != now:
            raise run_settings.not_reproducible(self.folder, self._made_by, f"generation {self._generation} of the run")
        recordings = read_episodes(self.folder.path, self._generation)
        settled = {}
        for one in proposals:
            trial = generation["trials"].get(one.index)
            if type(one) is Candidate and trial is not None:
                kept, statuses = recordings.get(one.index, ({}, {}))
                if (
                    self.keeps_episodes and not kept and trial.options
                ):  # without them nothing came back from its evaluator
                    raise HLError(
                        f"the episodes of trial {one.index} are missing in {self.folder.path / EPISODES}",
                        "restore the folder from a copy, or start a new run",
                    )
                settled[one.index] = CompletedTrial(trial, one.operator, one.checked, kept, statuses)
        return settled

    def settle(self, completed: Sequence[CompletedTrial]) -> None:
        """Records episodes, then trials."""
        if not completed:
            return
        if self.keeps_episodes:
            self._write_episodes(completed)
        events = [trial.trial.to_event() for trial in completed]
        self.folder.ledger.append_many(events if self.keeps_episodes else map(_without_empty, events))

    def _write_episodes(self, completed: Sequence[CompletedTrial]) -> None:
        arrays: dict[str, np.ndarray] = {}
        for trial in completed:
            for seed, recording in trial.recordings.items():
                key = f"{trial.trial.index}/{seed}/{trial.statuses[seed]}"
                arrays[f"{key}/actions"] = recording.actions
                arrays.update({f"{key}/shown_{name}": values for name, values in recording.shown.items()})
                arrays.update(
                    {
                        f"{key}/picture_{number}_{picture.says}": np.frombuffer(picture.png, np.uint8)
                        for number, picture in enumerate(recording.pictures)
                    }
                )
        (self.folder.path / EPISODES).mkdir(exist_ok=True)
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        self.folder.write(f"{EPISODES}/{self._generation}-{self._next_part()}.npz", file.getvalue())

    def _next_part(self) -> int:
        return len(list((self.folder.path / EPISODES).glob(f"{self._generation}-*.npz")))

    def lost(self, steps: int, trial: Trial) -> None:
        """Records the steps of episodes that were cut; they are not charged to the run (see Budget)."""
        self.lost_steps += steps
        if steps:
            self.folder.ledger.append(trial.to_event())

    def simplified(self, trial: Trial) -> None:
        """Records the smaller form of the best program, once."""
        if not any(
            event.get("accepted") and event.get("program_hash") == trial.program_hash
            for event in self.folder.ledger.read()
        ):
            self.folder.ledger.append(trial.to_event())

    def write_best(self, text: str) -> None:
        self.folder.write_best(text)

    def stop(self, reason: str, more: Mapping[str, Any]) -> None:
        self.folder.stop(reason, more)


def _named(proposal: Candidate | Rejected) -> dict[str, Any]:
    """A proposal as a generation's event names it."""
    checked = proposal.checked
    named = {"index": proposal.index, "origin": proposal.operator, "hash": checked.hash if checked else ""}
    return {**named, "brief": True} if isinstance(proposal, Candidate) and proposal.brief else named


def _without_empty(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a tuning's sample without its empty items: a tuning has thousands of samples."""
    if event["program"]:
        return event
    return {name: value for name, value in event.items() if value is False or value == 0 or value}


def read_episodes(
    folder: Path, generation: int
) -> dict[int, tuple[dict[int | str, Recording], dict[int | str, EpisodeStatus]]]:
    """The episodes of a generation by trial: recordings, and how they ended, by seed or `recording_key`. Raises HLError."""
    found: dict[int, tuple[dict, dict]] = {}
    for path in sorted((folder / EPISODES).glob(f"{generation}-*.npz")):
        parts: dict[tuple[int, int | str, str], dict[str, np.ndarray]] = {}
        try:
            with np.load(path, allow_pickle=False) as file:
                for name in file.files:
                    index, seed, status, what = name.split("/")
                    parts.setdefault((int(index), int(seed) if seed.isdigit() else seed, status), {})[what] = file[name]
        except (OSError, ValueError, EOFError) as error:
            raise HLError(f"cannot read {path}: {error}", "restore it from a copy, or start a new run") from None
        for (index, seed, status), values in parts.items():
            kept, statuses = found.setdefault(index, ({}, {}))
            shown = {name.removeprefix("shown_"): array for name, array in values.items() if name.startswith("shown_")}
            pictures = tuple(
                Picture(array.tobytes(), name.split("_", 2)[2])
                for name, array in values.items()
                if name.startswith("picture_")
            )
            kept[seed], statuses[seed] = Recording(shown, values["actions"], pictures), EpisodeStatus(status)
    return found
