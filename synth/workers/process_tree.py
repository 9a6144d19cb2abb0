"""Processes that belong together: what they hold, and how to end them all.

They are known by a variable of the environment in which the first of them was started: whatever session one flees to, it
has it still. Where there is no /proc only the group is known.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_ROUNDS = 40
_PAGE = os.sysconf("SC_PAGE_SIZE")


def marked(variable: str, mark: str) -> set[int]:
    """The processes that carry the mark, this one left out."""
    sought = f"{variable}={mark}".encode()
    found = set()
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if sought in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.add(int(name))
    return found


def end_marked(variable: str, mark: str) -> int:
    """Ends every process that carries the mark; says how many there were."""
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = marked(variable, mark)
        if not found:
            break
        for one in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        ended |= found
        time.sleep(0.02)
    return len(ended)


def resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 where that is not known."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
