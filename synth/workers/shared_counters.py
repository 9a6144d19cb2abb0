"""Numbers that two processes share, and that outlive either."""

from __future__ import annotations

import mmap
import os
import tempfile

_STEPS, _STOP, _LEAVE = range(3)
_SIZE = 8 * 3


class SharedCounters:
    """`steps`: taken in the request under way, each counted before it is taken. `stop` and `leave`: the number of the request
    that is to end at its next tick, as by an interrupt, or to leave its lanes as they are."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, _SIZE)
        self._numbers = memoryview(self._map).cast("q")

    @classmethod
    def make(cls) -> SharedCounters:
        """A new one. Raises OSError."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("hl-board")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _SIZE)
        return cls(descriptor)

    def _get(place: int):
        def write(self, value: int) -> None:
            self._numbers[place] = value

        return property(lambda self: self._numbers[place], write)

    steps, stop, leave = _get(_STEPS), _get(_STOP), _get(_LEAVE)

    def close(self) -> None:
        self._numbers.release()
        self._map.close()
        os.close(self.descriptor)
