"""`hl diff`: equivalence of two policies."""

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
    """Compare two policies: do they act the same for every input?

    The result is one of: identical; equal for every float input (exit code
    0); equal over the reals only; different, with a run of both (exit code
    1); unknown (exit code 3).

    Observations are matched by the columns they read, parameters by name.
    Properties do not count; differences between them are reported.
    """
    from hl_dsl.program import Program
    from hl_dsl.verify.equivalence.difference import list_used_inputs, render_difference, trace_difference
    from hl_dsl.verify.equivalence.equivalence import compare

    first, second = Program.load(a), Program.load(b)
    comparison = compare(first.flow, second.flow)
    trace = () if comparison.run is None else trace_difference(first.flow, second.flow, comparison)
    document = {
        "schema": "hl.diff/1",
        "a": a,
        "b": b,
        "env": first.card.environment,
        "hashes": [first.hash, second.hash],
        "status": comparison.status,
        "claim": comparison.claim,
        "method": comparison.method,
        "detail": comparison.detail,
        "notes": comparison.notes,
        "seconds": comparison.seconds,
        "exit_code": comparison.exit_code,
        "trace": trace,
    }
    lines = [
        f"{comparison.status} ({comparison.method})",
        *([f"       {comparison.detail}"] if comparison.detail else []),
        *(f"       {note}" for note in comparison.notes),
    ]
    if trace:
        lines += ["", render_difference(trace, list_used_inputs(comparison))]
    show(document, "\n".join([f"A: {a}", f"B: {b}", *lines, "", comparison.claim]), json)
    finish(comparison.exit_code)
