"""Runs a command so that it can write in a few folders only, and can signal only its own.

A program of its own, `python fence.py SPEC COMMAND…`, without imports from this project: it becomes the command. SPEC is a
JSON object: `writable`, a list of paths, or null for no fence. The fence is Linux's Landlock; where the kernel has none the
command runs without, which `available()` tells beforehand.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same numbers on all newer architectures
_NO_NEW_PRIVILEGES = 38  # of prctl
_WRITE_FILE = 1 << 1
_MAKING = sum(1 << bit for bit in range(4, 13))  # remove and make whatever there is in a folder
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_SIGNALS = 1 << 1  # a scope: no signals to those outside
_ALWAYS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts")


def available() -> int:
    """The version of Landlock that the kernel has; 0 for none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, ctypes.CDLL(None).syscall(_CREATE, None, ctypes.c_size_t(0), 1))


def restrict(writable: list[str]) -> None:
    """From here on this process, and all that come of it, write beneath `writable` only. Raises OSError."""
    version = available()
    rights = _WRITE_FILE | _MAKING | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    of_files = rights & (_WRITE_FILE | _TRUNCATE)
    rules = (ctypes.c_uint64 * 3)(rights, 0, _SIGNALS if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _call(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    for path in (*writable, *_ALWAYS):
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = rights if os.path.isdir(path) else of_files
        beneath = ctypes.create_string_buffer(
            allowed.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder), 12
        )
        _call(_ADD, ruleset, 1, beneath, 0)
        os.close(descriptor)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, *(ctypes.c_ulong(value) for value in (1, 0, 0, 0)))
    _call(_RESTRICT, ruleset, 0)
    os.close(ruleset)


def _call(number: int, *arguments) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main() -> None:
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux") and spec["writable"] is not None:
        restrict(spec["writable"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
