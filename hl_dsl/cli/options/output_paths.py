"""Checks of output paths, made before a command's work so that a long run is not lost to a wrong path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hl_dsl.base.errors import HLError


def check_folder(folder: Path) -> None:
    """Raises HLError if no file can be written to the folder.

    A folder that does not exist is not created: its nearest existing parent must be writable.
    """
    from hl_dsl.base.files import try_folder

    with writing_to(folder):
        existing = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        try_folder(existing)


def check_output_file(path: Path, suffixes: tuple[str, ...], kind: str) -> None:
    """Raises HLError if `path` is a folder, lies in no folder, or does not end with one of the suffixes."""
    if path.suffix.lower() not in suffixes:
        raise HLError(f"`{path}` does not end with {suffixes[0]}, as {kind} must", f"name it FILE{suffixes[0]}")
    if path.is_dir():
        raise HLError(f"`{path}` is a folder, not a file for {kind}", "add a file name")
    if not path.parent.is_dir():
        raise HLError(f"there is no folder `{path.parent}` for {path.name}", "create it first, or choose another path")


def check_no_overwrite(outputs: Mapping[str, Path | None], inputs: tuple[Path, ...]) -> None:
    """Raises HLError if an output is one of the inputs or another output.

    Args:
        outputs: Paths by the option that gives them.
        inputs: Files that the command reads or appends to.
    """
    taken = {path.resolve() for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        if path.resolve() in taken:
            raise HLError(f"`{option} {path}` would overwrite another file of this command", "choose another path")
        taken.add(path.resolve())


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Converts an OSError to an HLError that names the path."""
    from hl_dsl.base.files import storage_problem

    try:
        yield
    except OSError as error:
        problem, hint = storage_problem(error)
        raise HLError(f"cannot write to {path}: {problem}", hint) from None
