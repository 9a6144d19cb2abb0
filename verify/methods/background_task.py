"""A computation in a process of its own, so that both cores work on one proof."""

from __future__ import annotations

import os
import pickle
import signal
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """`work`, begun at once in a copy of this process where the system can do that and `apart` asks for it, else when its
    result is wanted. What it gives must not depend on which. Use as a context manager: what is not wanted any more is stopped."""

    def __init__(self, work: Callable[[], T], fork: bool):
        self._work = work
        self._process = self._pipe = None
        if fork and hasattr(os, "fork"):
            with suppress(OSError):
                self._begin()

    def __enter__(self) -> BackgroundTask[T]:
        return self

    def __exit__(self, *_) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            self._end()

    def result(self) -> T:
        """What `work` gives. A process that comes to nothing is made good here, with whatever `work` raises."""
        if self._process is not None:
            with os.fdopen(os.dup(self._pipe), "rb") as stream:
                written = stream.read()
            if self._end():
                return pickle.loads(written)
        return self._work()

    def _begin(self) -> None:
        pipe, end = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # on threads: the copy only computes
            process = os.fork()
        if process == 0:
            status = 1
            try:
                os.close(pipe)
                with os.fdopen(end, "wb") as stream:
                    stream.write(pickle.dumps(self._work()))
                status = 0
            finally:
                os._exit(status)
        os.close(end)
        self._process, self._pipe = process, pipe

    def _end(self) -> bool:
        """Whether the process, which is waited for, has done its work."""
        _, status = os.waitpid(self._process, 0)
        os.close(self._pipe)
        self._process = self._pipe = None
        return status == 0
