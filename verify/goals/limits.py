"""Limits of a proof. Only counted resources decide verdicts; the clock only ends a solver that does not respond."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProofLimits:
    """Limits of a proof, and switches of its stages.

    Attributes:
        boxes: Boxes that bisection may use for one goal.
        solver_steps: z3's resource counter (`rlimit`) for one query; z3 does 3 to 10 million a second.
        depths: Depths of k-induction, tried in this order: the number of ticks before the tick in question.
        bounded_depths: Depths of bounded model checking in ticks, before and after the long simulation.
        bounded_steps: z3's resource counter for all depths of bounded model checking together, for one goal.
        lanes: Simulated episodes in search of a violation. With 0, only a few short ones are simulated.
        ticks: Ticks of each simulated episode.
        hang_seconds: Seconds without an answer after which the solver is killed; its goals are then `unknown`.
        solver: Whether z3 is used.
        slicing: Whether a query holds only what its goal depends on (its cone of influence).
        lemmas: Whether lemmas about the memory are inferred and proved, to help induction.
        processes: Processes that may work on one proof at the same time. No verdict depends on it.
        components: Whether the conjuncts of an undecided conjunction are proved one by one.
    """

    boxes: int = 300
    solver_steps: int = 1_000_000
    depths: tuple[int, ...] = (0, 1, 2, 4)
    bounded_depths: tuple[int, int] = (6, 40)
    bounded_steps: int = 500_000
    lanes: int = 192
    ticks: int = 2000
    hang_seconds: float = 60.0
    solver: bool = True
    slicing: bool = True
    lemmas: bool = True
    processes: int = 1
    components: bool = True


DEFAULT_LIMITS = ProofLimits()
