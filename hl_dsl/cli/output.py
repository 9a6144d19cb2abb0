"""What every command shares: one JSON document or text on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hl_dsl.diagnostics import HLError, ProgramError

GOOD, FINDINGS, USAGE, UNKNOWN = 0, 1, 2, 3

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy, FILE.hl.", show_default=False)]


def show(document: dict[str, Any], text: str, as_json: bool) -> None:
    """Prints the document, or the text for people."""
    print(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False) if as_json else text)


def note(text: str) -> None:
    """A line for people, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _plain(value):
    """JSON has no infinities and no NaN: they are written as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def report_error(error: HLError) -> int:
    """Prints an error, as JSON too where `--json` was asked for; gives the exit code."""
    if isinstance(error, ProgramError):
        text = error.message
        details = [item.to_json(error.source) for item in error.diagnostics]
    else:
        text = f"error: {error.message}" + (f"\n  = {error.hint}" if error.hint else "")
        details = []
    print(text, file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps({"schema": "hl.error/1", "error": error.message.splitlines()[0], "hint": error.hint, "diagnostics": details},
                         ensure_ascii=False, indent=2))
    return error.exit_code


def finish(code: int) -> None:
    """Ends the command with an exit code."""
    if code:
        raise typer.Exit(code)


def parse_seeds(text: str) -> list[int]:
    """`0..9` (both ends included), `3`, or `0,4,7..9`. Raises `HLError`."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            low, dots, high = part.partition("..")
            seeds += range(int(low), int(high) + 1) if dots else [int(low)]
    except ValueError:
        raise HLError(f"`{text}` names no seeds", "write one seed `3`, a range `0..9`, or a list `0,4,7..9`") from None
    if not seeds:
        raise HLError(f"`{text}` is an empty range of seeds", "the first seed comes first: `0..9`")
    if len(seeds) > 100_000 or min(seeds) < 0 or max(seeds) >= 2**31:
        raise HLError(f"`{text}` names seeds that cannot be run", "seeds lie from 0 to 2147483647, at most 100,000 at a time")
    if len(set(seeds)) < len(seeds):
        raise HLError(f"`{text}` names a seed twice", "each seed is one episode; name it once")
    return seeds
