"""Paths of the counterexamples that `hl verify --save-trace` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hl_dsl.cases.files import InvalidCase, read_case
from hl_dsl.cases.records import CounterexampleCase
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import list_goals


def paths_for(destination: Path, cases: Sequence[CounterexampleCase]) -> list[Path]:
    """Returns the path of each case.

    If `destination` ends in .json, the first case goes there and the others to numbered files next to it. Else it is a
    folder, and the files have the names of the violated properties.

    Raises:
        InvalidCase: A file that is not a case would be overwritten.
    """
    return _free_paths(destination, [case.violated_property["id"] for case in cases])


def folder_for(destination: Path, flow: Dataflow) -> Path:
    """Returns the folder that the cases of a program would go to; called before the proof, which may take long.

    Raises:
        InvalidCase: A file that is not a case would be overwritten.
    """
    if _is_file_name(destination):
        _free_paths(destination, [""])
        return destination.parent
    _free_paths(destination, [goal.id for goal in list_goals(flow)])
    return destination


def _is_file_name(destination: Path) -> bool:
    return destination.suffix == ".json" and not destination.is_dir()


def _free_paths(destination: Path, goal_ids: Sequence[str]) -> list[Path]:
    if _is_file_name(destination):
        paths = [
            destination if number == 0 else destination.with_name(f"{destination.stem}-{number + 1}.json")
            for number in range(len(goal_ids))
        ]
    else:
        if destination.exists() and not destination.is_dir():
            raise InvalidCase(f"{destination} is a file and not a case", "name a folder, or a path that ends in .json")
        paths = [destination / (goal.replace(":", "-").replace("@", "-line-") + ".json") for goal in goal_ids]
    for path in paths:
        if path.exists():
            try:
                read_case(path)
            except InvalidCase:
                raise InvalidCase(
                    f"{path} exists and is not a case, so it is not overwritten",
                    "choose another path, or move that file away first",
                ) from None
    return paths
