"""Handling of interrupts: the command ends with exit code 130 and one line on stderr, without a traceback.

A termination signal (SIGTERM) ends it likewise, with exit code 143. A signal that the caller set to be ignored stays
ignored. The state is held by the signal handler that this module installs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MESSAGE = b"interrupted\n"
_RESEND_SECONDS = 0.01  # long enough for the interpreter to leave the callback that lost the interrupt


class SignalHandler:
    """The installed handler of the interrupt and termination signals.

    Attributes:
        action: Called with the signal's number.
        first: Number of the first signal that raised KeyboardInterrupt, or None.
    """

    def __init__(self, action: Callable[[int], None]):
        self.action = action
        self.first: int | None = None

    def __call__(self, number: int, frame: object) -> None:
        """Handles a signal."""
        self.action(number)

    def interrupt(self, number: int) -> None:
        """Raises KeyboardInterrupt in the main thread."""
        self.first = self.first or number
        raise KeyboardInterrupt


def exit_on_signal() -> None:
    """Makes signals end the process at once, for stretches in which there is nothing to save."""
    _install(_exit)


def raise_on_signal() -> None:
    """Makes signals raise KeyboardInterrupt in the main thread, so that open files are closed."""
    handler = _install(_exit)
    handler.action = handler.interrupt
    sys.unraisablehook = _resend_interrupt


def exit_quietly_on_signal(code: int) -> None:
    """Makes signals end the process with `code`: the command is done, and the interpreter is shutting down."""
    _install(lambda number: os._exit(code))


def has_interrupt() -> bool:
    """Returns true if a signal has raised KeyboardInterrupt."""
    handler = _installed()
    return handler is not None and handler.first is not None


def exit_code(code: int) -> int:
    """Returns `code`; for an interrupted command, the exit code of the signal that interrupted it."""
    handler = _installed()
    return 128 + handler.first if code == INTERRUPTED and handler is not None and handler.first is not None else code


def _exit(number: int) -> None:
    try:
        os.write(2, _MESSAGE)
    finally:
        os._exit(128 + number)


def _installed() -> SignalHandler | None:
    handlers = (signal.getsignal(number) for number in SIGNALS)
    return next((handler for handler in handlers if isinstance(handler, SignalHandler)), None)


def _install(action: Callable[[int], None]) -> SignalHandler:
    """Installs the handler where a signal is not ignored; a handler that is installed keeps its state."""
    handler = _installed() or SignalHandler(action)
    handler.action = action
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
    return handler


def _resend_interrupt(problem: sys.UnraisableHookArgs) -> None:
    """Sends an interrupt again that Python drops because it is raised in a destructor or in a callback from C."""
    if problem.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(problem)
        return
    import threading

    threading.Timer(_RESEND_SECONDS, os.kill, (os.getpid(), signal.SIGINT)).start()
