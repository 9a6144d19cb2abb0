"""A sample: one set of values, and what its episodes came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hl_dsl.synth.rollouts.rollout import Rollout
from hl_dsl.synth.runs.trial import Trial

Key = tuple


@dataclass
class Sample:
    """`number` counts the samples of a run. `cap` ends its episodes early. `known` is its trial on record, `parts` are the
    rollouts that were played now. `dropped`: it was left behind before all its seeds were played. `gate` and `reason` are
    the verdict, None until there is one; `told` is what the strategy is told of it. Only what is `eligible` may be accepted."""

    number: int
    values: dict[str, float]
    cap: int | None = None
    known: Trial | None = None
    parts: list[Rollout] = field(default_factory=list)
    dropped: bool = False
    gate: str | None = None
    reason: str = ""
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    case_steps: int = 0
    score: float | None = None
    told: float | None = None
    eligible: bool = True

    @property
    def returns(self) -> dict[int, float]:
        """By seed, of the episodes that came to their end."""
        found = {} if self.known is None else dict(zip(self.known.seeds, self.known.returns))
        for part in self.parts:
            found.update((seed, value) for seed, value, done in zip(part.seeds, part.returns, part.finished) if done)
        return found

    @property
    def fresh(self) -> bool:
        """Whether something was played now."""
        return bool(self.parts)
