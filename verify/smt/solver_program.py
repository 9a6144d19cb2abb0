"""The z3 program: where it is, and what identifies its version."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path


def solver_path() -> str | None:
    """Returns the `z3` program of the environment that runs HL, or else the one on the PATH."""
    for folder in (sysconfig.get_path("scripts"), os.environ.get("PATH")):
        path = shutil.which("z3", path=folder)
        if path:
            return str(Path(path))
    return None


def identify_program(path: str | None) -> str:
    """Returns a text that identifies the program without starting it. A new version is a new file."""
    try:
        status = os.stat(path or "")
    except OSError:
        return "none"
    return f"{os.path.realpath(path or '')} {status.st_size} {status.st_mtime_ns}"
