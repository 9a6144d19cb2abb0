"""Resources of this machine that evaluations may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.environments.simulator_pool import SimulatorPool
from hl_dsl.synth.rollouts.executor import Executor, InProcessExecutor


@dataclass(frozen=True)
class Resources:
    """Resources of an evaluation. They never change a return.

    Pickling keeps the numbers only: in a worker process the executor is an `InProcessExecutor`.

    Attributes:
        num_threads: Threads of the simulator and the planner; 0: one for each core.
        num_envs: Environments that one program plays in at a time. A batch of programs plays in all its lanes at once.
        executor: Process in which batches of programs are played.

    Raises:
        HLError: `num_envs` is less than 1.
    """

    num_threads: int = 0
    num_envs: int = 16
    executor: Executor = field(default_factory=InProcessExecutor, compare=False)

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if self.num_envs < 1:
            raise HLError(f"{self.num_envs} environments at a time are too few", "give --num-envs 1 or more")

    @property
    def simulators(self) -> SimulatorPool:
        """Simulators of this process. They and the count of their steps belong to the executor."""
        return self.executor.simulators

    def to_json(self) -> dict[str, int]:
        """A JSON object with the numbers; `Resources(**document)` reads it."""
        return {"num_threads": self.num_threads, "num_envs": self.num_envs}

    def __reduce__(self) -> tuple[Any, ...]:
        """Leaves live objects behind."""
        return Resources, (self.num_threads, self.num_envs)
