"""Several proposers that take turns, one generation each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hl_dsl.cards import Card
from hl_dsl.synth.candidates.proposer import Candidate, Proposer, Rejected, SearchContext
from hl_dsl.synth.runs.budget import Budget


class RoundRobin(Proposer):
    """Proposer `(g - 1) % n` of `proposers` proposes generation g; generation 0 is the initial program.

    The generation's number alone decides, so a resumed study uses the same proposers as an uninterrupted one.
    """

    def __init__(self, proposers: Sequence[Proposer]):
        self.proposers = tuple(proposers)

    @property
    def settings(self) -> Mapping[str, Any] | None:
        """Settings of all proposers, merged."""
        merged: dict[str, Any] = {}
        for proposer in self.proposers:
            merged |= proposer.settings or {}
        return merged or None

    @property
    def takes_pictures(self) -> bool:
        """True if any of the proposers uses pictures."""
        return any(proposer.takes_pictures for proposer in self.proposers)

    def check_budget(self, budget: Budget) -> None:
        """Checks the budget with every proposer."""
        for proposer in self.proposers:
            proposer.check_budget(budget)

    def check_first_call(self, card: Card, protocol: str, text: str, budget: Budget) -> None:
        """Checks the budget of the first call with every proposer."""
        for proposer in self.proposers:
            proposer.check_first_call(card, protocol, text, budget)

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Returns the proposals of the proposer whose turn it is."""
        return self.proposers[(context.generation - 1) % len(self.proposers)].propose(context)
