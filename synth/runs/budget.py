"""What a run may spend: reserved before, settled after, so that it never spends more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hl_dsl.base.errors import HLError


@dataclass
class Budget:
    """Limits of a run; None: no limit. `steps_spent` and `programs_proposed` are what has been settled; `tokens_spent` and
    `cost_spent` are charged by the account of calls (`hl_dsl.synth.proposers.text.call_account`), which no call goes past.

    Steps that an interrupt or a crash wasted are not counted here but recorded on their own: a run that goes on after
    one is to be the same run. Wall time is of this process. Raises HLError for a limit that leaves nothing to do.
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

    def __post_init__(self):
        limits = (
            (self.steps, "environment steps"),
            (self.programs, "programs"),
            (self.wall_seconds, "seconds"),
            (self.tokens, "tokens"),
            (self.cost, "money"),
        )
        for limit, unit in limits:
            if limit is not None and not limit > 0:
                raise HLError(f"a budget of {limit} {unit} leaves nothing to do", f"give it more {unit} than 0")
        if all(limit is None for limit, _ in limits):
            raise HLError(
                "the run has no budget, so it would never end", "limit its environment steps, programs or wall time"
            )
        self._began = time.monotonic()

    @property
    def steps_left(self) -> int | None:
        return None if self.steps is None else max(0, self.steps - self.steps_spent)

    @property
    def programs_left(self) -> int | None:
        return None if self.programs is None else max(0, self.programs - self.programs_proposed)

    @property
    def tokens_left(self) -> int | None:
        return None if self.tokens is None else max(0, self.tokens - self.tokens_spent)

    @property
    def cost_left(self) -> float | None:
        return None if self.cost is None else max(0.0, self.cost - self.cost_spent)

    @property
    def seconds_left(self) -> float | None:
        return None if self.wall_seconds is None else max(0.0, self.wall_seconds - self.seconds)

    @property
    def seconds(self) -> float:
        """Wall time since the budget was made."""
        return time.monotonic() - self._began

    @property
    def out_of_time(self) -> bool:
        return self.wall_seconds is not None and self.seconds >= self.wall_seconds

    def stop_reason(self) -> str | None:
        """Which limit has been reached, if any."""
        if self.steps is not None and self.steps_spent >= self.steps:
            return f"the budget of {self.steps:,} environment steps is spent"
        if self.programs is not None and self.programs_proposed >= self.programs:
            return f"the budget of {self.programs:,} programs is spent"
        if self.out_of_time:
            return f"the budget of {self.wall_seconds:g} seconds is spent"
        return None
