"""Count of all environment steps of this process and its workers.

Every command makes its own `SimulatorPool`, so tests of commands cannot ask it: this module counts in all pools.
"""

from __future__ import annotations

from hl_dsl.synth.environments.simulator_pool import SimulatorPool


class StepCounter:
    """Wraps `SimulatorPool.count`."""

    def __init__(self) -> None:
        self.steps = 0
        self._count = SimulatorPool.count

    def install(self) -> None:
        """Counts from now on."""

        def count(pool: SimulatorPool, steps: int) -> None:
            self.steps += steps
            self._count(pool, steps)

        SimulatorPool.count = count  # type: ignore[assignment, method-assign]  # the purpose of this class


_COUNTER = StepCounter()
_COUNTER.install()


def steps_taken() -> int:
    """Environment steps taken since this module was imported."""
    return _COUNTER.steps
