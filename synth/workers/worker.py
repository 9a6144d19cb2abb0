"""The parent's side of a worker: it asks, watches, and ends what takes too much."""

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

from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.workers import worker_main
from hl_dsl.synth.workers.limits import GIB, EvaluatorFailed, WorkerLimits
from hl_dsl.synth.workers.messages import Inbox, packed
from hl_dsl.synth.workers.process_tree import marked, resident
from hl_dsl.synth.workers.shared_counters import SharedCounters
from hl_dsl.synth.workers.supervised_process import SupervisedProcess

from hl_dsl.base.errors import HLError

MARK = "HL_WORKER"
_LOOK = 0.05  # seconds between looks at the worker
_COUNT = 0.25  # seconds between looks at what it started
_PATIENCE = 5.0  # seconds that a worker has to end at a tick once it was asked to
_KEPT = 2_000  # bytes of what it said on stderr


class Worker:
    """A process under a keeper that plays what it is asked to. Raises HLError where none can be started."""

    def __init__(self, limits: WorkerLimits):
        self.limits, self.ready = limits, False
        self._mark, self._number, self._said = secrets.token_hex(16), 0, bytearray()
        try:
            self.board = SharedCounters.make()
            self._channel, theirs = socket.socketpair()
            spec = {
                "memory": limits.memory,
                "path": [os.path.abspath(one) for one in sys.path],
                "channel": theirs.fileno(),
                "board": self.board.descriptor,
            }
            self._kept = SupervisedProcess(
                [sys.executable, "-P", worker_main.__file__, json.dumps(spec)],
                MARK,
                self._mark,
                os.environ,
                (theirs.fileno(), self.board.descriptor),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            self._process = self._kept.process
        except OSError as error:
            raise HLError(
                f"no process for the evaluator can be started: {error.strerror}",
                "free some memory or processes, or play in this process: --in-process",
            ) from error
        theirs.close()
        self._channel.setblocking(False)
        os.set_blocking(self._process.stderr.fileno(), False)
        self._inbox = Inbox(self._channel)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._process.stderr, selectors.EVENT_READ)

    @property
    def steps(self) -> int:
        """Steps counted in the last request."""
        return self._last_steps if self._selector is None else self.board.steps

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(
        self,
        function: Callable,
        arguments: tuple,
        options: dict[str, Any],
        hooks: ExecutionHooks,
    ) -> tuple[Any, bool]:
        """What the function comes to in the worker, and whether an interrupt came meanwhile (see `WorkerExecutor.run`).

        Raises EvaluatorFailed, and what the function raised as HLError. Where anything is raised but an HLError, the worker is
        no more.
        """
        self._number += 1
        self.board.steps = 0
        request = {
            "number": self._number,
            "function": function,
            "arguments": arguments,
            "options": options,
            "before_step": hooks.before_step,
        }
        self._outgoing = memoryview(packed(request))
        watch = _Watch(self)
        try:
            while True:
                try:
                    for kind, value in self._exchange():
                        if kind == worker_main.READY:
                            self.ready = True
                            watch.moved()
                        elif kind == worker_main.PROGRESS:
                            if hooks.on_progress is not None:
                                hooks.on_progress(value)
                        else:
                            return self._result(kind, value), watch.asked_at is not None
                    if hooks.stopping is not None and hooks.stopping.asked:
                        hooks.stopping.here()
                    if hooks.stop is not None and hooks.stop():
                        self.board.leave = self._number
                    watch.look()
                except KeyboardInterrupt:
                    watch.interrupted()
                    self.board.stop = self._number
        except HLError:
            raise
        except BaseException:
            self.end()
            raise

    def _exchange(self) -> list[tuple]:
        """Sends and receives what can be, waiting a little where there is nothing; the answers to the request under way."""
        writes = selectors.EVENT_WRITE if self._outgoing else 0
        self._selector.modify(self._channel, selectors.EVENT_READ | writes)
        going = True
        for key, events in self._selector.select(_LOOK):
            if key.fileobj is not self._channel:
                self._listen()
                continue
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if events & selectors.EVENT_WRITE and self._outgoing:
                    self._outgoing = self._outgoing[self._channel.send(self._outgoing) :]
            if events & selectors.EVENT_READ:
                going = self._inbox.receive()
        found = [message[1:] for message in self._inbox.messages() if message[0] in (0, self._number)]
        if not going and not found:
            raise self._failed("died", self._cause_of_death())
        return found

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            piece = os.read(self._process.stderr.fileno(), 65_536)
            if not piece:
                self._selector.unregister(self._process.stderr)
            self._said += piece
            del self._said[:-_KEPT]

    def _result(self, kind: str, value: Any) -> Any:
        if kind == worker_main.REFUSED:
            raise HLError(*value)
        if kind == worker_main.RAISED:
            says, where = value
            raise self._failed("memory" if "MemoryError" in says else "raised", says, where)
        return value

    def _failed(self, outcome: str, says: str, where: str = "") -> EvaluatorFailed:
        return EvaluatorFailed(outcome, says, self.board.steps, where)

    def _cause_of_death(self) -> str:
        try:
            code = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return "the evaluator closed its channel"
        self._listen_to_the_end()
        last = self._said.decode("utf-8", "replace").strip().splitlines()[-1:]
        how = f"of {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"the evaluator died {how}" + (f": {last[0]}" if last and code >= 0 else "")

    def _listen_to_the_end(self) -> None:
        with contextlib.suppress(KeyError, ValueError):
            if self._selector.get_key(self._process.stderr):
                self._listen()

    def rest(self) -> None:
        """After its last request for now: where it started others, all of them end."""
        if len(marked(MARK, self._mark)) > 1:
            self.end()

    def end(self) -> None:
        """Ends it, with all it started. Harmless when it has ended."""
        self._kept.end()
        if self._selector is not None:
            self._last_steps = self.board.steps
            self._selector.close()
            self._channel.close()
            self._process.stderr.close()
            self.board.close()
            self._selector = None


