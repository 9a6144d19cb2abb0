"""What Ctrl-C does: the command ends with exit code 130 and one line, whatever it was doing, and never with a traceback.

A termination signal does the same with exit code 143. A signal that whoever started the command had ignored stays so.
"""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = b"interrupted\n"

_first: int | None = None


def leave_at_once() -> None:
    """From here on a signal ends the process on the spot. For stretches in which there is nothing to lose."""

    def leave(number: int, frame: object) -> None:
        try:
            os.write(2, _SAID)
        finally:
            os._exit(128 + number)

    _set(leave)


def raise_from_now_on() -> None:
    """From here on a signal raises KeyboardInterrupt in the main thread, so that what is open is closed."""
    _set(_interrupt)
    sys.unraisablehook = _not_lost


def end_quietly(code: int) -> None:
    """From here on a signal ends the process with `code`: the command is done, only the interpreter is winding up."""
    _set(lambda number, frame: os._exit(code))


def came() -> bool:
    """Whether a signal has come."""
    return _first is not None


def exit_code(code: int) -> int:
    """`code`, but for a command that was interrupted the one its signal asks for."""
    return 128 + _first if code == INTERRUPTED and _first is not None else code


def _set(handler) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:
    global _first
    _first = _first or number
    raise KeyboardInterrupt


def _not_lost(problem) -> None:
    """Python drops what is raised while an object is deleted, or in a callback from C. An interrupt is sent again."""
    if problem.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(problem)
        return
    import threading

    threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
