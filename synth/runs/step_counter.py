"""How many steps a generation has taken so far, where the end of the process cannot take the count along."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hl_dsl.base.files import FileUnwritable, storage_problem, write_fully

COUNTER_FILE = ".steps"
_FORM = struct.Struct("<qq")


class StepCounter:
    """Two numbers in a small mapped file of the run's folder: the sequence number of the last event before the steps, and
    how many steps have been taken since, each counted before it is taken. So a process that is killed has counted them
    all; they are written down when the run goes on. (A power cut may lose the count, never a settled trial.) Raises
    FileUnwritable."""

    def __init__(self, folder: Path):
        self._folder = folder
        path = folder / COUNTER_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                if os.fstat(descriptor).st_size != _FORM.size:
                    os.ftruncate(descriptor, 0)
                    # Written, so that a full disk is met here; a mapped page without a place on it would end the process.
                    write_fully(descriptor, bytes(_FORM.size))
                self._map = mmap.mmap(descriptor, _FORM.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            problem, hint = storage_problem(error)
            raise FileUnwritable(f"cannot keep count of steps in {path}: {problem}", hint) from error
        self._sequence = 0

    def close(self) -> None:
        """Lets the file go; what it counts stays in it."""
        self._map.close()

    def restart(self, sequence: int) -> None:
        """What is counted from here on comes after the event of that number."""
        self._sequence = sequence
        _FORM.pack_into(self._map, 0, sequence, 0)

    def reserve(self, steps: int) -> None:
        """Counts: so many steps since the beginning, the next one included."""
        _FORM.pack_into(self._map, 0, self._sequence, steps)

    def after(self, steps: int) -> OffsetCounter:
        """For work that begins after so many steps."""
        return OffsetCounter(self, steps)

    def __reduce__(self):
        return _reopened, (self._folder.resolve(), self._sequence)

    def unrecorded(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Steps that were taken and are in no trial after the beginning."""
        sequence, steps = _FORM.unpack_from(self._map, 0)
        recorded = sum(
            one.get("environment_steps", 0)
            for one in events
            if one.get("event") == "trial" and one["sequence"] > sequence
        )
        return max(0, steps - recorded)


@dataclass(frozen=True)
class OffsetCounter:
    """Told of steps, the next one included, counts them in the meter after those `before`. It can travel to a worker, and
    then counts there, in the same file."""

    meter: StepCounter
    before: int

    def __call__(self, steps: int) -> None:
        self.meter.reserve(self.before + steps)

    def close(self) -> None:
        """Lets the file go, so that a worker that rests keeps no disk busy."""
        self.meter.close()


def _reopened(folder: Path, sequence: int) -> StepCounter:
    meter = StepCounter(folder)
    meter._sequence = sequence
    return meter
