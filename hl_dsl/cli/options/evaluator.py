"""Options of the commands that play many programs: where they play, and what that may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hl_dsl.synth.workers.evaluator import InProcess as Here
    from hl_dsl.synth.workers.evaluator import Isolated

InProcess = Annotated[bool, typer.Option("--in-process", help="Play in this process, not in one of its own that may hang or die.")]
Deadline = Annotated[float, typer.Option("--deadline", min=0.1, help="Seconds the evaluator may go without a step.")]
Memory = Annotated[float, typer.Option("--memory", min=0.5, help="GiB of memory the evaluator may hold.")]


def evaluator(in_process: bool, deadline: float, memory: float) -> "Here | Isolated":
    """What the options ask for."""
    from hl_dsl.synth.workers import evaluator as isolation
    from hl_dsl.synth.workers.limits import GIB, Limits

    return isolation.InProcess() if in_process else isolation.Isolated(Limits(seconds=deadline, memory=int(memory * GIB)))
