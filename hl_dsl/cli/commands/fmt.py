"""`hl fmt`: the one layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output.documents import FINDINGS, Json, finish, show


def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to lay out.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where a file would change.")] = False,
    json: Json = False,
) -> None:
    """Lay policies out in the one format. Comments are kept."""
    from hl_dsl.grammar.formatter.format import format_text
    from hl_dsl.program_files import read_source

    sources = [(path, read_source(path)) for path in files]
    # All of them are laid out before the first is written, so that a bad one leaves none half done.
    texts = {path: format_text(source) for path, source in sources}
    changed = [path for path, source in sources if texts[path] != source.text]
    if not check:
        for path in changed:
            _replace(path, texts[path])
    said = "would change" if check else "changed"
    show(
        {"schema": "hl.fmt/1", "changed": changed, "written": not check},
        "\n".join(f"{said}: {path}" for path in changed) or "nothing to change",
        json,
    )
    finish(FINDINGS if check and changed else 0)


def _replace(path: Path, text: str) -> None:
    """Puts the text where the path leads, links followed, and leaves the file's permissions as they are."""
    from hl_dsl.base.files import write_whole

    place = path.resolve()
    mode = place.stat().st_mode & 0o7777
    write_whole(place, text)
    place.chmod(mode)
