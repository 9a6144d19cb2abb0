"""What planning took."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class PlanningCounts(NamedTuple):
    """`steps`: of the model that is simulated (MuJoCo's own steps), which are no steps of the environment. `diverged`: candidates
    that were dropped because their simulation came to no number. `blind`: ticks at which that was so of all, and nothing was planned."""

    steps: int = 0
    diverged: int = 0
    blind: int = 0


def added(rows: Iterable[PlanningCounts]) -> PlanningCounts:
    return PlanningCounts(*map(sum, zip(PlanningCounts(), *rows)))


def counts_record(rows: Iterable[PlanningCounts]) -> dict[str, int]:
    """The sums by name, as the ledger keeps them; empty where nothing was planned."""
    total = added(rows)
    return total._asdict() if any(total) else {}
