"""Deferred interrupts: Ctrl-C waits for a moment at which no result is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from hl_dsl.compiler.backends.frame import Frame
    from hl_dsl.synth.environments.environments import Environments
    from hl_dsl.synth.rollouts.callbacks import OnTick

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DeferredInterrupt:
    """Base class of interrupts that wait for a good moment. This one never comes.

    Attributes:
        was_delivered: Whether the interrupt was let through.
    """

    was_delivered = False

    @property
    def is_pending(self) -> bool:
        """Whether an interrupt waits."""
        return False

    def deliver(self) -> None:
        """Marks a good moment: raises KeyboardInterrupt if an interrupt waits."""

    def at_ticks(self, *callbacks: OnTick | None) -> OnTick:
        """An `on_tick` that lets an interrupt through before it calls `callbacks`.

        At the start of a tick, all steps so far are in the rollout's record.
        """
        called = [on_tick for on_tick in callbacks if on_tick is not None]

        def tick(environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
            if self.is_pending:
                self.deliver()
            for on_tick in called:
                on_tick(environments, frame, actions)

        return tick


class SignalInterrupt(DeferredInterrupt):
    """Interrupt by a signal of this process; see `defer_interrupts`."""

    def __init__(self) -> None:
        self._is_pending = self._is_held = False
        self._number = 0
        self._handlers: dict[int, Callable[[int, FrameType | None], object]] = {}

    @property
    def is_pending(self) -> bool:
        """Whether an interrupt waits."""
        return self._is_pending

    def deliver(self) -> None:
        """Calls the original handler of a signal that waits."""
        if self._is_pending:
            self._is_pending, self.was_delivered = False, True
            self._handlers[self._number](self._number, None)

    def hold(self) -> None:
        """From now on, a second interrupt waits for the end of the block too."""
        self._is_held = True

    def install(self) -> None:
        """Takes over the signals that have a handler of Python."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):  # neither ignored nor the system's default
                self._handlers[number] = handler
        for taken in self._handlers:
            signal.signal(taken, self._receive)

    def restore(self) -> None:
        """Gives the signals back to their handlers."""
        for taken, handler in self._handlers.items():
            signal.signal(taken, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        is_second = self._is_pending
        self._is_pending, self._number = True, number
        if is_second and not self._is_held:
            self.deliver()


class RemoteInterrupt(DeferredInterrupt):
    """Interrupt that another process requests."""

    def __init__(self, is_requested: Callable[[], bool]):
        self._is_requested = is_requested

    @property
    def is_pending(self) -> bool:
        """Whether the other process has requested an interrupt."""
        return self._is_requested()

    def deliver(self) -> None:
        """Raises KeyboardInterrupt if the interrupt was requested."""
        if self.is_pending:
            self.was_delivered = True
            raise KeyboardInterrupt


@contextmanager
def defer_interrupts() -> Iterator[SignalInterrupt]:
    """A block in which a first Ctrl-C waits for `deliver` or for the end of the block. A second one does not wait.

    Outside the main thread, which receives no signals, it has no effect.
    """
    interrupt = SignalInterrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    try:
        interrupt.install()
        yield interrupt
    finally:
        interrupt.restore()
    interrupt.deliver()
