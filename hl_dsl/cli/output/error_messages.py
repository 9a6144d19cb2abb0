"""Exceptions of Python and its libraries as errors with a hint."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from hl_dsl.base.errors import HLError


def as_error(error: BaseException) -> HLError:
    """Converts an exception that no stage expected. With HL_TRACEBACK=1, also prints its traceback."""
    if os.environ.get("HL_TRACEBACK"):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, RecursionError):
        return HLError("the program is nested too deeply", "name parts of its expressions with `let`")
    if isinstance(error, MemoryError):
        return HLError(
            "there is not enough memory for this",
            "use fewer environments at a time (`--num-envs`), or close other programs",
        )
    if isinstance(error, ImportError):
        return HLError(
            f"a library that this command needs cannot be loaded: {error}",
            "install HL's dependencies again: `pip install --force-reinstall hl-dsl`",
        )
    if isinstance(error, OSError):
        return HLError(
            f"{error.filename or 'a file or pipe'}: {(error.strerror or str(error)).lower()}",
            "check the path, its permissions and the free space",
        )
    frame = traceback.extract_tb(error.__traceback__)[-1]
    message = (str(error).splitlines() or [""])[0]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return HLError(
        f"internal error: {type(error).__name__}: {message} ({place})",
        "this is a defect of HL: report it with the policy. HL_TRACEBACK=1 prints the traceback",
    )
