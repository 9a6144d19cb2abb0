"""Executor that runs evaluations in a worker process."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from hl_dsl.synth.rollouts.executor import ExecutionHooks, Executor
from hl_dsl.synth.workers.limits import WorkerLimits
from hl_dsl.synth.workers.worker import Worker


class WorkerExecutor(Executor):
    """Runs evaluations in a worker, which is started when it is first needed and replaced after a failure.

    The worker ends with `close`, with this object, or with this process, whichever is first.
    """

    def __init__(self, limits: WorkerLimits | None = None):
        super().__init__()
        self.limits = limits or WorkerLimits()
        self._workers: list[Worker] = []  # at most one
        self._finalizer = weakref.finalize(self, _end_all, self._workers)

    @property
    def worker(self) -> Worker | None:
        """The worker; None if none runs."""
        return self._workers[0] if self._workers and self._workers[0].is_alive else None

    def run(self, function: Callable[..., Any], *arguments: Any, hooks: ExecutionHooks, **options: Any) -> Any:
        """Calls the function in the worker; the result is the same to the bit as in this process.

        The function, its arguments and `hooks.before_step` are pickled. The steps it takes are counted as taken by this
        process. An interrupt stops the evaluation at its next tick; if it arrives after the last tick, only
        `hooks.interrupt.was_delivered` shows it.

        Raises:
            EvaluatorFailed: The worker crashed, hung or exceeded a limit, and was ended.
            HLError: The function raised it.
        """
        worker = self.worker
        if worker is None:
            self.close()
            worker = Worker(self.limits)
            self._workers.append(worker)
        try:
            value, is_interrupted = worker.call(function, arguments, options, hooks)
        finally:
            self.simulators.count(worker.steps)
        if is_interrupted and hooks.interrupt is not None:
            hooks.interrupt.was_delivered = True
        return value

    def release(self) -> None:
        """Keeps the worker for the next study. One that has not yet started, or started other processes, is ended."""
        worker = self.worker
        if worker is not None:
            worker.park()
        if worker is None or not worker.is_ready:
            self.close()

    def close(self) -> None:
        """Ends the worker."""
        _end_all(self._workers)


def _end_all(workers: list[Worker]) -> None:
    while workers:
        workers.pop().end()
