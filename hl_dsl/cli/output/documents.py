"""What every command shares: one JSON document or text on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.interrupts import INTERRUPTED

GOOD, FINDINGS, USAGE, UNKNOWN, BROKEN_PIPE = 0, 1, 2, 3, 141

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy, FILE.hl.", show_default=False)]


_begun = False
_arguments: tuple[str, ...] = ()


class OutputLost(HLError):
    """Stdout takes no more, so nothing more is written to it."""


class Interrupted(HLError):
    """The command was interrupted; the message says what is kept."""

    exit_code = INTERRUPTED


def prepare_output(arguments: Sequence[str]) -> None:
    """Characters that the terminal's encoding does not have are written as escapes; they must not end a command."""
    global _begun, _arguments
    _begun, _arguments = False, tuple(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def same_command(*more: str) -> str:
    """The command as it was given, with `more` options, to be typed again."""
    from shlex import join

    return join(["hl", *_arguments, *(option for option in more if option not in _arguments)])


def show(document: dict[str, Any], text: str, as_json: bool) -> None:
    """Prints the document, or the text for people. Raises OutputLost."""
    if as_json:
        text = json.dumps(plain(document), ensure_ascii=not _speaks_unicode(), indent=2, allow_nan=False)
    if text:
        write(text + "\n")


def write(text: str) -> None:
    """Writes to stdout. Raises OutputLost where it is full or closed; a reader that has gone away ends the command."""
    global _begun
    _begun = _begun or bool(text)
    try:
        if sys.stdout is None:
            raise OSError(9, "it is closed")
        if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
            _write_all(sys.stdout.buffer, text.encode(sys.stdout.encoding, "backslashreplace"))
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    except OSError as error:
        _give_up(error)


def _write_all(raw: io.RawIOBase, data: bytes) -> None:
    """Where Python is told not to buffer, it drops what the system does not take at once."""
    view = memoryview(data)
    while view:
        view = view[raw.write(view) or 0 :]


def finish_output() -> None:
    """What still waits to be written to stdout is written. Raises as `write`."""
    if sys.stdout is not None:
        write("")


def note(text: str) -> None:
    """A line for people, on stderr."""
    try:
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody is left to be told


def plain(value):
    """JSON has no infinities and no NaN: they are written as text."""
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
    """Prints an error, as JSON too where that was asked for; gives the exit code."""
    note(error_text(error))
    if as_json:
        _try_to_show(error_document(error))
    return error.exit_code


def report_usage(error, as_json: bool) -> int:
    """The same for a command line that is none."""
    if hasattr(error, "show"):
        error.show(sys.stderr)
    if as_json:
        said = error.format_message().splitlines()[0] if hasattr(error, "format_message") else str(error)
        _try_to_show(error_document(HLError(said, "the command's --help shows what it takes")))
    return USAGE


def error_text(error: HLError) -> str:
    if isinstance(error, (ProgramError, Interrupted)):
        return error.message
    lines = [f"error[{error.code}]: {error.message}" if error.code else f"error: {error.message}"]
    lines += [f"  = {error.hint}"] if error.hint else []
    return "\n".join(lines + ([f"  = more: hl explain {error.code}"] if error.code else []))


def error_document(error: HLError) -> dict[str, Any]:
    """The document of a command that could not do its work. An error may have more to say in `details`, a dict."""
    diagnostics = [item.to_json(error.source) for item in error.diagnostics] if isinstance(error, ProgramError) else []
    said = diagnostics[0]["message"] if diagnostics else (error.message.splitlines() or [""])[0]
    return {
        "schema": "hl.error/1",
        "error": said,
        "hint": error.hint,
        "code": error.code,
        "exit_code": error.exit_code,
        "diagnostics": diagnostics,
        **getattr(error, "details", {}),
    }


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise typer.Exit(code)


def _try_to_show(document: dict[str, Any]) -> None:
    """There is one document on stdout, so none where another was begun."""
    if _begun:
        return
    try:
        show(document, "", True)
    except OutputLost:
        pass  # stderr has it


def _speaks_unicode() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"


def _give_up(error: OSError) -> NoReturn:
    """Stdout becomes a place that swallows everything, or what waits in its buffer fails once more when Python ends."""
    if sys.stdout is not None:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, ValueError):
            pass
    if isinstance(error, BrokenPipeError):
        raise typer.Exit(BROKEN_PIPE) from None
    raise OutputLost(
        f"cannot write to stdout: {(error.strerror or str(error)).lower()}",
        "free some space, or send the output elsewhere",
    ) from None
