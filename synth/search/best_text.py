"""Text of a study's best program: `best.hl` with its header of comments."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.program import Program
from hl_dsl.synth.evaluation.policy_header import without_measured

_HEADER = ("# Found by hl synth", "# after ", "# Proof: ")


def best_text(program: Program, header: Sequence[str]) -> str:
    """The program's text under a header of comments.

    The header replaces that of an earlier run, and the measurements of the initial program.

    Args:
        program: The program.
        header: Lines of the header.
    """
    lines = without_measured(program.text).splitlines(keepends=True)
    if lines and lines[0].startswith(_HEADER[0]):
        while lines and lines[0].startswith(_HEADER):
            lines.pop(0)
    return "".join(f"# {line}\n" for line in header) + "".join(lines)
