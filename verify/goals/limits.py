"""How much a proof may cost. Only counted resources decide verdicts; the clock ends what hangs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProofLimits:
    """
    boxes            boxes that bisection may use for one goal
    solver_steps     z3's own resource counter (`rlimit`) for one query; about 3 to 10 million a second
    depths           how many ticks before the one in question an induction step looks at, tried in this order
    bounded_depths   how many ticks from the start of an episode bounded model checking goes, before and after simulation
    bounded_steps    z3's resource counter for all depths together, for one goal
    lanes, ticks     simulated episodes and the ticks of each, in search of a violation; no lanes: only a few quick ones
    hang_seconds     after this long without an answer the solver is killed; its goals are then `unknown`
    solver           whether to use z3 at all
    slicing          whether z3 is told only what a goal depends on, not the whole program
    lemmas           whether facts about the memory are inferred, and proved, to help induction
    processes        how many may work on one proof at the same time; no verdict depends on it
    components       whether to prove the parts of a conjunction one by one, where the whole is left undecided
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
