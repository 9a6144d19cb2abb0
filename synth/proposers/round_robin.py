"""Several proposers that take turns, a generation each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hl_dsl.synth.candidates.proposer import (
    Candidate,
    Proposer,
    Rejected,
    SearchContext,
    refuse_too_small,
    refuse_unlimited,
    settings_of,
    takes_pictures,
)
from hl_dsl.synth.runs.budget import Budget

from hl_dsl.cards import Card


class RoundRobin:
    """Generation g (the first program is generation 0) is proposed by `proposers[(g - 1) % n]`. Its number alone decides,
    so a run that goes on asks whom it would have asked."""

    def __init__(self, proposers: Sequence[Proposer]):
        self.proposers = tuple(proposers)

    @property
    def settings(self) -> dict[str, Any] | None:
        merged: dict[str, Any] = {}
        for one in self.proposers:
            merged |= settings_of(one) or {}
        return merged or None

    @property
    def takes_pictures(self) -> bool:
        return any(map(takes_pictures, self.proposers))

    def refuse_unlimited(self, budget: Budget) -> None:
        for one in self.proposers:
            refuse_unlimited(one, budget)

    def refuse_too_small(self, card: Card, protocol: str, text: str, budget: Budget) -> None:
        for one in self.proposers:
            refuse_too_small(one, card, protocol, text, budget)

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        return self.proposers[(situation.generation - 1) % len(self.proposers)].propose(situation)
