"""Output of `hl synth` and `hl tune`: the result of a run, or why it stopped and how to resume it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output import interrupts
from hl_dsl.cli.output.documents import Interrupted, error_document, error_text, finish, note, same_command, show


def show_run(
    name: str, run: Path, progress: AbstractContextManager[Any], start: Callable[[Any], Any], as_json: bool
) -> None:
    """Runs a study and prints its result.

    Args:
        name: The command, `synth` or `tune`.
        run: The run folder.
        progress: Gives the `on_event` callback.
        start: Runs the study with that callback and returns its result.
        as_json: Whether the result is printed as JSON.

    Raises:
        HLError: The run failed.
        Interrupted: The run was interrupted.
    """
    from hl_dsl.synth.runs.run_result import NotWritten

    problem = None
    try:
        with progress as on_event:
            result = start(on_event)
        problem = result.problem
    except NotWritten as error:
        result, problem = error.result, _as_resumable(error, run)
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    except HLError as error:
        if interrupts.has_interrupt() and _is_started(run):
            raise _interrupted(run) from None
        raise _as_resumable(error, run) from None
    document = {"schema": result.SCHEMA, **result.to_json()}
    if problem is not None:
        document["problems"] = [error_document(problem)]
        note(error_text(problem))
    show(document, result.render(), as_json)
    if result.interrupted:
        raise _interrupted(run)
    finish(0 if problem is None else problem.exit_code)


def _as_resumable(error: HLError, run: Path) -> HLError:
    """Adds the command that resumes the run to an error of a disk that is full."""
    from hl_dsl.base.files import FileUnwritable
    from hl_dsl.synth.runs.ledger import LedgerUnwritable

    unwritable = (LedgerUnwritable, FileUnwritable)
    if _is_started(run) and (isinstance(error, unwritable) or isinstance(error.__cause__, unwritable)):
        return HLError(
            f"{error.message}; the trials before that are recorded",
            f"{error.hint} Then resume the run: {same_command('--resume')}",
        )
    return error


def _interrupted(run: Path) -> Interrupted:
    return Interrupted(f"interrupted; resume with: {same_command('--resume')}" if _is_started(run) else "interrupted")


def _is_started(run: Path) -> bool:
    return (run / "run.json").exists()
