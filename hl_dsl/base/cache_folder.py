"""Where what was computed once is kept for the next process: `$HL_CACHE`, else the platform's cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which need not exist. Raises RuntimeError where there is no home folder."""
    if os.environ.get("HL_CACHE"):
        return Path(os.environ["HL_CACHE"])
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hl"


def cache_file(name: str) -> str | None:
    """The path of a file in the folder, which is made; None where nothing can be kept."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return str(folder / name)
