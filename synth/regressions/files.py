"""Cases on disk: a folder `regressions/` beside the policy, a JSON file for each."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.environments.seed_ranges import LAST
from hl_dsl.synth.regressions.case import SCHEMA, EpisodeCase, Regression, TraceCase, Window
from hl_dsl.synth.regressions.property_monitor import watcher
from hl_dsl.verify.results import counterexample_files as traces

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, write_whole
from hl_dsl.base.json_values import plain
from hl_dsl.cards import Card

FOLDER = "regressions"


class BadCase(HLError):
    """A file that is no case, or a case for something else."""


def folder_beside(policy: Path) -> Path:
    """Where the cases of a policy file lie."""
    return policy.parent / FOLDER


def nearest_folder(start: Path) -> Path | None:
    """The `regressions/` in a folder or in the nearest one above it; None where there is none."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FOLDER).is_dir():
            return start / FOLDER if folder == start.absolute() else folder / FOLDER
    return None


def read_cases(folder: Path, card: Card | None = None) -> tuple[Regression, ...]:
    """All cases of a folder, by name; none where there is no folder. With a card, they must be for its environment.
    Raises BadCase."""
    return tuple(read_case(path, card) for path in sorted(folder.glob("*.json"), key=lambda path: path.stem))


def read_case(path: Path, card: Card | None = None) -> Regression:
    """Reads a case. Raises BadCase."""
    document = _document(path)
    if document.get("schema") == traces.SCHEMA:
        try:
            case: Regression = TraceCase(path.stem, traces.read_case(path))
        except traces.InvalidCounterexample as error:
            raise BadCase(error.message, error.hint) from None
    else:
        case = _played(path, document)
    if card is not None:
        refuse_unsuited(case, card, str(path))
    return case


def refuse_unsuited(case: Regression, card: Card, where: str) -> None:
    """Raises BadCase where a case is for another environment, or demands what the environment does not have."""
    if case.environment != card.environment:
        raise BadCase(
            f"{where} is a case for {case.environment}, not for {card.environment}",
            "keep the cases of each environment beside their own policy",
        )
    if type(case) is EpisodeCase:
        try:
            protocol_options(card, case.protocol)
            if case.holds is not None:
                watcher(card, case.holds)
        except HLError as error:
            raise BadCase(f"{where}: {error.message}", error.hint) from None


def write_case(folder: Path, case: Regression) -> Path:
    """Adds a case to a folder, which is made where there is none. Raises BadCase where the name is taken or is none, and
    FileUnwritable."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", case.name):
        raise BadCase(
            f"`{case.name}` cannot name a case", "use letters, digits, `-`, `_` and `.`, a letter or digit first"
        )
    path = folder / f"{case.name}.json"
    if path.exists():
        raise BadCase(
            f"there is a case `{case.name}` already", f"give this one another name by --name, or look at {path}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem, hint = storage_problem(error)
        raise BadCase(f"cannot make the folder {folder}: {problem}", hint) from None
    return write_whole(
        path, json.dumps(plain(case.to_json(), "case"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )


def remove_case(folder: Path, name: str) -> Path:
    """Deletes a case. Raises BadCase where there is none of that name."""
    path = folder / f"{name}.json"
    if not path.is_file() or path.parent != folder:
        raise BadCase(f"there is no case `{name}` in {folder}", "`hl regress list` names them")
    read_case(path)
    try:
        path.unlink()
    except OSError as error:
        problem, hint = storage_problem(error)
        raise BadCase(f"cannot remove {path}: {problem}", hint) from None
    return path


# reading


def _document(path: Path) -> dict[str, Any]:
    document = traces.read_document(path, BadCase, "`hl regress add` writes cases")
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema not in (SCHEMA, traces.SCHEMA):
        raise BadCase(
            f"{path} is no case: its schema is neither {SCHEMA} nor {traces.SCHEMA}", "`hl regress add` writes cases"
        )
    return document


def _played(path: Path, document: dict[str, Any]) -> EpisodeCase:
    problem = _problem(document)
    if problem:
        raise BadCase(f"{path} is no case: {problem}", "`hl regress add` writes cases")
    window = document.get("window")
    return EpisodeCase(
        path.stem,
        document["environment"],
        document["protocol"],
        document["seed"],
        document.get("max_steps"),
        document.get("dry_steps"),
        None if window is None else Window(window["start"], window["ticks"]),
        document.get("least_return"),
        document.get("holds"),
        document.get("origin", ""),
    )


def _whole(value: Any, least: int, most: int | None = None) -> bool:
    return type(value) is int and value >= least and (most is None or value <= most)


def _window(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"start", "ticks"}
        and _whole(value["start"], 0)
        and _whole(value["ticks"], 1)
    )


_FORM: dict[str, tuple[Callable[[Any], bool], str]] = {
    "environment": (lambda value: isinstance(value, str), "a text"),
    "protocol": (lambda value: isinstance(value, str), "a text"),
    "seed": (
        lambda value: _whole(value, 0, LAST),
        f"a development seed, 0 to {LAST}: the others are kept for the final score",
    ),
    "max_steps": (lambda value: value is None or _whole(value, 1), "a number of steps, or null"),
    "dry_steps": (lambda value: value is None or _whole(value, 1), "a number of steps, or null"),
    "window": (
        lambda value: value is None or _window(value),
        "null, or an object of `start`, 0 or more, and `ticks`, 1 or more",
    ),
    "least_return": (
        lambda value: value is None or type(value) in (int, float) and math.isfinite(value),
        "a number, or null",
    ),
    "holds": (lambda value: value is None or isinstance(value, str), "a property, or null"),
    "origin": (lambda value: isinstance(value, str), "a text"),
}
_NEEDED: Sequence[str] = ("environment", "protocol", "seed")


def _problem(document: dict[str, Any]) -> str:
    for key in document:
        if key not in _FORM and key != "schema":
            return f"it says `{key}`, which means nothing here"
    for key in _NEEDED:
        if key not in document:
            return f"`{key}` is missing"
    for key, (good, form) in _FORM.items():
        if key in document and not good(document[key]):
            return f"`{key}` is not {form}"
    if document.get("least_return") is None and document.get("holds") is None:
        return "it demands nothing: `least_return` and `holds` are both missing"
    return ""
