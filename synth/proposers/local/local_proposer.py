"""Local proposer: typed mutations, crossover, and parameters tuned inside each structure, without a network.

A generation has two kinds of proposals. Half of the draws give a known structure other parameter values. The other half
make a new structure from an elite, by a mutation, or from two elites, and draw values for its new parameters a few
times: a structure is judged by its best parameters. If recorded frames led to a complete rule (see
mutation/interception_rule.py), every second draw gives all its parameters new values near the fitted ones.

If an environment shows few numbers, most generations are batches of CMA-ES brackets instead (see cma_brackets.py): many
parameters are tuned together, in structures that start with weighted sums of all that is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate, Rejection
from hl_dsl.synth.candidates.parameter_sampling import first_values, fitted_values, next_values
from hl_dsl.synth.candidates.proposer import Candidate, Proposer, Rejected, SearchContext
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.mutation import MUTATIONS, Mutant, cross, mutate
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.linear_rules import shows_few_numbers
from hl_dsl.synth.mutation.mutate import FITTED
from hl_dsl.synth.proposers.local.bracket_proposals import BracketProposals
from hl_dsl.synth.proposers.local.cma_brackets import CmaBrackets
from hl_dsl.synth.proposers.local.mutation_weights import mutation_weights
from hl_dsl.synth.proposers.local.proposal_gates import Derivation, ProposalGates

_TUNE, _CROSS = 0.5, 0.1  # shares of tuned structures; of crossovers among new structures
_MOST_TRIES = 400  # attempts to fill the lanes of a generation
_MOST_DUPLICATES = 8  # draws of values until they are new
_DRAWS = {0: 1, 1: 2, 2: 3}  # first draws of a structure, by its number of new parameters
_MOST_DRAWS = 4  # first draws of a structure with more new parameters
_FITTED_DRAWS = 6  # first draws of a structure whose parameters start at fitted values
_MOST_FITTED = 3  # fitted structures that are looked for before anything else
_SEARCHES_FITTED = 0.5  # probability of that
_DRAWS_FITTED = 0.5  # probability that all parameters of a fitted structure are drawn again
_RANK_WEIGHT = 0.6  # weight of a fitted structure relative to the next better one
_VAIN_SAMPLES = 16  # samples without a better one that halve the share of tuning
_BRACKETS = 0.9  # share of generations that are batches of a bracket
_NAMED = 4  # parameters that a change names


class LocalProposer(Proposer):
    """See the module.

    Its state is a function of the trials and of the run seed, so that a resumed study is the same.
    """

    def __init__(self) -> None:
        self._brackets = CmaBrackets()
        self._fitted: dict[str, _FittedStructure] = {}

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Fills the lanes of a generation."""
        self._brackets.settle(context.archive)
        return list(_Generation(context, self._brackets, self._fitted).run())


@dataclass(frozen=True)
class _FittedStructure:
    """A structure whose new parameters start at values that recorded frames give.

    `new` are the names of the new parameters, `known` values of the others.
    """

    checked: CheckedCandidate
    known: Mapping[str, float]
    derivation: Derivation
    new: Sequence[str]


@dataclass(frozen=True)
class _NewStructure:
    """A structure without samples.

    `known` are the parent's values, `new` the names of the parameters that the parent does not have.
    """

    checked: CheckedCandidate
    known: Mapping[str, float]
    derivation: Derivation
    is_fitted: bool
    new: Sequence[str]


