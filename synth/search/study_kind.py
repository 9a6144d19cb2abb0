"""Kinds of study: the steps in which a search for programs and a tuning of parameters differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hl_dsl.cases.records import StoredCase
from hl_dsl.program import Program
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import structure_hash, values_of
from hl_dsl.synth.candidates.proposer import Candidate, Proposer
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.candidate_batch import BatchResult
from hl_dsl.synth.rollouts.episode import RecordingDetail
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.search.search_record import StudyRecord
from hl_dsl.synth.search.search_state import StudyState
from hl_dsl.synth.search.selection import SelectionRule
from hl_dsl.synth.search.study_settings import StudySettings
from hl_dsl.synth.search.trial_maker import TrialMaker
from hl_dsl.synth.workers.worker_executor import WorkerExecutor
from hl_dsl.verify import Proof

QUICK_SEEDS = 2  # seeds of the first rung
OnEvent = Callable[[dict[str, Any]], None]


def ignore_event(event: dict[str, Any]) -> None:
    """Takes a progress event and does nothing."""


@dataclass(frozen=True)
class StudyInputs:
    """Inputs of a study.

    Attributes:
        program: The initial program.
        settings: The settings; `StudyKind` resolves them.
        folder: The run folder.
        budget: Limits of environment steps, programs, time, tokens and money.
        cases: Golden cases that an accepted program passes.
        resources: What batches are evaluated on; None: a worker process of the study's own.
        on_event: Takes progress events.
        play: Evaluates a batch, in place of `candidate_batch.play`.
    """

    program: Program
    settings: StudySettings
    folder: Path
    budget: Budget
    cases: tuple[StoredCase, ...] = ()
    resources: Resources | None = None
    on_event: OnEvent | None = None
    play: Callable[..., BatchResult] | None = None


@dataclass(frozen=True)
class Ending:
    """End of a study.

    Attributes:
        reason: The stop reason.
        lost_steps: Environment steps that led to no verdict and are not charged.
        events: The events of its ledger.
        has_failed: Whether the proposer failed before it proposed anything.
    """

    reason: str
    lost_steps: int
    events: list[dict[str, Any]]
    has_failed: bool = False


class StudyKind(ABC):
    """A study's inputs and the steps that depend on its kind. It keeps nothing of a run.

    Raises:
        HLError: Seeds, a protocol or options that do not suit the study.
    """

    keeps_episodes = True
    """Whether episodes are recorded in the run folder."""

    def __init__(self, inputs: StudyInputs):
        self.inputs = inputs
        self.program, self.budget = inputs.program, inputs.budget
        self.settings = inputs.settings.resolved(inputs.program.card)
        self.resources = inputs.resources or Resources(executor=WorkerExecutor())
        self.report: OnEvent = inputs.on_event or ignore_event

    @cached_property
    def start(self) -> Candidate:
        """The initial program as the first candidate. Raises NotProved."""
        proof = self.full_proof(self.program)
        checked = CheckedCandidate(self.program, structure_hash(self.program.flow))
        return Candidate(0, checked, proof.summary, "", "start", (), values_of(self.program.flow))

    def full_proof(self, program: Program) -> Proof:
        """The full proof of a program. Raises NotProved."""
        proof = program.prove()
        if not proof.passed:
            raise NotProved(program, proof)
        return proof

    def check_start(self) -> None:
        """Raises NotProved or HLError if a new run cannot succeed, before its folder is created."""
        _ = self.start

    def release_executor(self) -> None:
        """Ends the study's own worker process; an executor of the caller is kept for the next study."""
        if self.inputs.resources is None:
            self.resources.executor.close()
        else:
            self.resources.executor.release()

    def recording_detail(self) -> RecordingDetail:
        """What is recorded of the episodes."""
        return RecordingDetail.STEPS if self.keeps_episodes else RecordingDetail.NOTHING

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """What `run.json` records."""

    @abstractmethod
    def new_proposer(self) -> Proposer:
        """A proposer that has seen no trial."""

    @abstractmethod
    def new_state(self) -> StudyState:
        """The state before the first trial."""

    @abstractmethod
    def trial_maker(self) -> TrialMaker:
        """Makes the trials of the study."""

    @abstractmethod
    def selection(self, state: StudyState, proposer: Proposer) -> SelectionRule:
        """The selection rule of the generation that was just proposed."""

    @abstractmethod
    def best_text(self, state: StudyState, best: Structure, proof: str | None) -> str:
        """The text of `best.hl`. `proof`: summary of the full proof, if it was made."""

    @abstractmethod
    def result(self, state: StudyState, best: Structure, ending: Ending) -> Any:
        """The result of the study."""

    @abstractmethod
    def generation_details(self, state: StudyState, proposer: Proposer) -> Mapping[str, Any]:
        """Further items of a generation's event in the ledger."""

    def progress(self, state: StudyState, proposer: Proposer) -> Mapping[str, Any]:
        """Further items of the event that reports a generation."""
        return {}

    def observe(self, proposer: Proposer, trials: Sequence[Trial]) -> None:  # noqa: B027 (optional to override)
        """Called with the trials of each generation, in the order of their numbers."""

    def improved(self, state: StudyState, record: StudyRecord) -> None:  # noqa: B027 (optional to override)
        """Called when a generation has a new best program, before it is reported."""

    def recorded(self) -> None:  # noqa: B027 (optional to override)
        """Called when the result is recorded."""
