"""Limits of a worker, and the error of a worker that failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hl_dsl.base.errors import HLError

GIB = 2**30  # bytes


@dataclass(frozen=True)
class WorkerLimits:
    """Limits of a worker.

    Attributes:
        seconds: Longest time without an environment step. An evaluation as a whole may take longer.
        start_seconds: Longest time until the worker is ready. The first start on a machine compiles.
        memory: Resident bytes of the worker and of all processes that it started, together.
        processes: Number of these processes.

    Raises:
        HLError: A limit is not positive.
    """

    seconds: float = 60.0
    start_seconds: float = 300.0
    memory: int = 4 * GIB
    processes: int = 8

    def __post_init__(self) -> None:
        """Checks that a worker can run under the limits."""
        if not (self.seconds > 0 and self.start_seconds > 0 and self.memory > 0 and self.processes > 0):
            raise HLError("every limit of the evaluator must be more than 0", "give each of its limits more than 0")


class FailureKind(StrEnum):
    """Reason for a missing result of a worker."""

    HUNG = "hung"
    """It took no step within `WorkerLimits.seconds`."""
    MEMORY = "memory"
    """It exceeded `WorkerLimits.memory`."""
    PROCESSES = "processes"
    """It exceeded `WorkerLimits.processes`."""
    DIED = "died"
    """Its process ended."""
    RAISED = "raised"
    """The evaluation raised an exception."""
    INTERRUPTED = "interrupted"
    """It did not stop when it was interrupted."""


class EvaluatorFailed(Exception):
    """A worker did not return a result. All its processes have ended.

    Attributes:
        outcome: Why.
        reason: The message.
        steps: Environment steps counted by then, the step under way included.
        where: Line of the user's own code that raised; empty if it is not known.
    """

    def __init__(self, outcome: FailureKind, reason: str, steps: int, where: str = ""):
        super().__init__(reason)
        self.outcome, self.reason, self.steps, self.where = outcome, reason, steps, where

    @property
    def message(self) -> str:
        """The reason, with the line of code."""
        return f"{self.reason}, {self.where}" if self.where else self.reason
