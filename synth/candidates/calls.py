"""Account of paid calls, as a proposer sees it: a call is reserved before it is made and settled after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Charge:
    """Cost of a call.

    `tokens` and `cost` (money) are None if unknown. `estimated` is true if they are upper bounds, not measured values.
    """

    tokens: int | None = None
    cost: float | None = None
    estimated: bool = False


NO_CHARGE = Charge(0, 0.0)


@dataclass(frozen=True)
class CallRequest:
    """A call that a proposer wants to make.

    `trial` is the number of its trial, `digest` and `characters` describe its prompt, `limit` is the most that the call
    may cost, and `details` are further fields of its ledger event.
    """

    trial: int
    proposer: str
    model: str | None
    digest: str
    characters: int
    limit: Charge
    details: Mapping[str, Any] = field(default_factory=dict)


class CallAccount(Protocol):
    """Account that every paid call passes. Its events are in the study's ledger."""

    @property
    def settled(self) -> Sequence[Mapping[str, Any]]:
        """Events of the settled calls of the study, in order."""

    def reserve(self, request: CallRequest) -> Mapping[str, Any]:
        """Records a call and the most that it may cost.

        Returns:
            The recorded event, which `settle` takes.

        Raises:
            ProposerStopped: The budget does not cover the call.
        """

    def settle(
        self, reserved: Mapping[str, Any], outcome: str, charge: Charge, details: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Records the outcome of a reserved call and charges the budget."""
