"""A run that is open: programs are submitted to it one at a time, and each goes through the gates of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hl_dsl.synth.proposers.submissions import NAME, Submissions, submission
from hl_dsl.synth.regressions.files import read_cases
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.budget_report import budget_event
from hl_dsl.synth.runs.run_folder import SETTINGS, RunFolder
from hl_dsl.synth.search.generation import Stopped
from hl_dsl.synth.search.interactive_documents import finished, open_settings, status, submitted
from hl_dsl.synth.search.search_record import StudyRecord
from hl_dsl.synth.search.study import DEVELOPMENT_SEEDS, Study

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import cases_folder
from hl_dsl.program import Program


@dataclass(frozen=True)
class Opening:
    """What a run is opened with; see `Study`. `protocol` None: the environment's usual one. The budget is kept in the run's
    folder, so that who submits need not know it."""

    protocol: str | None = None
    seeds: Sequence[int] = DEVELOPMENT_SEEDS
    run_seed: int = 0
    max_steps: int | None = None
    budget_steps: int | None = 300_000
    budget_programs: int | None = None

    @property
    def limits(self) -> dict[str, int | None]:
        return {"env_steps": self.budget_steps, "programs": self.budget_programs}


class InteractiveStudy:
    """Holds the folder of an open run, until the end of a `with` block.

    Opening proves and plays the program the run begins from, where that is not on record. Raises HLError: no such run, one
    that is another or is finished, a folder in use; NotProved before any step.
    """

    def __init__(self, study: Study, settings: dict[str, Any]):
        self._study, self._submissions = study, study.proposer
        assert isinstance(self._submissions, Submissions)
        self._folder = RunFolder(study.path)
        try:
            self._open(settings)
        except BaseException:
            self._folder.close()
            raise

    @classmethod
    def begin(cls, policy: Path, run: Path, opening: Opening) -> InteractiveStudy:
        """Opens a run from a policy; goes on with the one in the folder where it is the same, with the budget that is given."""
        program = Program.load(policy)
        folder = cases_folder(policy)
        study = _study(program, run, opening, folder)
        study._start  # proved before the folder is touched
        return cls(study, {"budget": opening.limits, "cases_folder": str(folder.absolute())})

    @classmethod
    def go_on(cls, run: Path) -> InteractiveStudy:
        """Opens the run in a folder again."""
        found = open_settings(run)
        program = Program.parse(found["program"], str(run / SETTINGS))
        limits = found["budget"]
        opening = Opening(
            found["protocol"],
            tuple(found["seeds"]),
            found["run_seed"],
            found["max_steps"],
            limits["env_steps"],
            limits["programs"],
        )
        return cls(
            _study(program, run, opening, Path(found["cases_folder"])),
            {"budget": limits, "cases_folder": found["cases_folder"]},
        )

    def _open(self, more: dict[str, Any]) -> None:
        study = self._study
        self._record = StudyRecord(self._folder)
        wanted = study.settings()
        found = self._folder.read_settings()
        if found is None:
            self._record.start({**wanted, **more})
            self._folder.write_card(study.program.card)
            self._folder.ledger.append(budget_event(study.budget))
            generations: list = []
        else:
            if finished(self._folder.ledger.read()):
                raise closed(self._folder.path)
            generations = self._record.resume(wanted)
            if found.get("budget") != more["budget"]:
                self._folder.write_settings({**found, **more})
                self._folder.ledger.append(budget_event(study.budget))
        self._submissions.learn(self._record.events)
        self._playing(lambda: study.open(self._record, generations))
        if study.state.refused_start is not None:
            raise HLError(
                f"the program that the run begins from is no good: {study.state.refused_start}",
                "mend it first, and open a new run",
            )
        if self._submissions.has(study.state.next_index):
            self._playing(lambda: study.step(self._record))

    def submit(self, text: str, change: str = "") -> dict[str, Any]:
        """Sends a program through the gates; the document of `hl submit`. Raises HLError where no budget is left."""
        study = self._study
        spent = study.budget.stop_reason()
        if spent is not None:
            raise HLError(
                f"no program is taken any more: {spent}", "finish the run, or open it again with a larger budget"
            )
        index = study.state.next_index
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise HLError("the program is no Unicode text", "send it as UTF-8") from None
        event = submission(index, text, change)
        self._folder.ledger.append(event)
        self._submissions.learn([event])
        self._playing(lambda: study.step(self._record))
        return submitted(self._folder.path, index)

    def status(self) -> dict[str, Any]:
        """The document of `hl status`."""
        return status(self._folder.path)

    def finish(self) -> dict[str, Any]:
        """Closes the run: the best program is proved in full and written; the document of `hl finish`."""
        result = self._study.close(self._record, "finished")
        return {"schema": "hl.finish/2", **result.to_json()}

    def _playing(self, work) -> None:
        try:
            work()
        except Stopped:
            raise KeyboardInterrupt from None  # what had finished is recorded; the rest is played when the run is opened again

    def __enter__(self) -> InteractiveStudy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets the folder and the evaluator go. The run stays open."""
        self._study.release_executor()
        self._folder.close()


def closed(run: Path) -> HLError:
    return HLError(
        f"the run in {run} is finished", f"open a new one, from its best program if you like ({run / 'best.hl'})"
    )


def _study(program: Program, run: Path, opening: Opening, cases: Path) -> Study:
    budget = Budget(steps=opening.budget_steps, programs=opening.budget_programs)
    return Study(
        program,
        opening.protocol or program.card.protocols[0],
        run,
        budget,
        opening.run_seed,
        NAME,
        opening.seeds,
        max_steps=opening.max_steps,
        cases=read_cases(cases, program.card),
    )
