"""`hl check`: syntax, names and types of policies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output.documents import Json, finish, note, show


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to check.", show_default=False)],
    json: Json = False,
) -> None:
    """Check policies: syntax, names, types. No proof, no environment."""
    from hl_dsl.cli.output.check_documents import check_document, check_program
    from hl_dsl.program import Program

    results = [check_program(path, partial(Program.load, path)) for path in files]
    for result in results:
        for text in result.messages:
            note(text + "\n")
    entries = [result.document for result in results]
    good = [f"{item['file']}: good ({item['policy']}, for {item['env']})" for item in entries if item["good"]]
    show(check_document(results), "\n".join(good), json)
    finish(max(result.exit_code for result in results))
