"""Step counter of a generation, in a memory-mapped file that survives the death of the process."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hl_dsl.base.files import FileUnwritable, storage_problem, write_fully

COUNTER_FILE = ".steps"
_LAYOUT = struct.Struct("<qq")  # sequence number, steps


class StepCounter:
    """Sequence number of a ledger event and the number of steps since it, in a small mapped file of the run folder.

    Each step is counted before it is taken. So a process that is killed has counted all its steps, and a resume records
    them. A power failure may lose the count, but never a settled trial.

    Raises:
        FileUnwritable: The file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / COUNTER_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                if os.fstat(descriptor).st_size != _LAYOUT.size:
                    os.ftruncate(descriptor, 0)
                    # Written here, so that a full disk raises an error now; a page without disk space would kill the
                    # process later.
                    write_fully(descriptor, bytes(_LAYOUT.size))
                self._map = mmap.mmap(descriptor, _LAYOUT.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            problem, hint = storage_problem(error)
            raise FileUnwritable(f"cannot count steps in {path}: {problem}", hint) from error
        self._sequence = 0

    def close(self) -> None:
        """Closes the file; its numbers stay in it."""
        self._map.close()

    def restart(self, sequence: int) -> None:
        """Sets the count to zero; the steps from now on follow the event of that sequence number."""
        self._sequence = sequence
        _LAYOUT.pack_into(self._map, 0, sequence, 0)

    def reserve(self, steps: int) -> None:
        """Sets the number of steps since the restart, including the next one."""
        _LAYOUT.pack_into(self._map, 0, self._sequence, steps)

    def after(self, steps: int) -> OffsetCounter:
        """Returns a counter for work that starts after `steps` steps."""
        return OffsetCounter(self, steps)

    def __reduce__(self) -> tuple[Callable[[Path, int], StepCounter], tuple[Path, int]]:
        return _reopened, (self._folder.resolve(), self._sequence)

    def unrecorded(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Returns the steps since the restart that are in no trial of `events`."""
        sequence, steps = _LAYOUT.unpack_from(self._map, 0)
        recorded = sum(
            event.get("environment_steps", 0)
            for event in events
            if event.get("event") == "trial" and event["sequence"] > sequence
        )
        return max(0, steps - recorded)


@dataclass(frozen=True)
class OffsetCounter:
    """A counter whose steps are added to the steps `before`. It can be pickled; a worker counts in the same file."""

    counter: StepCounter
    before: int

    def __call__(self, steps: int) -> None:
        """Counts `steps` steps of this work, including the next one."""
        self.counter.reserve(self.before + steps)

    def close(self) -> None:
        """Closes the file, so that a parked worker keeps no disk busy."""
        self.counter.close()


def _reopened(folder: Path, sequence: int) -> StepCounter:
    counter = StepCounter(folder)
    counter._sequence = sequence
    return counter
