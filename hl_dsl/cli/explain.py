"""`hl explain`: a diagnostic's page, or a policy in words."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show


def explain(
    what: Annotated[str, typer.Argument(metavar="HLnnn|FILE", help="A diagnostic's code, or a policy.", show_default=False)],
    json: Json = False,
) -> None:
    """Explain a diagnostic (`hl explain HL204`) or a policy in words (`hl explain FILE`)."""
    if re.fullmatch(r"(?i)hl\d+", what):
        from hl_dsl.codes import explain_code

        text = explain_code(what.upper())
        show({"schema": "hl.explain/1", "code": what.upper(), "page": text}, text, json)
        return
    from hl_dsl.program import Program

    program = Program.load(what)
    text = program.explain()
    show({"schema": "hl.explain/1", "policy": program.name, "program_hash": program.hash, "words": text}, text, json)
