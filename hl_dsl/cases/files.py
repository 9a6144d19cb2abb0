"""Files of stored cases: reading, writing and removing them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, write_whole
from hl_dsl.base.json_values import plain
from hl_dsl.cases.documents import InvalidDocument, case_document, case_from_document
from hl_dsl.cases.records import CounterexampleCase, StoredCase

FOLDER = "regressions"  # folder of the cases of a policy, next to its file
_HINT = "write cases with `hl regress add` or `hl verify FILE --save-trace PATH`"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class InvalidCase(HLError):
    """A file that is not a case, or a case that does not fit the program or the environment."""


def read_case(path: Path) -> StoredCase:
    """Reads a case. Raises InvalidCase."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidCase(f"cannot read {path}: {(error.strerror or str(error)).lower()}", _HINT) from None
    except (ValueError, RecursionError):
        raise InvalidCase(f"{path} is not a JSON document", _HINT) from None
    try:
        return case_from_document(document, path.stem)
    except InvalidDocument as problem:
        raise InvalidCase(f"{path} is not a case: {problem}", _HINT) from None


def read_counterexample(path: Path) -> CounterexampleCase:
    """Reads a case that must be a counterexample. Raises InvalidCase."""
    case = read_case(path)
    if not isinstance(case, CounterexampleCase):
        raise InvalidCase(f"{path} is a case of an episode, not a counterexample", "run it with `hl regress`")
    return case


def save_case(path: Path, case: StoredCase) -> Path:
    """Writes a case to a file, over an existing one. Creates the folder.

    Raises:
        InvalidCase: The folder cannot be created.
        FileUnwritable: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem, hint = storage_problem(error)
        raise InvalidCase(f"cannot create the folder {path.parent}: {problem}", hint) from None
    document = plain(case_document(case), "case")
    return write_whole(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def add_case(folder: Path, case: StoredCase) -> Path:
    """Writes a new case into a folder.

    Raises:
        InvalidCase: The name is invalid or in use, or the folder cannot be created.
        FileUnwritable: The file cannot be written.
    """
    if not _NAME.fullmatch(case.name):
        raise InvalidCase(
            f"`{case.name}` cannot be the name of a case",
            "use letters, digits, `-`, `_` and `.`, and start with a letter or digit",
        )
    path = folder / f"{case.name}.json"
    if path.exists():
        raise InvalidCase(f"a case `{case.name}` exists already in {folder}", "give another name: --name NAME")
    return save_case(path, case)


def remove_case(folder: Path, name: str) -> Path:
    """Deletes a case and returns its path. Raises InvalidCase."""
    path = folder / f"{name}.json"
    if not path.is_file() or path.parent != folder:
        raise InvalidCase(f"{folder} has no case `{name}`", "`hl regress list` lists the names")
    read_case(path)  # does not delete a file that is not a case
    try:
        path.unlink()
    except OSError as error:
        problem, hint = storage_problem(error)
        raise InvalidCase(f"cannot remove {path}: {problem}", hint) from None
    return path


def cases_folder(policy: Path) -> Path:
    """Returns the folder of the cases of a policy file."""
    return policy.parent / FOLDER


def nearest_cases_folder(start: Path) -> Path | None:
    """Returns the `regressions/` folder in `start` or in its nearest parent; None if there is none."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FOLDER).is_dir():
            return start / FOLDER if folder == start.absolute() else folder / FOLDER
    return None
