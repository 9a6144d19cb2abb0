"""Budget of a study: resources are reserved before work and settled after it, so a study never exceeds its limits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hl_dsl.base.errors import HLError


@dataclass
class Budget:
    """Limits of a study and what it has spent. A limit of None means unlimited.

    `steps_spent` and `programs_proposed` count settled trials. `tokens_spent` and `cost_spent` are charged by the call
    account (`hl_dsl.synth.proposers.text.call_account`), which never exceeds them. Steps that an interrupt or a crash
    wasted are recorded separately and not counted, so a resumed study has the same result as one that was not
    interrupted.

    Args:
        steps: Environment steps.
        programs: Proposed programs.
        wall_seconds: Seconds of wall time of this process.
        tokens: Tokens of language models.
        cost: Cost of language models, in the currency of the price list.

    Raises:
        HLError: A limit is not positive, or every limit is None.
    """

    steps: int | None = None
    programs: int | None = None
    wall_seconds: float | None = None
    tokens: int | None = None
    cost: float | None = None
    steps_spent: int = field(default=0, init=False)
    programs_proposed: int = field(default=0, init=False)
    tokens_spent: int = field(default=0, init=False)
    cost_spent: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        limits = (
            (self.steps, "environment steps"),
            (self.programs, "programs"),
            (self.wall_seconds, "seconds"),
            (self.tokens, "tokens"),
            (self.cost, "money"),
        )
        for limit, unit in limits:
            if limit is not None and not limit > 0:
                raise HLError(f"a budget of {limit} {unit} is too small", f"give a budget of more {unit} than 0")
        if all(limit is None for limit, _ in limits):
            raise HLError(
                "the study has no budget, so it would never end", "limit its environment steps, programs or wall time"
            )
        self._started = time.monotonic()

    @property
    def steps_left(self) -> int | None:
        """Environment steps that may still be taken."""
        return None if self.steps is None else max(0, self.steps - self.steps_spent)

    @property
    def programs_left(self) -> int | None:
        """Programs that may still be proposed."""
        return None if self.programs is None else max(0, self.programs - self.programs_proposed)

    @property
    def tokens_left(self) -> int | None:
        """Tokens that may still be used."""
        return None if self.tokens is None else max(0, self.tokens - self.tokens_spent)

    @property
    def cost_left(self) -> float | None:
        """Cost that may still be charged."""
        return None if self.cost is None else max(0.0, self.cost - self.cost_spent)

    @property
    def seconds_left(self) -> float | None:
        """Seconds of wall time that are left."""
        return None if self.wall_seconds is None else max(0.0, self.wall_seconds - self.seconds)

    @property
    def seconds(self) -> float:
        """Seconds of wall time since the budget was made."""
        return time.monotonic() - self._started

    @property
    def out_of_time(self) -> bool:
        """Whether the limit of wall time has been reached."""
        return self.wall_seconds is not None and self.seconds >= self.wall_seconds

    def stop_reason(self) -> str | None:
        """Returns the limit that has been reached, in words; None if there is none."""
        if self.steps is not None and self.steps_spent >= self.steps:
            return f"the budget of {self.steps:,} environment steps is spent"
        if self.programs is not None and self.programs_proposed >= self.programs:
            return f"the budget of {self.programs:,} programs is spent"
        if self.out_of_time:
            return f"the budget of {self.wall_seconds:g} seconds is spent"
        return None
