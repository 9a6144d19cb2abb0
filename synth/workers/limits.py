"""What an evaluator may take, and what is said of one that took more."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.errors import HLError

GIB = 2**30


@dataclass(frozen=True)
class WorkerLimits:
    """`seconds`: the longest an evaluator may go without a step (not without an answer: an episode takes what it takes).
    `start_seconds`: the longest its start may take, which includes compiling on a machine that has never done so.
    `memory`: bytes resident, of the worker and all it started together. `processes`: how many they may be.
    Raises HLError for a limit that leaves nothing to do."""

    seconds: float = 60.0
    start_seconds: float = 300.0
    memory: int = 4 * GIB
    processes: int = 8

    def __post_init__(self):
        if not (self.seconds > 0 and self.start_seconds > 0 and self.memory > 0 and self.processes > 0):
            raise HLError("an evaluator that may take nothing cannot play", "give each of its limits more than 0")


class EvaluatorFailed(Exception):
    """An evaluator came to no result; nothing of it is left. `outcome`: "hung", "memory", "processes", "died", "raised", or
    "interrupted" where it did not stop when it was asked to. `steps` were counted by then, the one under way included. `where`: the line of a user's own code that raised, if it is known."""

    def __init__(self, outcome: str, says: str, steps: int, where: str = ""):
        super().__init__(says)
        self.outcome, self.says, self.steps, self.where = outcome, says, steps, where

    @property
    def told(self) -> str:
        """What is said of it, with the line."""
        return f"{self.says}, {self.where}" if self.where else self.says
