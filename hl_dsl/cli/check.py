"""`hl check`: is it a policy?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import FINDINGS, Json, finish, note, show


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to check.", show_default=False)],
    json: Json = False,
) -> None:
    """Check policies: syntax, names, types, shape. No proof, no environment."""
    from hl_dsl.diagnostics import HLError, ProgramError, render
    from hl_dsl.program import Program

    documents, lines, worst = [], [], 0
    for path in files:
        try:
            program = Program.load(path)
            found = [(program.source, item) for item in program.warnings]
            lines.append(f"{path}: good ({len(program.syntax.declarations)} declarations for {program.card.environment})")
        except ProgramError as error:
            found = [(error.source, item) for item in error.diagnostics]
            worst = max(worst, FINDINGS)
        except HLError as error:
            documents.append({"file": str(path), "good": False, "error": error.message, "hint": error.hint, "diagnostics": []})
            note(f"error: {error.message}" + (f"\n  = {error.hint}" if error.hint else ""))
            worst = max(worst, error.exit_code)
            continue
        for source, item in found:
            note(render(source, item) + "\n")
        errors = any(item.severity == "error" for _, item in found)
        documents.append({"file": str(path), "good": not errors, "diagnostics": [item.to_json(source) for source, item in found]})
    show({"schema": "hl.check/1", "files": documents}, "\n".join(lines), json)
    finish(worst)
