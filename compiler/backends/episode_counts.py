"""Counts of episodes: repaired observations, violated properties, planning work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat, zip_longest
from typing import Any

import numpy as np

from hl_dsl.compiler.ir.dataflow import Dataflow


@dataclass(frozen=True)
class PlanningCounts:
    """Work of the planner.

    Attributes:
        steps: Steps of the simulated model (MuJoCo's own steps). They are not steps of the environment.
        diverged: Candidates that were dropped because their simulation did not give finite numbers.
        blind: Ticks at which every candidate was dropped, so that nothing was planned.
    """

    steps: int = 0
    diverged: int = 0
    blind: int = 0

    def __add__(self, other: PlanningCounts) -> PlanningCounts:
        """The sums of both."""
        return PlanningCounts(self.steps + other.steps, self.diverged + other.diverged, self.blind + other.blind)

    def __bool__(self) -> bool:
        """Whether the planner did anything."""
        return any((self.steps, self.diverged, self.blind))

    def to_json(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(frozen=True)
class EpisodeCounts:
    """Counts of one episode, or sums over episodes of one program.

    Attributes:
        out_of_range: Observations that were outside their range or NaN.
        assumption_violations: Ticks at which each `assume` was violated, in the program's order.
        monitor_violations: Ticks at which each `monitor` was violated, in the program's order.
        planning: Work of the planner; None if the controller does not plan.
    """

    out_of_range: int = 0
    assumption_violations: tuple[int, ...] = ()
    monitor_violations: tuple[int, ...] = ()
    planning: PlanningCounts | None = None

    def __add__(self, other: EpisodeCounts) -> EpisodeCounts:
        """The sums of both. A property that one of them lacks counts 0 there."""
        planned = [counts.planning for counts in (self, other) if counts.planning is not None]
        return EpisodeCounts(
            self.out_of_range + other.out_of_range,
            _added(self.assumption_violations, other.assumption_violations),
            _added(self.monitor_violations, other.monitor_violations),
            sum(planned, PlanningCounts()) if planned else None,
        )

    @staticmethod
    def total(rows: Iterable[EpisodeCounts]) -> EpisodeCounts:
        """The sum over episodes."""
        return sum(rows, EpisodeCounts())

    @staticmethod
    def rows(
        out_of_range: np.ndarray,
        assumption_violations: np.ndarray,
        monitor_violations: np.ndarray,
        planning: Sequence[PlanningCounts] | None = None,
    ) -> tuple[EpisodeCounts, ...]:
        """One record for each lane.

        Args:
            out_of_range: (n,) int64.
            assumption_violations: (n, A) int64, a column for each `assume`.
            monitor_violations: (n, M) int64, a column for each `monitor`.
            planning: One for each lane; None if the controller does not plan.
        """
        return tuple(
            EpisodeCounts(repaired, tuple(assumed), tuple(monitored), planned)
            for repaired, assumed, monitored, planned in zip(
                out_of_range.tolist(),
                assumption_violations.tolist(),
                monitor_violations.tolist(),
                planning if planning is not None else repeat(None, len(out_of_range)),
                strict=True,
            )
        )

    def trial_fields(self, flow: Dataflow) -> dict[str, Any]:
        """The counts under the names of a trial's fields, with violations by the names of the program's properties."""
        return {
            "out_of_range": {"all": self.out_of_range},
            "assumption_violations": _named(flow, "assume", self.assumption_violations),
            "monitor_violations": _named(flow, "monitor", self.monitor_violations),
            "planning": self.planning.to_json() if self.planning else {},
        }

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it."""
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> EpisodeCounts:
        """The counts that `to_json` wrote."""
        planning = document["planning"]
        return EpisodeCounts(
            document["out_of_range"],
            tuple(document["assumption_violations"]),
            tuple(document["monitor_violations"]),
            None if planning is None else PlanningCounts(**planning),
        )


def _added(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip_longest(first, second, fillvalue=0))


def _named(flow: Dataflow, kind: str, counts: tuple[int, ...]) -> dict[str, int]:
    names = [item.name for item in flow.of_kind(kind)]
    return {name: counts[place] if place < len(counts) else 0 for place, name in enumerate(names)}
