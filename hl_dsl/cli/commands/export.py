"""`hl export`: a policy as a standalone file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, PolicyFile, show


def export(
    file: PolicyFile,
    to: Annotated[str, typer.Option("--to", help="The target language: python.")] = "python",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.")] = None,
    json: Json = False,
) -> None:
    """Export a policy to one readable NumPy file with the same behaviour."""
    from hl_dsl.base.files import write_whole
    from hl_dsl.compiler.export.targets import TARGETS
    from hl_dsl.program import Program

    if to not in TARGETS:
        raise HLError(f"`{to}` is not a target language", f"use {' or '.join(f'`{name}`' for name in TARGETS)}")
    if output is not None and output.resolve() == file.resolve():
        raise HLError(f"`--output {output}` would overwrite the policy itself", "choose another path")
    program = Program.load(file)
    text = program.export(to)
    if output is not None:
        write_whole(output, text)
    show(
        {
            "schema": "hl.export/1",
            "policy": program.name,
            "program_hash": program.hash,
            "to": to,
            "output": output,
            "text": text,
        },
        f"wrote {output}" if output else text,
        json,
    )
