"""Interface of executors, which run evaluations in this or another process, and the executor of this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hl_dsl.synth.environments.simulator_pool import SimulatorPool
from hl_dsl.synth.rollouts.interrupts import DeferredInterrupt


@dataclass(frozen=True)
class ExecutionHooks:
    """Connections between an evaluation and its caller, which may be in different processes.

    Attributes:
        before_step: Called before each step with the number of steps that this evaluation will then have taken. In a
            worker it is called there, so it must be picklable.
        stop: Polled now and then; true ends all episodes where they are.
        interrupt: An interrupt that waits for the next tick.
        on_progress: Called now and then with the number of steps taken.
    """

    before_step: Callable[[int], None] | None = None
    stop: Callable[[], bool] | None = None
    interrupt: DeferredInterrupt | None = None
    on_progress: Callable[[int], None] | None = None


class Executor(ABC):
    """Base class of executors.

    Attributes:
        simulators: Simulators of this process, and the count of the steps that all evaluations took.
    """

    def __init__(self, simulators: SimulatorPool | None = None):
        self.simulators = simulators or SimulatorPool()

    @abstractmethod
    def run(self, function: Callable[..., Any], *arguments: Any, hooks: ExecutionHooks, **options: Any) -> Any:
        """Calls `function(*arguments, hooks=hooks, **options)` and returns its result.

        Raises:
            HLError: The function raised it.
            EvaluatorFailed: The evaluation's process crashed, hung, or exceeded a limit.
        """

    @abstractmethod
    def release(self) -> None:
        """Ends the use by one study. The next study may use the executor again."""

    @abstractmethod
    def close(self) -> None:
        """Ends the executor's processes. It can still be used again."""


class InProcessExecutor(Executor):
    """Runs evaluations in this process. A crash or hang takes the study with it."""

    def run(self, function: Callable[..., Any], *arguments: Any, hooks: ExecutionHooks, **options: Any) -> Any:
        """Calls the function."""
        return function(*arguments, hooks=hooks, **options)

    def release(self) -> None:
        """Does nothing: the next study may use the idle simulators."""

    def close(self) -> None:
        """Ends the idle simulators."""
        self.simulators.close()
