"""`hl fmt`: the standard layout of policies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output.documents import FINDINGS, Json, finish, show


def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to format.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 if a file would change.")] = False,
    json: Json = False,
) -> None:
    """Format policies in the standard layout. Comments are kept."""
    from hl_dsl.grammar.formatter.format import format_text
    from hl_dsl.program_files import read_source

    sources = [(path, read_source(path)) for path in files]
    # All are formatted before the first is written: if one has errors, none is changed.
    texts = {path: format_text(source) for path, source in sources}
    changed = [path for path, source in sources if texts[path] != source.text]
    if not check:
        for path in changed:
            _replace(path, texts[path])
    verb = "would change" if check else "changed"
    show(
        {"schema": "hl.fmt/1", "changed": changed, "written": not check},
        "\n".join(f"{verb}: {path}" for path in changed) or "nothing to change",
        json,
    )
    finish(FINDINGS if check and changed else 0)


def _replace(path: Path, text: str) -> None:
    """Replaces the text of a file. Links are followed, and permissions are kept."""
    from hl_dsl.base.files import write_whole

    place = path.resolve()
    mode = place.stat().st_mode & 0o7777
    write_whole(place, text)
    place.chmod(mode)