class _Watch:
    """Over one request: the time since the last step, memory, processes."""

    def __init__(self, worker: Worker):
        self.worker, self.asked_at = worker, None
        self._steps, self._counted = 0, time.monotonic()
        self._all: set[int] = set()
        self.moved()

    def moved(self) -> None:
        self._moved = time.monotonic()

    def interrupted(self) -> None:
        if self.asked_at is not None:
            raise self.worker._failed("interrupted", "the evaluator was interrupted twice")
        self.asked_at = time.monotonic()

    def look(self) -> None:
        """Raises EvaluatorFailed where a limit is passed."""
        worker, limits, now = self.worker, self.worker.limits, time.monotonic()
        if worker.board.steps != self._steps:
            self._steps = worker.board.steps
            self.moved()
        if not worker.alive:  # a copy of it may hold the channel still
            raise worker._failed("died", worker._cause_of_death())
        allowed = limits.seconds if worker.ready else limits.start_seconds
        if now - self._moved > allowed:
            raise worker._failed("hung", f"the evaluator took no step in {allowed:g} seconds and was ended")
        if self.asked_at is not None and now - self.asked_at > _PATIENCE:
            raise worker._failed("interrupted", "the evaluator did not stop when it was interrupted")
        if now - self._counted > _COUNT:
            self._all, self._counted = marked(MARK, worker._mark), now
        if len(self._all) > limits.processes:
            raise worker._failed(
                "processes",
                f"the evaluator was {len(self._all)} processes, {limits.processes} are allowed, and was ended",
            )
        memory = sum(map(resident, self._all))
        if memory > limits.memory:
            raise worker._failed(
                "memory",
                f"the evaluator held {memory / GIB:.1f} GiB of memory, {limits.memory / GIB:g} are allowed, and was ended",
            )
