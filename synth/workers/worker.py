"""Client of a worker process: sends requests, watches their use of resources, and ends workers that exceed a limit."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.workers import worker_main
from hl_dsl.synth.workers.limits import GIB, EvaluatorFailed, FailureKind, WorkerLimits
from hl_dsl.synth.workers.messages import Inbox, pack
from hl_dsl.synth.workers.process_tree import find_marked, resident_bytes
from hl_dsl.synth.workers.shared_counters import SharedCounters
from hl_dsl.synth.workers.supervised_process import SupervisedProcess

MARK = "HL_WORKER"  # environment variable that marks a worker and its descendants
_POLL_SECONDS = 0.05  # between checks of the worker
_COUNT_SECONDS = 0.25  # between counts of its processes
_INTERRUPT_SECONDS = 5.0  # for a worker to stop at a tick after an interrupt, or to exit
_STDERR_BYTES = 2_000  # kept of the end of its standard error


class Worker:
    """A supervised process that runs one request at a time.

    Attributes:
        limits: What it may use.
        is_ready: Whether it has started completely.
        counters: Memory shared with it.

    Raises:
        HLError: No process can be started.
    """

    def __init__(self, limits: WorkerLimits):
        self.limits, self.is_ready = limits, False
        self._mark, self._request, self._stderr_tail = secrets.token_hex(16), 0, bytearray()
        self._outgoing = memoryview(b"")
        self._last_steps = 0
        try:
            self.counters = SharedCounters.create()
            self._channel, theirs = socket.socketpair()
            spec = {
                "memory": limits.memory,
                "path": [os.path.abspath(folder) for folder in sys.path],
                "channel": theirs.fileno(),
                "counters": self.counters.descriptor,
            }
            self._supervised = SupervisedProcess(
                [sys.executable, "-P", worker_main.__file__, json.dumps(spec)],
                MARK,
                self._mark,
                os.environ,
                (theirs.fileno(), self.counters.descriptor),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise HLError(
                f"the evaluator's process cannot be started: {error.strerror}",
                "free some memory or processes, or play in this process: --in-process",
            ) from error
        theirs.close()
        self._process = self._supervised.process
        assert self._process.stderr is not None
        self._stderr = self._process.stderr
        self._channel.setblocking(False)
        os.set_blocking(self._stderr.fileno(), False)
        self._inbox = Inbox(self._channel)
        self._selector: selectors.BaseSelector | None = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    @property
    def steps(self) -> int:
        """Environment steps of the last request."""
        return self._last_steps if self._selector is None else self.counters.steps

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any], hooks: ExecutionHooks
    ) -> tuple[Any, bool]:
        """Runs `function(*arguments, hooks=…, **options)` in the worker.

        After any exception other than HLError the worker has ended.

        Returns:
            The function's result, and whether an interrupt arrived meanwhile.

        Raises:
            EvaluatorFailed: The worker did not return a result.
            HLError: The function raised it.
        """
        self._request += 1
        self.counters.steps = 0
        request = {
            "number": self._request,
            "function": function,
            "arguments": arguments,
            "options": options,
            "before_step": hooks.before_step,
        }
        self._outgoing = memoryview(pack(request))
        monitor = _RequestMonitor(self)
        try:
            while True:
                try:
                    for kind, value in self._exchange():
                        if kind == worker_main.READY:
                            self.is_ready = True
                            monitor.note_progress()
                        elif kind == worker_main.PROGRESS:
                            if hooks.on_progress is not None:
                                hooks.on_progress(value)
                        else:
                            return self._result(kind, value), monitor.is_interrupted
                    if hooks.interrupt is not None and hooks.interrupt.is_pending:
                        hooks.interrupt.deliver()
                    if hooks.stop is not None and hooks.stop():
                        self.counters.abandoned_request = self._request
                    monitor.check()
                except KeyboardInterrupt:
                    monitor.note_interrupt()
                    self.counters.interrupted_request = self._request
        except HLError:
            raise
        except BaseException:
            self.end()
            raise

    def _exchange(self) -> list[tuple]:
        """Sends and receives what is possible, after a short wait. Returns the answers to the current request."""
        assert self._selector is not None
        writes = selectors.EVENT_WRITE if self._outgoing else 0
        self._selector.modify(self._channel, selectors.EVENT_READ | writes)
        is_open = True
        for key, events in self._selector.select(_POLL_SECONDS):
            if key.fileobj is not self._channel:
                self._read_stderr()
                continue
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if events & selectors.EVENT_WRITE and self._outgoing:
                    self._outgoing = self._outgoing[self._channel.send(self._outgoing) :]
            if events & selectors.EVENT_READ:
                is_open = self._inbox.receive()
        answers = [message[1:] for message in self._inbox.messages() if message[0] in (0, self._request)]
        if not is_open and not answers:
            raise self.failed(FailureKind.DIED, self.cause_of_death())
        return answers

    def _read_stderr(self) -> None:
        assert self._selector is not None
        with contextlib.suppress(BlockingIOError):
            piece = os.read(self._stderr.fileno(), 65_536)
            if not piece:
                self._selector.unregister(self._stderr)
            self._stderr_tail += piece
            del self._stderr_tail[:-_STDERR_BYTES]

    def _result(self, kind: str, value: Any) -> Any:
        if kind == worker_main.REFUSED:
            raise HLError(*value)
        if kind == worker_main.RAISED:
            reason, where = value
            raise self.failed(FailureKind.MEMORY if "MemoryError" in reason else FailureKind.RAISED, reason, where)
        return value

    def failed(self, outcome: FailureKind, reason: str, where: str = "") -> EvaluatorFailed:
        """The error of the current request."""
        return EvaluatorFailed(outcome, reason, self.counters.steps, where)

    def cause_of_death(self) -> str:
        """Why the worker's process ended, with the last line of its standard error."""
        try:
            code = self._process.wait(_INTERRUPT_SECONDS)
        except subprocess.TimeoutExpired:
            return "the evaluator closed its channel"
        with contextlib.suppress(KeyError, ValueError):
            if self._selector is not None and self._selector.get_key(self._stderr):
                self._read_stderr()
        last = self._stderr_tail.decode("utf-8", "replace").strip().splitlines()[-1:]
        how = f"of {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"the evaluator died {how}" + (f": {last[0]}" if last and code >= 0 else "")

    def processes(self) -> set[int]:
        """Ids of the worker's process and its descendants."""
        return find_marked(MARK, self._mark)

    def park(self) -> None:
        """Prepares the worker for another study: ends it if processes that it started still run."""
        if self.is_alive and len(self.processes()) > 1:
            self.end()

    def end(self) -> None:
        """Kills the worker and its descendants. Safe to repeat."""
        self._supervised.end()
        if self._selector is not None:
            self._last_steps = self.counters.steps
            self._selector.close()
            self._channel.close()
            self._stderr.close()
            self.counters.close()
            self._selector = None


