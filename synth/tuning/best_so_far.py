"""`best.hl` while a tuning goes on: what was accepted last, for whoever looks before the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Mapping

from hl_dsl.diagnostics import HLError
from hl_dsl.program import Program
from hl_dsl.synth.program_texts import text_with
from hl_dsl.synth.run_folder import BEST
from hl_dsl.synth.storage import write_whole


class BestSoFar:
    """An `on_event` that passes events on. What is accepted is put into the run's folder, where there is one, once its generation is on
    record; what a run begins with is not, for that is no better than what its author has."""

    def __init__(self, folder: Path | str | None, program: Program, on_event: Callable[[dict[str, Any]], None]):
        self.folder, self.program, self._on_event = None if folder is None else Path(folder), program, on_event
        self._begun = False
        self._found: Mapping[str, Any] | None = None

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "best":
            self._begun, self._found = True, event["values"] if self._begun else None
        elif event["event"] == "generation" and self._found is not None and self.folder is not None:
            found, self._found = self._found, None
            try:
                write_whole(self.folder / BEST, text_with(self.program, found))
            except HLError:
                pass  # the end of the run writes it again, and says what is wrong
        self._on_event(event)
