"""Exceptions of Python and its libraries, as errors with a way to mend."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from hl_dsl.base.errors import HLError


def as_error(error: Exception) -> HLError:
    """What to tell of an exception that no stage expected. HL_TRACEBACK=1 shows where it came from."""
    if os.environ.get("HL_TRACEBACK"):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, RecursionError):
        return HLError("the program is nested too deeply to work with", "name parts of its expressions with `let`")
    if isinstance(error, MemoryError):
        return HLError(
            "there is not enough memory for this",
            "give fewer environments at a time (`--num-envs`), or close other programs",
        )
    if isinstance(error, ImportError):
        return HLError(
            f"a library that this command needs cannot be loaded: {error}",
            "install HL's dependencies again: `pip install --force-reinstall hl-dsl`",
        )
    if isinstance(error, OSError):
        return HLError(
            f"{error.filename or 'a file or pipe'}: {(error.strerror or str(error)).lower()}",
            "check the path, its permissions and the space left",
        )
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = (str(error).splitlines() or [""])[0]
    return HLError(
        f"HL failed where it should not: {type(error).__name__}: {said} ({Path(frame.filename).name}, line {frame.lineno})",
        "this is a defect of HL: please report it with the policy. HL_TRACEBACK=1 shows where it came from",
    )
