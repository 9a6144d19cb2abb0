"""Processes that descend from one command, found by a marked environment variable.

Descendants inherit the variable, even in a session of their own. Without /proc none is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_ROUNDS = 40  # attempts to kill processes that keep forking
_ROUND_SECONDS = 0.02  # pause between attempts
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def find_marked(variable: str, mark: str) -> set[int]:
    """Ids of the other processes in whose environment `variable` is `mark`."""
    entry = f"{variable}={mark}".encode()
    processes = set()
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if entry in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    processes.add(int(name))
    return processes


def kill_marked(variable: str, mark: str) -> int:
    """Kills the processes that `find_marked` finds. Returns their number."""
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        processes = find_marked(variable, mark)
        if not processes:
            break
        for process in processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        killed |= processes
        time.sleep(_ROUND_SECONDS)
    return len(killed)


def resident_bytes(process: int) -> int:
    """Resident memory of a process; 0 if it is not known."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
