"""Computation in a forked process, so that two cores work on one proof."""

from __future__ import annotations

import os
import pickle
import signal
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """Runs `work` in a forked child if `fork` is true and supported, otherwise on the call of `result`.

    The result must be the same either way. Use as a context manager: a child whose result is not needed is killed.
    """

    def __init__(self, work: Callable[[], T], fork: bool):
        self._work = work
        self._child: tuple[int, int] | None = None  # process, read end of its pipe
        if fork and hasattr(os, "fork"):
            with suppress(OSError):
                self._child = self._fork()

    def __enter__(self) -> BackgroundTask[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.kill(self._child[0], signal.SIGKILL)
            self._join(*self._child)

    def result(self) -> T:
        """Returns the result of `work`. If the child failed, `work` runs here and may raise its error."""
        if self._child is not None:
            process, pipe = self._child
            with os.fdopen(os.dup(pipe), "rb") as stream:
                written = stream.read()
            if self._join(process, pipe):
                return cast(T, pickle.loads(written))
        return self._work()

    def _fork(self) -> tuple[int, int]:
        pipe, end = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # about threads: the child only computes
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
        return process, pipe

    def _join(self, process: int, pipe: int) -> bool:
        """Waits for the child. Returns True if it succeeded."""
        _, status = os.waitpid(process, 0)
        os.close(pipe)
        self._child = None
        return status == 0
