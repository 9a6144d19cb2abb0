"""Where a study plays: in this process, or in a worker.

What is played is a function that can be named, called with its own arguments and four hooks: `before_step(steps)`, told
before each step how many will then have been taken; `stop()`, whether to leave everything as it is; `stopping`, an interrupt
that waits for the next tick; `on_progress(steps)`. What it gives back has `interrupted_too()`, itself as an interrupt
leaves it.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

from hl_dsl.synth.environments.environments import count_elsewhere
from hl_dsl.synth.workers.limits import WorkerLimits
from hl_dsl.synth.workers.worker import Worker


class InProcessExecutor:
    """Plays in this process: whatever hangs or dies, hangs or dies with it."""

    def run(
        self,
        function: Callable,
        *arguments: Any,
        before_step=None,
        stop=None,
        stopping=None,
        on_progress=None,
        **options: Any,
    ) -> Any:
        """What the function comes to."""
        return function(
            *arguments,
            **options,
            before_step=before_step or (lambda steps: None),
            stop=stop or (lambda: False),
            stopping=stopping,
            on_progress=on_progress,
        )

    def close(self) -> None:
        """Nothing is to be let go."""


class WorkerExecutor:
    """Plays in a worker that is started when it is first needed, serves until `close`, and is replaced where it was ended."""

    def __init__(self, limits: WorkerLimits | None = None):
        self.limits = limits or WorkerLimits()
        self._worker: Worker | None = None

    def run(
        self,
        function: Callable,
        *arguments: Any,
        before_step=None,
        stop=None,
        stopping=None,
        on_progress=None,
        **options: Any,
    ) -> Any:
        """What the function comes to, bit for bit as in this process. An interrupt ends it at its next tick. Raises
        EvaluatorFailed, after which nothing is left of that worker, and HLError where the function does.

        The steps it takes count as taken by this process. The function, its arguments and `before_step` travel there.
        """
        if self._worker is None or not self._worker.alive:
            self.close()
            self._worker = _idle_worker(self.limits) or Worker(self.limits)
        worker = self._worker
        try:
            value, interrupted = worker.call(function, arguments, options, before_step, stop, stopping, on_progress)
        finally:
            count_elsewhere(worker.steps)
        return value.interrupted_too() if interrupted else value

    def close(self) -> None:
        """Lets the worker go; the next study of this process may have it."""
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
