"""Options of the commands that play many programs: where they play, and what that may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hl_dsl.synth.rollouts.executor import Executor

InProcessOption = Annotated[
    bool, typer.Option("--in-process", help="Play in this process, not in one of its own that may hang or die.")
]
DeadlineOption = Annotated[
    float, typer.Option("--deadline", min=0.1, help="Seconds the evaluator may go without a step.")
]
MemoryOption = Annotated[float, typer.Option("--memory", min=0.5, help="GiB of memory the evaluator may hold.")]


def evaluator(in_process: bool, deadline: float, memory: float) -> Executor:
    """What the options ask for."""
    from hl_dsl.synth.rollouts.executor import InProcessExecutor
    from hl_dsl.synth.workers.limits import GIB, WorkerLimits
    from hl_dsl.synth.workers.worker_executor import WorkerExecutor

    if in_process:
        return InProcessExecutor()
    return WorkerExecutor(WorkerLimits(seconds=deadline, memory=int(memory * GIB)))
