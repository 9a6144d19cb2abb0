"""Gates that each proposal of the local proposer passes before it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.synth.candidates.gates import CheckedCandidate, Rejection
from hl_dsl.synth.candidates.proposer import Candidate, Rejected, SearchContext
from hl_dsl.synth.mutation import Mutant
from hl_dsl.synth.runs.statuses import Gate


@dataclass(frozen=True)
class Derivation:
    """Derivation of a proposal: the change in words, the operator, and the hashes of its parents."""

    change: str
    operator: str
    parents: tuple[str, ...]

    @classmethod
    def of(cls, mutant: Mutant, parents: tuple[str, ...]) -> Derivation:
        """The derivation of a mutant."""
        return cls(mutant.change, mutant.mutation, parents)


class ProposalGates:
    """Numbers the proposals of a generation, and sends them through the gates.

    Attributes:
        index: Number of the next proposal.
    """

    def __init__(self, context: SearchContext):
        self._context = context
        self.index = context.next_index
        self._proposed_hashes: set[str] = set()

    def count(self, proposal: Candidate | Rejected) -> None:
        """Takes a proposal into account: the next one gets the next number."""
        self.index += 1
        if isinstance(proposal, Candidate):
            self._proposed_hashes.add(proposal.checked.hash)

    def recognise(self, candidate: CheckedCandidate) -> Rejection | None:
        """A rejection if the same program is known, or was proposed in this generation."""
        verdict = self._context.gates.recognise(candidate)
        if isinstance(verdict, Rejection):
            return verdict
        if verdict in self._proposed_hashes:
            return Rejection(Gate.DUPLICATE, "the same program as one of this generation", verdict)
        return None

    def rejected_mutant(self, mutant: Mutant, rejection: Rejection, parents: tuple[str, ...]) -> Rejected:
        """A mutant that was rejected before it had parameter values."""
        text = format_policy(mutant.policy)
        return Rejected(self.index, None, text, rejection, mutant.change, mutant.mutation, parents)

    def proposal(
        self,
        candidate: CheckedCandidate,
        derivation: Derivation,
        values: Mapping[str, float],
        *,
        duplicate: Rejection | None,
        brief: bool = False,
    ) -> Candidate | Rejected:
        """The proposal of a candidate, which is rejected if it is a duplicate, not proved, or acts as a known program.

        Args:
            candidate: The candidate.
            derivation: How it was made.
            values: Values of its parameters.
            duplicate: Result of `recognise`.
            brief: Whether it is evaluated on the quick seeds only.
        """
        rejection, proof = duplicate, ""
        if rejection is None:
            verdict = self._context.gates.prove(candidate)
            rejection, proof = (verdict, "") if isinstance(verdict, Rejection) else (None, verdict)
        if rejection is None:
            rejection = self._context.recall(candidate)
        change, operator, parents = derivation.change, derivation.operator, derivation.parents
        if rejection is not None:
            text = candidate.program.text
            return Rejected(self.index, candidate, text, rejection, change, operator, parents)
        return Candidate(self.index, candidate, proof, change, operator, parents, dict(values), brief=brief)