class _RequestMonitor:
    """Checks one request: time since its last step, memory, processes, and time since an interrupt."""

    def __init__(self, worker: Worker):
        self.worker = worker
        self._steps, self._counted_at = 0, time.monotonic()
        self._interrupted_at: float | None = None
        self._processes: set[int] = set()
        self.note_progress()

    @property
    def is_interrupted(self) -> bool:
        """Whether an interrupt arrived during the request."""
        return self._interrupted_at is not None

    def note_progress(self) -> None:
        """Restarts the clock of the step limit."""
        self._progress_at = time.monotonic()

    def note_interrupt(self) -> None:
        """Starts the clock of the interrupt; a second interrupt raises EvaluatorFailed."""
        if self._interrupted_at is not None:
            raise self.worker.failed(FailureKind.INTERRUPTED, "the evaluator was interrupted twice")
        self._interrupted_at = time.monotonic()

    def check(self) -> None:
        """Raises EvaluatorFailed if the worker died or exceeded a limit."""
        worker, limits, now = self.worker, self.worker.limits, time.monotonic()
        if worker.counters.steps != self._steps:
            self._steps = worker.counters.steps
            self.note_progress()
        if not worker.is_alive:  # a fork of it may keep the channel open
            raise worker.failed(FailureKind.DIED, worker.cause_of_death())
        allowed = limits.seconds if worker.is_ready else limits.start_seconds
        if now - self._progress_at > allowed:
            raise worker.failed(FailureKind.HUNG, f"the evaluator took no step in {allowed:g} seconds and was ended")
        if self._interrupted_at is not None and now - self._interrupted_at > _INTERRUPT_SECONDS:
            raise worker.failed(FailureKind.INTERRUPTED, "the evaluator did not stop when it was interrupted")
        if now - self._counted_at > _COUNT_SECONDS:
            self._processes, self._counted_at = worker.processes(), now
        if len(self._processes) > limits.processes:
            raise worker.failed(
                FailureKind.PROCESSES,
                f"the evaluator was {len(self._processes)} processes, {limits.processes} are allowed, and was ended",
            )
        memory = sum(map(resident_bytes, self._processes))
        if memory > limits.memory:
            held, allowed_memory = memory / GIB, limits.memory / GIB
            raise worker.failed(
                FailureKind.MEMORY,
                f"the evaluator held {held:.1f} GiB of memory, {allowed_memory:g} are allowed, and was ended",
            )
