"""Store of simulators that no evaluation uses."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import Any


class IdleSimulators:
    """Simulators that can serve again, by a kind that their back end chooses."""

    def __init__(self) -> None:
        self._simulators: dict[Hashable, list[Any]] = {}

    def of(self, kind: Hashable) -> list[Any]:
        """The idle simulators of a kind, which the back end takes out and puts in."""
        return self._simulators.setdefault(kind, [])

    def close(self) -> None:
        """Ends every idle simulator."""
        for simulators in self._simulators.values():
            for simulator in simulators:
                with suppress(Exception):
                    simulator.close()
        self._simulators.clear()
