"""Places that a command is to write to, tried before its work is done: what takes long is not lost for a name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hl_dsl.base.errors import HLError


def check_folder(folder: Path) -> None:
    """Raises HLError where the folder takes no files. One that is not there is not made yet: the nearest above it must take some."""
    from hl_dsl.base.files import try_folder

    with writing_to(folder):
        near = folder
        while not near.exists() and near != near.parent:
            near = near.parent
        try_folder(near)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """What the system objects to is an HLError that names the place."""
    from hl_dsl.base.files import storage_problem

    try:
        yield
    except OSError as error:
        problem, hint = storage_problem(error)
        raise HLError(f"cannot write to {place}: {problem}", hint) from None
