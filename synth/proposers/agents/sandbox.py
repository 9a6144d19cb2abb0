"""Sandbox: runs a command that can write in given folders only and can signal only its own processes.

This file is a program, `python sandbox.py SPEC COMMAND…`, and imports nothing from this project. It replaces itself
with the command. SPEC is a JSON object: `writable` is a list of paths, or null for no sandbox. The sandbox is Linux's
Landlock. A kernel without Landlock runs the command unrestricted, so the caller must use `available()` first.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

# Numbers from linux/landlock.h and the generic system call table.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVILEGES = 38  # option of prctl
_WRITE_FILE = 1 << 1
_MODIFY_FOLDER = sum(1 << bit for bit in range(4, 13))  # rights to create and remove entries of all types
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_SCOPE_SIGNALS = 1 << 1  # no signals to processes outside the sandbox
_ALWAYS_WRITABLE = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts")


def available() -> int:
    """Returns the kernel's version of Landlock; 0 if it has none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def restrict(writable: list[str]) -> None:
    """Restricts the writes of this process and its future children to paths beneath `writable`. Raises OSError."""
    version = available()
    rights = _WRITE_FILE | _MODIFY_FOLDER | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    file_rights = rights & (_WRITE_FILE | _TRUNCATE)
    attributes = (ctypes.c_uint64 * 3)(rights, 0, _SCOPE_SIGNALS if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24  # bytes of the attributes that this version knows
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    for path in (*writable, *_ALWAYS_WRITABLE):
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = rights if os.path.isdir(path) else file_rights
        rule = allowed.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
        _call(_ADD_RULE, ruleset, 1, ctypes.create_string_buffer(rule, 12), 0)
        os.close(descriptor)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, *(ctypes.c_ulong(value) for value in (1, 0, 0, 0)))
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main() -> None:
    """Restricts this process and replaces it with the command."""
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux") and spec["writable"] is not None:
        restrict(spec["writable"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
