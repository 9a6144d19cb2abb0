"""`hl explain`: the page of a diagnostic or an operator, or a policy in English."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, show


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="HLnnn|OPERATOR|FILE",
            help="A diagnostic's code, an operator such as clamp, or a policy.",
            show_default=False,
        ),
    ],
    json: Json = False,
) -> None:
    """Explain a diagnostic, an operator, or a policy."""
    if re.fullmatch(r"(?i)hl\d+", what):
        from hl_dsl.messages.codes import explain_code

        text = explain_code(what.upper())
        show({"schema": "hl.explain/1", "code": what.upper(), "page": text}, text, json)
        return
    from hl_dsl.operators import OPERATORS
    from hl_dsl.operators.reference_page import page

    row = OPERATORS.get(what)
    if row is not None and not row.internal:
        show({"schema": "hl.explain/1", "operator": what, "page": page(row)}, page(row), json)
        return
    if not Path(what).suffix and not Path(what).exists():
        raise HLError(f"`{what}` is not a diagnostic's code, an operator or a file", _nearest(what))
    from hl_dsl.program import Program

    program = Program.load(what)
    text = program.explain()
    show({"schema": "hl.explain/1", "policy": program.name, "program_hash": program.hash, "words": text}, text, json)


def _nearest(what: str) -> str:
    from difflib import get_close_matches

    from hl_dsl.operators import OPERATORS

    known = [name for name, row in OPERATORS.items() if not row.internal]
    near = get_close_matches(what, known, 3, 0.6)
    return (
        f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
        if near
        else f"operators: {', '.join(sorted(known))}"
    )
