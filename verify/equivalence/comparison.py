"""Result of a comparison of two programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hl_dsl.verify.equivalence.product import Product
from hl_dsl.verify.simulation.replay import SimulatedRun


class EquivalenceStatus(StrEnum):
    """Result of a comparison of two programs. The value is the word in reports and JSON documents."""

    IDENTICAL = "identical"
    EQUAL = "equal for every float input"
    EQUAL_REALS = "equal over the reals only"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison of two programs, with its evidence.

    Attributes:
        status: The result.
        method: The method that gave it.
        notes: How inputs and parameters were matched, and other differences. They do not change the status.
        detail: Why the status is UNKNOWN.
        run: A run on which they differ, over the joint observations and parameters.
        joint: The joint program of that run.
        seconds: Wall time.
    """

    status: EquivalenceStatus
    method: str
    notes: tuple[str, ...]
    detail: str = ""
    run: SimulatedRun | None = None
    joint: Product | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """Exit code of a command: 0 if the programs act the same, 3 if that is unknown, otherwise 1."""
        return {EquivalenceStatus.IDENTICAL: 0, EquivalenceStatus.EQUAL: 0, EquivalenceStatus.UNKNOWN: 3}.get(
            self.status, 1
        )

    @property
    def claim(self) -> str:
        """What the status means, in full."""
        return _CLAIMS[self.status]


_EVERYWHERE = (
    "for every sequence of observations and every value of the parameters in their ranges, from the start of an "
    "episode, at every tick"
)
_CLAIMS = {
    EquivalenceStatus.IDENTICAL: "The two programs are identical except for names, layout, the order of definitions "
    "and the order of operands that commute.",
    EquivalenceStatus.EQUAL: f"The two programs act the same {_EVERYWHERE}, under IEEE-754 binary64 rounding to "
    "nearest, ties to even. Actions are compared as numbers: a zero may differ in its sign. Assumes no fused or "
    "reassociated arithmetic, and the tools correct. It does not cover properties.",
    EquivalenceStatus.EQUAL_REALS: f"Over the real numbers the two programs act the same {_EVERYWHERE}. The programs "
    "that run round. It is not known whether rounding ever makes them act differently.",
    EquivalenceStatus.DIFFERENT: "The two programs act differently: at the last tick of the run below, which starts an "
    "episode, as replayed by the reference interpreter of each program.",
    EquivalenceStatus.UNKNOWN: "It is not known whether the two programs act the same.",
}
