"""`hl diff`: do two policies act the same?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output.documents import Json, finish, show


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A policy, FILE.hl.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one, for the same environment.", show_default=False)],
    json: Json = False,
) -> None:
    """Say whether two policies act the same, for every input.

    The answer is one of: identical; equal for every float input (both end
    with 0); equal over the reals only; different, with a run of both
    (both end with 1); unknown (ends with 3).

    Observations are matched by where they are read, parameters by name.
    What the policies promise does not count, and is told where it differs.
    """
    from hl_dsl.program import Program
    from hl_dsl.verify.equivalence.difference import list_used_inputs, render_difference, trace_difference
    from hl_dsl.verify.equivalence.equivalence import compare

    first, second = Program.load(a), Program.load(b)
    found = compare(first.flow, second.flow)
    trace = () if found.run is None else trace_difference(first.flow, second.flow, found)
    document = {
        "schema": "hl.diff/1",
        "a": a,
        "b": b,
        "env": first.card.environment,
        "hashes": [first.hash, second.hash],
        "status": found.status,
        "claim": found.claim,
        "method": found.method,
        "detail": found.detail,
        "notes": found.notes,
        "seconds": found.seconds,
        "exit_code": found.exit_code,
        "trace": trace,
    }
    lines = [
        f"{found.status} ({found.method})",
        *([f"       {found.detail}"] if found.detail else []),
        *(f"       {note}" for note in found.notes),
    ]
    if trace:
        lines += ["", render_difference(trace, list_used_inputs(found))]
    show(document, "\n".join([f"A: {a}", f"B: {b}", *lines, "", found.claim]), json)
    finish(found.exit_code)
