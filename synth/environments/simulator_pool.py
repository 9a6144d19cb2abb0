"""Simulators of one process: their back ends, the idle ones, their descriptions, and the steps taken."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.environments.backends.backend import EnvironmentBackend, EnvironmentSpec, SimulatorRequest
from hl_dsl.synth.environments.backends.idle_simulators import IdleSimulators
from hl_dsl.synth.environments.backends.registry import BACKENDS


class SimulatorPool:
    """Opens simulators, keeps idle ones for the next evaluation, and counts the environment steps.

    One pool serves everything that a command evaluates. It stays in its process: pickled, it is an empty pool.

    Args:
        backends: Back ends in order of priority; the first that owns an id serves it.
    """

    def __init__(self, backends: tuple[type[EnvironmentBackend], ...] = BACKENDS):
        self.backends = backends
        self.steps_taken = 0
        self.idle = IdleSimulators()
        self._specs: dict[Hashable, EnvironmentSpec] = {}

    def __reduce__(self) -> tuple[type[SimulatorPool], tuple]:
        return SimulatorPool, (self.backends,)

    def backend_of(self, environment: str) -> type[EnvironmentBackend]:
        """The back end that serves an id. Raises HLError."""
        for backend in self.backends:
            if backend.owns(environment):
                return backend
        raise HLError(f"no simulator has an environment `{environment}`")

    def load(self, environment: str) -> None:
        """Imports the simulator of an environment, which can take a second."""
        self.backend_of(environment).load()

    def spec(
        self, environment: str, options: Mapping[str, Any] | None = None, folders: tuple[Path, ...] = ()
    ) -> EnvironmentSpec:
        """Describes an environment.

        Args:
            environment: The id.
            options: Settings that the protocol states.
            folders: Folders where a user's module is looked for, after Python's own path.

        Raises:
            HLError: There is no such environment, or it cannot be described.
        """
        options = options or {}
        key = environment, tuple(sorted(options.items())), folders
        if key not in self._specs:
            self._specs[key] = self.backend_of(environment).describe(environment, options, folders, self.idle)
        return self._specs[key]

    def open(self, request: SimulatorRequest) -> EnvironmentBackend:
        """Simulators for the lanes of a request, idle ones where they fit. Raises HLError."""
        return self.backend_of(request.spec.environment)(request, self.idle)

    def count(self, steps: int) -> None:
        """Counts steps. `Environments` calls it for the steps of this process, an executor for those of its worker."""
        self.steps_taken += steps

    def close(self) -> None:
        """Ends the idle simulators. The pool can still be used."""
        self.idle.close()
