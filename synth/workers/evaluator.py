"""Executor that runs evaluations in a worker process."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

from hl_dsl.synth.environments.environments import count_elsewhere
from hl_dsl.synth.rollouts.executor import ExecutionHooks, Executor
from hl_dsl.synth.workers.limits import WorkerLimits
from hl_dsl.synth.workers.worker import Worker


class WorkerExecutor(Executor):
    """Runs evaluations in a worker, which is started when it is first needed and replaced after a failure."""

    def __init__(self, limits: WorkerLimits | None = None):
        self.limits = limits or WorkerLimits()
        self._worker: Worker | None = None

    def run(self, function: Callable[..., Any], *arguments: Any, hooks: ExecutionHooks, **options: Any) -> Any:
        """Calls the function in the worker; the result is the same to the bit as in this process.

        The function, its arguments and `hooks.before_step` are pickled. The steps it takes are counted as taken by this
        process. An interrupt stops the evaluation at its next tick; if it arrives after the last tick, only
        `hooks.stopping.delivered` shows it.

        Raises:
            EvaluatorFailed: The worker crashed, hung or exceeded a limit, and was ended.
            HLError: The function raised it.
        """
        if self._worker is None or not self._worker.alive:
            self.close()
            self._worker = _idle_worker(self.limits) or Worker(self.limits)
        worker = self._worker
        try:
            value, is_interrupted = worker.call(function, arguments, options, hooks)
        finally:
            count_elsewhere(worker.steps)
        if is_interrupted and hooks.stopping is not None:
            hooks.stopping.delivered = True
        return value

    def close(self) -> None:
        """Releases the worker; the next study of this process may take it over."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.alive:
            worker.rest()
        if worker.alive and worker.ready and not _idle:
            _idle.append(worker)
        else:
            worker.end()


_idle: list[Worker] = []


def _idle_worker(limits: WorkerLimits) -> Worker | None:
    while _idle:
        worker = _idle.pop()
        if worker.alive and worker.limits == limits:
            return worker
        worker.end()
    return None


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()
