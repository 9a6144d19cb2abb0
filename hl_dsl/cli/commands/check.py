"""`hl check`: is it a policy?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hl_dsl.cli.output.documents import FINDINGS, Json, error_text, finish, note, show

if TYPE_CHECKING:
    from hl_dsl.program import Program


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Policies to check.", show_default=False)],
    json: Json = False,
) -> None:
    """Check policies: syntax, names, types. No proof, no environment."""
    found = [_loaded(path) for path in files]
    for _, said, _ in found:
        for text in said:
            note(text + "\n")
    documents = [document for document, _, _ in found]
    good = [f"{one['file']}: good ({one['policy']}, for {one['env']})" for one in documents if one["good"]]
    show(_document(documents), "\n".join(good), json)
    finish(max(code for _, _, code in found))


def check_text(text: str, name: str) -> dict[str, Any]:
    """The document of `hl check --json` for a text, as a file of that name would have it."""
    from hl_dsl.program import Program

    return _document([_checked(name, lambda: Program.parse(text, name))[0]])


def _document(files: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema": "hl.check/1", "files": files}


def _loaded(path: Path) -> tuple[dict[str, Any], list[str], int]:
    from hl_dsl.program import Program

    return _checked(path, lambda: Program.load(path))


def _checked(path: Path | str, load: Callable[[], Program]) -> tuple[dict[str, Any], list[str], int]:
    """The document of a file, what people are told of it, and its exit code."""
    from hl_dsl.base.diagnostics import ProgramError, render
    from hl_dsl.base.errors import HLError

    try:
        program = load()
    except ProgramError as error:
        findings = [item.to_json(error.source) for item in error.diagnostics]
        return {"file": path, "good": False, "diagnostics": findings}, [error_text(error)], FINDINGS
    except HLError as error:
        document = {
            "file": path,
            "good": False,
            "diagnostics": [],
            "error": error.message,
            "hint": error.hint,
            "code": error.code,
        }
        return document, [error_text(error)], error.exit_code
    warnings = [item.to_json(program.source) for item in program.warnings]
    document = {
        "file": path,
        "good": True,
        "policy": program.name,
        "env": program.card.environment,
        "diagnostics": warnings,
    }
    return document, [render(program.source, item) for item in program.warnings], 0
