"""Output of `hl verify FILE --replay PATH`: counterexample files, replayed on the policy as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import FINDINGS, finish, show

if TYPE_CHECKING:
    from hl_dsl.program import Program


def replay_cases(program: Program, where: Path, as_json: bool) -> None:
    """Replays one case or all of a folder. Ends the command with 1 if one is violated."""
    from hl_dsl.cases.files import read_counterexample
    from hl_dsl.verify.results.counterexamples import replay
    from hl_dsl.verify.simulation.trace import render_trace

    paths = sorted(where.glob("*.json")) if where.is_dir() else [where]
    if not paths:
        raise HLError(f"there is no case in {where}", "`hl verify FILE --save-trace PATH` writes cases")
    rows, lines = [], []
    for path in paths:
        case = read_counterexample(path)
        again = replay(program.flow, case)
        about = case.violated_property.get("id") or case.violated_property["name"]
        rows.append(
            {
                "case": path,
                "property": about,
                "broken": again.is_violated,
                "broken_id": again.violated_id,
                "detail": again.detail,
                "notes": again.notes,
                "trace": again.trace,
            }
        )
        lines += [
            f"{'violated' if again.is_violated else 'holds'}: {about} ({path})",
            f"       {again.detail}",
            *(f"       {text}" for text in again.notes),
        ]
        if again.trace:
            lines.append(render_trace(again.trace, again.subject, again.names))
    code = FINDINGS if any(row["broken"] for row in rows) else 0
    show(
        {
            "schema": "hl.replay/1",
            "policy": program.name,
            "program_hash": program.hash,
            "env": program.card.environment,
            "cases": rows,
            "exit_code": code,
        },
        "\n".join(lines),
        as_json,
    )
    finish(code)
