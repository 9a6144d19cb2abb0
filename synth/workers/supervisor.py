"""Runs a command, and ends with it all that came of it: when the command ends, when it is told to, and when its own parent ends.

A program of its own, `python keeper.py SPEC COMMAND…`, without imports from this project. It stands between a study and what
the study runs, because a study that is killed can end nothing any more: whatever flees to a session of its own becomes a child
of the keeper once its parent ends (Linux's child subreaper), so none is lost. SPEC is a JSON object: `parent`, the process id
that must stay; `told`, a socket on which a byte, or its end, means the end, and which is told how many had to be ended after
the command itself; `variables`, added to the command's
environment and not to the keeper's; `handed`, descriptors for the command. SIGTERM is passed on to the command's group. It ends as
the command did. Where there is no /proc, only the command's group is known.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time

_PDEATHSIG, _SUBREAPER = 1, 36  # of prctl
_RELEASE = 448  # the system call process_mrelease, the same number on all newer architectures
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)
_LOOK = 0.25  # seconds between looks at the parent
_LONGEST_END = 10.0  # seconds; whoever forks faster than it is ended gets no more


def prctl(option: int, value: int) -> None:
    """Linux's call of that name; nothing elsewhere."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(one) for one in (value, 0, 0, 0)))


def descendants() -> set[int]:
    """All processes that come of this one, and have not been waited for."""
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
    found: set[int] = set()
    new = [os.getpid()]
    while new:
        new = [child for one in new for child in children.get(one, ()) if child not in found]
        found.update(new)
    return found


def end_all(leader: int) -> int:
    """Ends the command's group at once, then whatever is left; how many there were."""
    over = time.monotonic() + _LONGEST_END
    ended = descendants()
    _signal(os.killpg, leader, signal.SIGKILL)
    while time.monotonic() < over:
        for one in (left := descendants()):
            _signal(os.kill, one, signal.SIGKILL)
            _release(one)
        ended |= left
        if not _reap():
            break
        time.sleep(0.002)
    return len(ended - {leader})


def _release(process: int) -> None:
    """Helps a process that is ending to give back its memory: gigabytes take it a second on a busy machine. Where the kernel
    cannot, it does so alone."""
    try:
        descriptor = os.pidfd_open(process)
    except (AttributeError, OSError):
        return
    ctypes.CDLL(None).syscall(_RELEASE, descriptor, 0)
    os.close(descriptor)


def _signal(send, target: int, number: int) -> None:
    try:
        send(target, number)
    except (ProcessLookupError, PermissionError):
        pass


def _reap() -> bool:
    """Waits for those that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False


def start(spec: dict, command: list[str]) -> int:
    """The process id of the command, in a session of its own. It ends with the keeper."""
    keeper, child = os.getpid(), os.fork()
    if child:
        return child
    try:
        prctl(_PDEATHSIG, signal.SIGKILL)  # an exec keeps it
        if os.getppid() != keeper:
            os._exit(1)  # it ended before it could take this one along
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for descriptor in spec["handed"]:
            os.set_inheritable(descriptor, True)
        os.close(spec["told"])
        os.execvpe(command[0], command, {**os.environ, **spec["variables"]})
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    finally:
        os._exit(127)


def keep(spec: dict, child: int, awake: int) -> int | None:
    """Waits for one of the ends; how the command ended, as `os.waitpid` tells, or None where it was still going on."""
    while True:
        ready = select.select([spec["told"], awake], [], [], _LOOK)[0]
        if spec["told"] in ready or os.getppid() != spec["parent"]:
            return None
        if awake in ready and signal.SIGTERM in os.read(awake, 4096):
            _signal(os.killpg, child, signal.SIGTERM)
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    return ended[1]
        except ChildProcessError:
            return None


def main() -> None:
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    prctl(_SUBREAPER, 1)
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in _HANDLED:
        signal.signal(number, lambda *signalled: None)
    child = start(spec, command)
    for descriptor in (0, 1, *spec["handed"]):
        os.close(descriptor)  # the command's; an end of it is to be seen
    status = keep(spec, child, awake)
    ended = str(end_all(child)).encode()
    try:
        os.write(spec["told"], ended)
    except OSError:
        pass  # nobody is there to be told
    code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
