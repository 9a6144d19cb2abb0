"""Output of commands: one JSON document or text on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.interrupts import INTERRUPTED

GOOD, FINDINGS, USAGE, UNKNOWN, BROKEN_PIPE = 0, 1, 2, 3, 141

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy, FILE.hl.", show_default=False)]


@dataclass
class _RunningCommand:
    """State of the running command: its arguments, and whether it has written to stdout."""

    arguments: tuple[str, ...] = ()
    has_output: bool = False


_RUNNING: ContextVar[_RunningCommand] = ContextVar("running command")


class OutputLost(HLError):
    """Stdout cannot be written, so nothing more is written to it."""


class Interrupted(HLError):
    """The command was interrupted; the message says what is kept."""

    exit_code = INTERRUPTED


def prepare_output(arguments: Sequence[str]) -> None:
    """Starts the output of a command.

    Characters that the terminal's encoding does not have are written as escapes instead of ending the command.
    """
    _RUNNING.set(_RunningCommand(tuple(arguments)))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def same_command(*options: str) -> str:
    """Returns the running command with `options` added, as it is typed in a shell."""
    from shlex import join

    arguments = _running().arguments
    return join(["hl", *arguments, *(option for option in options if option not in arguments)])


def show(document: dict[str, Any], text: str, as_json: bool) -> None:
    """Prints the document, or the text for people. Raises OutputLost."""
    if as_json:
        text = json.dumps(plain(document), ensure_ascii=not _is_unicode(), indent=2, allow_nan=False)
    if text:
        write(text + "\n")


def write(text: str) -> None:
    """Writes to stdout. Raises OutputLost if it is full or closed; a closed pipe ends the command quietly."""
    command = _running()
    command.has_output = command.has_output or bool(text)
    try:
        if sys.stdout is None:
            raise OSError(9, "it is closed")
        buffer = getattr(sys.stdout, "buffer", None)
        if isinstance(buffer, io.RawIOBase):
            _write_all(buffer, text.encode(sys.stdout.encoding, "backslashreplace"))
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    except OSError as error:
        _abandon_stdout(error)


def _write_all(raw: io.RawIOBase, data: bytes) -> None:
    """Writes to an unbuffered stream, which may accept only a part of the data at a time."""
    view = memoryview(data)
    while view:
        view = view[raw.write(view) or 0 :]


def finish_output() -> None:
    """Flushes stdout. Raises as `write` does."""
    if sys.stdout is not None:
        write("")


def note(text: str) -> None:
    """Prints a line for people on stderr, if there is one."""
    try:
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)
    except OSError:
        pass  # stderr is closed


def plain(value: Any) -> Any:
    """Returns the value with infinities, NaN and paths as text, because JSON has none of them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def report_error(error: HLError, as_json: bool) -> int:
    """Prints an error, also as JSON if `as_json`, and returns its exit code."""
    note(error_text(error))
    if as_json:
        _try_to_show(error_document(error))
    return error.exit_code


def report_usage(error: TyperException, as_json: bool) -> int:
    """Prints a usage error, also as JSON if `as_json`, and returns its exit code."""
    show_usage = getattr(error, "show", None)  # Typer's own errors have it, its base class does not
    if show_usage is not None:
        show_usage(sys.stderr)
    if as_json:
        message = (error.format_message().splitlines() or [""])[0]
        _try_to_show(error_document(HLError(message, "see the command's options: add --help")))
    return USAGE


def error_text(error: HLError) -> str:
    """Returns an error as people read it: message, hint, and where to read more."""
    if isinstance(error, (ProgramError, Interrupted)):
        return error.message
    lines = [f"error[{error.code}]: {error.message}" if error.code else f"error: {error.message}"]
    lines += [f"  = {error.hint}"] if error.hint else []
    return "\n".join(lines + ([f"  = more: hl explain {error.code}"] if error.code else []))


def error_document(error: HLError) -> dict[str, Any]:
    """Returns the document of a command that failed."""
    diagnostics = [item.to_json(error.source) for item in error.diagnostics] if isinstance(error, ProgramError) else []
    message = diagnostics[0]["message"] if diagnostics else (error.message.splitlines() or [""])[0]
    return {
        "schema": "hl.error/1",
        "error": message,
        "hint": error.hint,
        "code": error.code,
        "exit_code": error.exit_code,
        "diagnostics": diagnostics,
        **error.details,
    }


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise typer.Exit(code)


def _try_to_show(document: dict[str, Any]) -> None:
    """Prints a document unless the command has printed another one: stdout holds one."""
    if _running().has_output:
        return
    with suppress(OutputLost):  # the error is on stderr already
        show(document, "", True)


def _running() -> _RunningCommand:
    """The state of the running command; outside a command, a new one."""
    command = _RUNNING.get(None)
    if command is None:
        command = _RunningCommand()
        _RUNNING.set(command)
    return command


def _is_unicode() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"


def _abandon_stdout(error: OSError) -> NoReturn:
    """Sends the rest of stdout to the null device; otherwise its buffer would fail again when Python exits."""
    if sys.stdout is not None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        raise typer.Exit(BROKEN_PIPE) from None
    raise OutputLost(
        f"cannot write to stdout: {(error.strerror or str(error)).lower()}",
        "free some space, or send the output elsewhere",
    ) from None
