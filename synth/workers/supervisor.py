"""Supervisor process: runs a command and kills its whole process tree at the end.

The end is the exit of the command, a request, or the death of the parent.

Usage: `python supervisor.py SPEC COMMAND…`. The script imports nothing from this project.

A study that is killed can no longer kill its processes, so the supervisor runs between them. It is a child subreaper
(Linux): orphaned descendants become its children, even those in sessions of their own. Without /proc only the command's
process group is known. SIGTERM is forwarded to the command's process group. The supervisor ends as the command did.

SPEC is a JSON object:
    parent: Id of the process whose death ends the command.
    control: Socket. A byte on it, or its end, is a request to end. The supervisor writes the number of killed
        descendants to it.
    variables: Environment variables of the command that the supervisor does not have.
    handed: File descriptors for the command.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # options of prctl(2)
_SYS_PROCESS_MRELEASE = 448  # system call number, the same on all newer architectures
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)
_POLL_SECONDS = 0.25  # between checks of the parent
_KILL_SECONDS = 10.0  # for killing a tree that forks faster than it is killed
_KILL_ROUND_SECONDS = 0.002  # pause between attempts


def prctl(option: int, value: int) -> None:
    """Sets an option of this process on Linux; does nothing on other systems."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(argument) for argument in (value, 0, 0, 0)))


def descendants() -> set[int]:
    """Ids of this process's descendants, zombies included."""
    children: dict[int, list[int]] = {}
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return set()
    for name in names:
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(name))
    processes: set[int] = set()
    new = [os.getpid()]
    while new:
        new = [child for parent in new for child in children.get(parent, ()) if child not in processes]
        processes.update(new)
    return processes


def kill_tree(leader: int) -> int:
    """Kills the command's process group, then all other descendants. Returns the number of the others."""
    deadline = time.monotonic() + _KILL_SECONDS
    killed = descendants()
    _signal(os.killpg, leader, signal.SIGKILL)
    while time.monotonic() < deadline:
        remaining = descendants()
        for process in remaining:
            _signal(os.kill, process, signal.SIGKILL)
            _release_memory(process)
        killed |= remaining
        if not _reap():
            break
        time.sleep(_KILL_ROUND_SECONDS)
    return len(killed - {leader})


def _release_memory(process: int) -> None:
    """Frees the memory of a killed process at once (process_mrelease, Linux 5.15).

    The kernel alone can take a second for gigabytes on a busy machine.
    """
    try:
        descriptor = os.pidfd_open(process)
    except (AttributeError, OSError):
        return
    ctypes.CDLL(None).syscall(_SYS_PROCESS_MRELEASE, descriptor, 0)
    os.close(descriptor)


def _signal(send: Callable[[int, int], None], target: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(target, number)


def _reap() -> bool:
    """Waits for children that have ended. Returns whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False


def start(spec: dict[str, Any], command: list[str]) -> int:
    """Starts the command in a session of its own, and returns its id. The kernel kills it when the supervisor dies."""
    supervisor, child = os.getpid(), os.fork()
    if child:
        return child
    _become(spec, command, supervisor)


def _become(spec: dict[str, Any], command: list[str], supervisor: int) -> NoReturn:
    """Turns this child into the command."""
    try:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # kept by exec
        if os.getppid() != supervisor:
            os._exit(1)  # the supervisor died before the call above
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for descriptor in spec["handed"]:
            os.set_inheritable(descriptor, True)
        os.close(spec["control"])
        os.execvpe(command[0], command, {**os.environ, **spec["variables"]})
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    finally:
        os._exit(127)


def supervise(spec: dict[str, Any], child: int, signals: int) -> int | None:
    """Waits until the command exits, the parent dies, or a request arrives.

    Args:
        spec: See the module.
        child: Process id of the command.
        signals: Descriptor from which numbers of received signals are read.

    Returns:
        The command's status, as from `os.waitpid`; None if it still runs.
    """
    while True:
        ready = select.select([spec["control"], signals], [], [], _POLL_SECONDS)[0]
        if spec["control"] in ready or os.getppid() != spec["parent"]:
            return None
        if signals in ready and signal.SIGTERM in os.read(signals, 4096):
            _signal(os.killpg, child, signal.SIGTERM)
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    return ended[1]
        except ChildProcessError:
            return None


def main() -> None:
    """Runs the command line."""
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signals, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in _HANDLED:
        signal.signal(number, lambda *arguments: None)
    child = start(spec, command)
    for descriptor in (0, 1, *spec["handed"]):
        os.close(descriptor)  # only the command holds them, so that readers see when it closes them
    status = supervise(spec, child, signals)
    killed = str(kill_tree(child)).encode()
    with contextlib.suppress(OSError):  # the parent has died
        os.write(spec["control"], killed)
    code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
