"""Cache folder: `$HL_CACHE`, else the platform's folder for caches."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Returns the folder, which need not exist. Raises RuntimeError if there is no home folder."""
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
    """Returns the path of a file in the folder, and creates the folder; None if it cannot be created."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return str(folder / name)
