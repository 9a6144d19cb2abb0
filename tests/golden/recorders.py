"""Recorders of golden outputs: for each folder, the function from a program file to the text next to it.

The folders `verdicts/` and `late/` have no recorder: the folder of a program is its expected verdict, and
`tests/verify/test_verdicts.py` and `tests/verify/test_late_violations.py` check it under several configurations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.program import Program
from tests.support.paths import GOLDEN


def _load(path: Path) -> Program:
    return Program.from_source(SourceText(path.read_text(encoding="utf-8"), path.name))


def message(path: Path) -> str:
    """The message for a program with a mistake."""
    try:
        _load(path)
    except ProgramError as error:
        return f"{error.message}\n"
    return "no mistake was found\n"


# Each folder of tests/golden with recorded outputs, and the function that records one.
RECORDERS: dict[str, Callable[[Path], str]] = {
    "diagnostics": message,
    "format": lambda path: _load(path).text,
    "explain": lambda path: _load(path).explain().rstrip() + "\n",
    "export": lambda path: _load(path).export(),
}
SUFFIXES = {"diagnostics": ".txt", "format": ".expected", "explain": ".txt", "export": ".py.txt"}


def cases() -> Iterator[tuple[str, Path, Path]]:
    """Folder, program and recorded output of every case."""
    for folder in RECORDERS:
        for path in sorted((GOLDEN / folder).glob("*.hl")):
            yield folder, path, path.with_suffix(SUFFIXES[folder])
