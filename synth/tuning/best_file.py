"""`best.hl` while a tuning goes on: what was accepted last, for whoever looks before the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.evaluation.program_text import text_with
from hl_dsl.synth.runs.run_folder import BEST

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import write_whole
from hl_dsl.program import Program


class BestFile:
    """An `on_event` that passes events on. What is accepted is on record by then, and is put into the run's folder, where there is
    one. What a run begins with is not, nor what was accepted before a run went on: that is no news."""

    def __init__(self, folder: Path | str | None, program: Program, on_event: Callable[[dict[str, Any]], None]):
        self.folder, self.program, self._on_event = None if folder is None else Path(folder), program, on_event
        self._defaults = values_of(program.flow)

    def __call__(self, event: dict[str, Any]) -> None:
        if (
            event["event"] == "best"
            and not event["known"]
            and event["values"] != self._defaults
            and self.folder is not None
        ):
            self._write(event["values"])
        self._on_event(event)

    def _write(self, values: Mapping[str, Any]) -> None:
        try:
            write_whole(self.folder / BEST, text_with(self.program, values))
        except HLError:
            pass  # the end of the run writes it again, and says what is wrong
