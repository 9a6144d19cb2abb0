"""A study: from one program to a better one, within a budget, with every trial on record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.search.open_study import OpenStudy
from hl_dsl.synth.search.search_record import StudyRecord
from hl_dsl.synth.search.study_kind import StudyKind


class Study:
    """A study of some kind (`ProgramSearch`, `ParameterTuning`), in the run folder of its inputs."""

    def __init__(self, kind: StudyKind):
        self.kind = kind

    def run(self) -> Any:
        """Starts a run and completes it.

        Raises:
            HLError: The folder holds a run already, or another process uses it.
            NotProved: The initial program is not proved; the folder is not created then.
            NotWritten: The study ended, but its result could not be recorded.
        """
        self.kind.check_start()
        with self._record() as record:
            record.start(self.kind.document())
            record.folder.write_card(self.kind.program.card)
            return OpenStudy(self.kind, record).run([])

    def resume(self) -> Any:
        """Continues the run in the folder, and completes it.

        Raises:
            HLError: The folder holds no run, or a run with other settings.
            NotWritten: The study ended, but its result could not be recorded.
        """
        with self._record() as record:
            generations = record.resume(self.kind.document())
            return OpenStudy(self.kind, record).run(generations)

    @contextmanager
    def _record(self) -> Iterator[StudyRecord]:
        kind = self.kind
        with RunFolder(kind.inputs.folder) as folder, StudyRecord(folder, kind.keeps_episodes) as record:
            yield record