class _Generation:
    """One generation of proposals."""

    def __init__(self, context: SearchContext, brackets: CmaBrackets, fitted: dict[str, _FittedStructure]):
        assert context.archive.best is not None
        self.context, self.fitted, self.best = context, fitted, context.archive.best
        self.gates = ProposalGates(context)
        random = generator(context.run_seed, context.next_index, "campaigns")
        self.has_few_numbers = shows_few_numbers(Draft(context.subject(self.best), random))
        self.brackets = BracketProposals(context, brackets, self.gates)
        self.uses_brackets = self.has_few_numbers and random.random() < _BRACKETS
        self.lanes = context.slots
        self.waiting: _NewStructure | None = None
        self.draws = 0

    def run(self) -> Iterator[Candidate | Rejected]:
        """The proposals."""
        context, attempt = self.context, 0
        for _ in range(_MOST_TRIES):
            if not self.lanes or self.gates.index - context.next_index == context.most:
                return
            proposal = self._next(generator(context.run_seed, self.gates.index, f"propose {attempt}"))
            if proposal is None:
                attempt += 1
                continue
            attempt = 0
            self.gates.count(proposal)
            self.lanes -= isinstance(proposal, Candidate)
            yield proposal

    def _next(self, random: Random) -> Candidate | Rejected | None:
        if self.draws > 0 and self.waiting is not None:
            self.draws -= 1
            return self._draw_new(self.waiting, random)
        if self.uses_brackets:
            is_open, proposal = self.brackets.next(random, self.has_few_numbers)
            if is_open:
                return proposal
            self.uses_brackets = False  # the batch is complete: the other lanes are for other proposals
        if self.fitted and random.random() < _DRAWS_FITTED:
            return self._draw_fitted(random)
        # The longer tuning has found nothing better, the less it is tried.
        share = _TUNE / (1 + self.best.samples_since_best / _VAIN_SAMPLES)
        tunable = self.context.archive.choose(random, tunable=True) if random.random() < share else None
        return self._tune(tunable, random) if tunable is not None else self._explore(random)

    # parameters

    def _tune(self, structure: Structure, random: Random) -> Candidate | Rejected:
        for _ in range(_MOST_DUPLICATES):
            values = next_values(structure.parameters, structure.samples, random)
            candidate = structure.checked.with_values(values)
            duplicate = self.gates.recognise(candidate)
            if duplicate is None:
                break
        moved = [name for name, value in values.items() if value != structure.best.values.get(name)]
        named = ", ".join(f"`{name}`" for name in moved[:_NAMED]) + (", …" if len(moved) > _NAMED else "")
        change = f"tuned {named}" if moved else "the same constants once more"
        derivation = Derivation(change, "tune", (structure.checked.hash,))
        return self.gates.proposal(candidate, derivation, values, duplicate=duplicate)

    def _draw_new(self, structure: _NewStructure, random: Random) -> Candidate | Rejected:
        draw = fitted_values if structure.is_fitted else first_values
        values = draw(structure.checked.flow.parameters, structure.known, structure.new, random)
        candidate = structure.checked.with_values(values)
        duplicate = self.gates.recognise(candidate)
        return self.gates.proposal(candidate, structure.derivation, values, duplicate=duplicate)

    def _draw_fitted(self, random: Random) -> Candidate | Rejected:
        """Draws all parameters of a fitted structure together.

        A better structure is more likely, and one with many samples less. Many independent draws find what a small
        structure can do sooner than moving step by step, because on one trajectory a score says little about its
        neighbours.
        """
        structures = self.context.archive.structures
        known = [structures.get(key) for key in self.fitted]
        ranked = sorted(zip(self.fitted.values(), known), key=lambda pair: -pair[1].best.score if pair[1] else math.inf)
        weights = [
            _RANK_WEIGHT**rank / (1 + (len(found.samples) if found else _FITTED_DRAWS) / _VAIN_SAMPLES)
            for rank, (_, found) in enumerate(ranked)
        ]
        drawn = random.choices([structure for structure, _ in ranked], weights)[0]
        for _ in range(_MOST_DUPLICATES):
            values = fitted_values(drawn.checked.flow.parameters, drawn.known, drawn.new, random)
            candidate = drawn.checked.with_values(values)
            duplicate = self.gates.recognise(candidate)
            if duplicate is None:
                break
        first = drawn.derivation
        derivation = Derivation(f"{first.change}, other constants", first.operator, first.parents)
        return self.gates.proposal(candidate, derivation, values, duplicate=duplicate)

    # structures

    def _explore(self, random: Random) -> Candidate | Rejected | None:
        archive = self.context.archive
        parent = archive.choose(random)
        if parent is None:
            return None
        derived = self._derived(parent, random)
        if derived is None:
            return None
        mutant, parents = derived
        checked = self.context.gates.check(mutant.policy)
        if isinstance(checked, Rejection):
            return self.gates.rejected_mutant(mutant, checked, parents)
        new = [one.name for one in checked.flow.parameters if one.name.partition("[")[0] in mutant.new_params]
        if checked.structure in archive.structures:
            return self._tune(archive.structures[checked.structure], random)
        derivation, known = Derivation.of(mutant, parents), dict(parent.best.values)
        is_fitted = mutant.mutation in MUTATIONS and MUTATIONS[mutant.mutation].fitted
        self.waiting = _NewStructure(checked, known, derivation, is_fitted, new)
        if is_fitted:
            self.fitted[checked.structure] = _FittedStructure(checked, known, derivation, new)
        if new:
            first = self._draw_new(self.waiting, random)
            # Proof and duplicates concern the structure: if its first draw is rejected there, so would be the others.
            if isinstance(first, Candidate):
                draws = _FITTED_DRAWS if is_fitted else _DRAWS.get(len(new), _MOST_DRAWS)
                self.draws = min(draws, self.lanes) - 1
            return first
        values = {parameter.name: parameter.default for parameter in checked.flow.parameters}
        return self.gates.proposal(checked, derivation, values, duplicate=self.gates.recognise(checked))

    def _derived(self, parent: Structure, random: Random) -> tuple[Mutant, tuple[str, ...]] | None:
        """A mutant of the parent, or of the parent and another elite, with the hashes of its parents."""
        context, subject = self.context, self.context.subject(parent)
        elites = context.archive.elites()
        if len(elites) > 1 and random.random() < _CROSS:
            other = random.choice([elite for elite in elites if elite is not parent])
            crossed = cross(subject, context.subject(other), random)
            return None if crossed is None else (crossed, (parent.checked.hash, other.checked.hash))
        searches_fitted = len(self.fitted) < _MOST_FITTED and random.random() < _SEARCHES_FITTED
        mutant = mutate(subject, random, FITTED) if searches_fitted else None
        weights = mutation_weights(context, parent, random, self.has_few_numbers) if mutant is None else {}
        mutant = mutant or mutate(subject, random, weights)
        return None if mutant is None else (mutant, (parent.checked.hash,))
