"""An interactive study: programs are submitted one at a time, and each goes through the gates of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import cases_folder
from hl_dsl.program import Program
from hl_dsl.synth.proposers.submissions import NAME, Submissions, submission
from hl_dsl.synth.regressions.files import read_cases
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.budget_report import budget_event
from hl_dsl.synth.runs.run_folder import SETTINGS, RunFolder
from hl_dsl.synth.search.generation_run import StudyInterrupted
from hl_dsl.synth.search.interactive_documents import finished, open_settings, status, submitted
from hl_dsl.synth.search.open_study import OpenStudy
from hl_dsl.synth.search.program_search import ProgramSearch
from hl_dsl.synth.search.search_record import RecordedGeneration, StudyRecord
from hl_dsl.synth.search.study_kind import StudyInputs
from hl_dsl.synth.search.study_settings import StudySettings

INTERACTIVE_STEPS = 300_000  # default budget of environment steps


class InteractiveStudy:
    """Holds the folder of an interactive study until the end of a `with` block; see `create` and `reopen`.

    Opening proves and evaluates the initial program, unless that is recorded.

    Args:
        kind: The study; its proposer is `mcp`.
        items: Further items of `run.json`: the budget and the folder of the golden cases.

    Raises:
        HLError: The folder holds another run or a finished one, or another process uses it.
        NotProved: The initial program is not proved.
    """

    def __init__(self, kind: ProgramSearch, items: Mapping[str, Any]):
        self._kind, self._folder = kind, RunFolder(kind.inputs.folder)
        try:
            self._record, generations = self._open(items)
            self._study = OpenStudy(kind, self._record)
            assert isinstance(self._study.proposer, Submissions)
            self._submissions = self._study.proposer
            self._replay(generations)
        except BaseException:
            self._folder.close()
            raise

    @classmethod
    def create(
        cls, policy: Path, run: Path, settings: StudySettings | None = None, budget: Budget | None = None
    ) -> InteractiveStudy:
        """Opens a study of a policy; continues the one in the folder if it is the same.

        Args:
            policy: The initial program. Accepted programs pass the golden cases in `regressions/` next to it.
            run: The run folder.
            settings: Settings of the study.
            budget: Limits of environment steps and programs, which `run.json` records.
        """
        program, cases = Program.load(policy), cases_folder(policy)
        kind = _kind(program, run, settings or StudySettings(), budget or Budget(steps=INTERACTIVE_STEPS), cases)
        kind.check_start()
        return cls(kind, _items(kind.budget, cases))

    @classmethod
    def reopen(cls, run: Path) -> InteractiveStudy:
        """Opens the study in a folder again."""
        document = open_settings(run)
        program = Program.parse(document["program"], str(run / SETTINGS))
        limits, cases = document["budget"], Path(document["cases_folder"])
        budget = Budget(steps=limits["env_steps"], programs=limits["programs"])
        kind = _kind(program, run, StudySettings.from_document(document), budget, cases)
        return cls(kind, _items(budget, cases))

    def _open(self, items: Mapping[str, Any]) -> tuple[StudyRecord, list[RecordedGeneration]]:
        """The record, and the generations in it."""
        kind, folder, record = self._kind, self._folder, StudyRecord(self._folder)
        document, found = kind.document(), folder.read_settings()
        if found is None:
            record.start({**document, **items})
            folder.write_card(kind.program.card)
            folder.ledger.append(budget_event(kind.budget))
            return record, []
        if finished(folder.ledger.read()):
            raise closed(folder.path)
        generations = record.resume(document)
        if found.get("budget") != items["budget"]:
            folder.write_settings({**found, **items})
            folder.ledger.append(budget_event(kind.budget))
        return record, generations

    def _replay(self, generations: list[RecordedGeneration]) -> None:
        study = self._study
        self._submissions.learn(self._record.events)
        self._evaluate(lambda: study.replay(generations))
        if study.state.refused_start is not None:
            raise HLError(f"the initial program was rejected: {study.state.refused_start}", "fix it and open a new run")
        if self._submissions.has(study.state.next_index):
            self._evaluate(study.step)

    def submit(self, text: str, change: str = "") -> dict[str, Any]:
        """Sends a program through the gates; the document of `hl submit`. Raises HLError if a budget is spent."""
        spent = self._study.budget.stop_reason()
        if spent is not None:
            raise HLError(
                f"the study accepts no more programs: {spent}", "finish the run, or open it again with a larger budget"
            )
        index = self._study.state.next_index
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise HLError("the program is not valid Unicode text", "send it as UTF-8") from None
        event = submission(index, text, change)
        self._folder.ledger.append(event)
        self._submissions.learn([event])
        self._evaluate(self._study.step)
        return submitted(self._folder.path, index)

    def status(self) -> dict[str, Any]:
        """The document of `hl status`."""
        return status(self._folder.path)

    def finish(self) -> dict[str, Any]:
        """Ends the study: the best program is proved in full and written; the document of `hl finish`."""
        result = self._study.finish("finished")
        return {"schema": "hl.finish/2", **result.to_json()}

    def _evaluate(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StudyInterrupted:
            # What is decided is recorded; the rest is evaluated when the run is opened again.
            raise KeyboardInterrupt from None

    def __enter__(self) -> InteractiveStudy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the folder and the evaluator. The study stays open."""
        self._kind.release_executor()
        self._folder.close()


def closed(run: Path) -> HLError:
    """The error for a run that is finished."""
    return HLError(
        f"the run in {run} is finished", f"open a new one, such as from its best program ({run / 'best.hl'})"
    )


def _items(budget: Budget, cases: Path) -> dict[str, Any]:
    limits = {"env_steps": budget.steps, "programs": budget.programs}
    return {"budget": limits, "cases_folder": str(cases.absolute())}


def _kind(program: Program, run: Path, settings: StudySettings, budget: Budget, cases: Path) -> ProgramSearch:
    inputs = StudyInputs(program, replace(settings, proposer=NAME), run, budget, tuple(read_cases(cases, program.card)))
    return ProgramSearch(inputs)
