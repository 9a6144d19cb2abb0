"""Integers in memory shared by two processes."""

from __future__ import annotations

import mmap
import os
import tempfile

_STEPS, _INTERRUPTED, _ABANDONED = range(3)  # positions of the integers
_BYTES = 8 * 3


class SharedCounters:
    """Step counter of a worker, and requests to it. The memory outlives either process."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, _BYTES)
        self._numbers = memoryview(self._map).cast("q")

    @classmethod
    def create(cls) -> SharedCounters:
        """New counters, all 0.

        Raises:
            OSError: The system has no memory or descriptor left.
        """
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("hl-counters")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _BYTES)
        return cls(descriptor)

    @property
    def steps(self) -> int:
        """Environment steps of the current request. A step is counted before it is taken."""
        return self._numbers[_STEPS]

    @steps.setter
    def steps(self, value: int) -> None:
        self._numbers[_STEPS] = value

    @property
    def interrupted_request(self) -> int:
        """Number of the request that must stop at its next tick, as after an interrupt."""
        return self._numbers[_INTERRUPTED]

    @interrupted_request.setter
    def interrupted_request(self, value: int) -> None:
        self._numbers[_INTERRUPTED] = value

    @property
    def abandoned_request(self) -> int:
        """Number of the request that must abandon its lanes."""
        return self._numbers[_ABANDONED]

    @abandoned_request.setter
    def abandoned_request(self, value: int) -> None:
        self._numbers[_ABANDONED] = value

    def close(self) -> None:
        """Unmaps the memory and closes its descriptor."""
        self._numbers.release()
        self._map.close()
        os.close(self.descriptor)
