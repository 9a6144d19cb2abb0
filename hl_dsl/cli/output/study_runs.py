"""What `hl tune` and `hl synth` share: a run is shown, whatever ended it, with the command that goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output import interrupts
from hl_dsl.cli.output.documents import Interrupted, error_document, error_text, finish, note, same_command, show


def show_run(
    name: str, run: Path, progress: AbstractContextManager, start: Callable[[Any], Any], as_json: bool
) -> None:
    """Starts a run, `start(on_event)`, and shows its result. Raises HLError, Interrupted."""
    from hl_dsl.synth.runs.run_result import NotWritten

    problem = None
    try:
        with progress as on_event:
            result = start(on_event)
        problem = getattr(result, "problem", None)
    except NotWritten as error:
        result, problem = error.result, _resumable(error, run)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_go_on()}" if _begun(run) else "interrupted") from None
    except HLError as error:
        if interrupts.came() and _begun(run):
            raise Interrupted(f"interrupted; {_go_on()}") from None
        raise _resumable(error, run) from None
    document = {"schema": result.SCHEMA, **result.to_json()}
    if problem is not None:
        document["problems"] = [error_document(problem)]
        note(error_text(problem))
    show(document, result.render(), as_json)
    if result.interrupted:
        raise Interrupted(f"interrupted; {_go_on()}")
    finish(0 if problem is None else problem.exit_code)


def _resumable(error: HLError, run: Path) -> HLError:
    """A disk that was full in the middle of a run leaves a run that goes on."""
    from hl_dsl.base.files import FileUnwritable
    from hl_dsl.synth.runs.ledger import LedgerUnwritable

    unwritable = (LedgerUnwritable, FileUnwritable)
    if _begun(run) and (isinstance(error, unwritable) or isinstance(error.__cause__, unwritable)):
        return HLError(
            f"{error.message}; what was recorded before is kept",
            f"{error.hint} The run goes on by: {same_command('--resume')}",
        )
    return error


def _begun(run: Path) -> bool:
    return (run / "run.json").exists()


def _go_on() -> str:
    return f"go on with: {same_command('--resume')}"
