"""Proposals of CMA-ES brackets: samples of arms, and structures for new arms."""

from __future__ import annotations

from random import Random

from hl_dsl.synth.candidates.gates import Rejection
from hl_dsl.synth.candidates.parameter_sampling import ParameterValues
from hl_dsl.synth.candidates.proposer import Candidate, Rejected, SearchContext
from hl_dsl.synth.mutation import mutate
from hl_dsl.synth.proposers.local.cma_brackets import FRESH, NEAR, BracketArm, CmaBrackets
from hl_dsl.synth.proposers.local.mutation_weights import mutation_weights
from hl_dsl.synth.proposers.local.proposal_gates import Derivation, ProposalGates

_OTHER_BEHAVIOUR = 0.3  # probability that a structure derives from the best of any behaviour, not from an elite
_FRESH = 0.4  # probability of rules on weighted sums in later brackets; the first bracket has only those


class BracketProposals:
    """The proposals of one generation that belong to the current bracket."""

    def __init__(self, context: SearchContext, brackets: CmaBrackets, gates: ProposalGates):
        self._context, self._brackets, self._gates = context, brackets, gates

    def next(self, random: Random, has_few_numbers: bool) -> tuple[bool, Candidate | Rejected | None]:
        """Whether the batch is open, and the next proposal; None if this attempt made none."""
        arm = self._brackets.next_arm()
        if arm is None:
            return True, self._start_arm(random, has_few_numbers)
        values = arm.next_values()
        return (False, None) if values is None else (True, self._sample(arm, values))

    def _start_arm(self, random: Random, has_few_numbers: bool) -> Rejected | None:
        """Starts an arm.

        In the first bracket it has a new structure; later also a known one, changed or as it is.
        """
        archive, brackets = self._context.archive, self._brackets
        best = archive.best
        if best is not None and brackets.bracket and not brackets.started and best.parameters:
            change, parents = "the best program's constants", (best.checked.hash,)
            brackets.add(BracketArm(best.checked, best.best.values, NEAR, change, "campaign", parents, random))
            return None
        known = archive.choose_other(random) if random.random() < _OTHER_BEHAVIOUR else archive.choose(random)
        if known is None:
            return None
        is_fresh = not brackets.bracket or random.random() < _FRESH
        weights = {"linear-rules": 1.0} if is_fresh else mutation_weights(self._context, known, random, has_few_numbers)
        mutant = mutate(self._context.subject(known), random, weights)
        if mutant is None:
            return None
        parents = (known.checked.hash,)
        checked = self._context.gates.check(mutant.policy)
        if isinstance(checked, Rejection):
            brackets.skip()
            return self._gates.rejected_mutant(mutant, checked, parents)
        proof = self._context.gates.prove(checked)
        if isinstance(proof, Rejection):
            brackets.skip()
            return self._gates.rejected_mutant(mutant, proof, parents)
        if checked.structure not in brackets.seen and checked.flow.parameters:
            step = FRESH if is_fresh else NEAR
            values = known.best.values
            brackets.add(BracketArm(checked, values, step, mutant.change, mutant.mutation, parents, random))
        return None

    def _sample(self, arm: BracketArm, values: ParameterValues) -> Candidate | Rejected:
        candidate = arm.checked.with_values(values)
        derivation = Derivation(f"{arm.change}, constants tuned together", arm.mutation, arm.parents)
        duplicate = self._gates.recognise(candidate)
        proposal = self._gates.proposal(candidate, derivation, values, duplicate=duplicate, brief=not arm.is_at_center)
        if isinstance(proposal, Candidate):
            arm.assign(proposal.index)
        else:
            arm.assign(self._brackets.representative(proposal.index, proposal.rejection.known_as))
        return proposal
