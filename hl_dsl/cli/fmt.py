"""`hl fmt`: the one layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import FINDINGS, Json, finish, show


def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to lay out.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where a file would change.")] = False,
    json: Json = False,
) -> None:
    """Lay policies out in the one format. Comments are kept."""
    from hl_dsl.format import format_text
    from hl_dsl.parse import parse
    from hl_dsl.read import read_source
    from hl_dsl.synth.storage import write_whole

    changed = []
    sources = [(path, read_source(path)) for path in files]
    for path, source in sources:
        parse(source)  # all files must be readable before the first is written
    for path, source in sources:
        text = format_text(source.text)
        if text != source.text:
            changed.append(str(path))
            if not check:
                write_whole(path, text.encode())
    text = "\n".join(f"{'would change' if check else 'changed'}: {path}" for path in changed) or "nothing to change"
    show({"schema": "hl.fmt/1", "changed": changed, "written": not check}, text, json)
    finish(FINDINGS if check and changed else 0)
