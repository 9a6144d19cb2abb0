"""Results of `hl check`: one record a file, as a document and as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.cli.output.documents import FINDINGS, error_text

if TYPE_CHECKING:
    from hl_dsl.program import Program


@dataclass(frozen=True)
class CheckResult:
    """Result of checking one file.

    Attributes:
        document: The file's entry in the document of `hl check --json`.
        messages: Texts for people, one a diagnostic.
        exit_code: 0 if the file is a policy.
    """

    document: dict[str, Any]
    messages: list[str]
    exit_code: int


def check_program(file: Path | str, load: Callable[[], Program]) -> CheckResult:
    """Calls `load` and returns its diagnostics, errors or warnings, under the name `file`."""
    from hl_dsl.base.diagnostics import ProgramError, render
    from hl_dsl.base.errors import HLError

    try:
        program = load()
    except ProgramError as error:
        diagnostics = [item.to_json(error.source) for item in error.diagnostics]
        document: dict[str, Any] = {"file": file, "good": False, "diagnostics": diagnostics}
        return CheckResult(document, [error_text(error)], FINDINGS)
    except HLError as error:
        document = {"file": file, "good": False, "diagnostics": []}
        document |= {"error": error.message, "hint": error.hint, "code": error.code}
        return CheckResult(document, [error_text(error)], error.exit_code)
    warnings = [item.to_json(program.source) for item in program.warnings]
    document = {"file": file, "good": True, "policy": program.name}
    document |= {"env": program.card.environment, "diagnostics": warnings}
    return CheckResult(document, [render(program.source, item) for item in program.warnings], 0)


def check_text(text: str, name: str) -> dict[str, Any]:
    """Returns the document of `hl check --json` for the text of a file with this name."""
    from hl_dsl.program import Program

    return check_document([check_program(name, lambda: Program.parse(text, name))])


def check_document(results: list[CheckResult]) -> dict[str, Any]:
    """Returns the document of `hl check --json`."""
    return {"schema": "hl.check/1", "files": [result.document for result in results]}
