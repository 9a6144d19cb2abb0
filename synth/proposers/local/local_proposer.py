"""The proposer that needs no key and no network: typed mutations, crossover, and constants tuned inside each structure.

A generation is filled with two kinds of proposals. Half of the draws take a structure that is known and give its
parameters other values. The other half make a new structure from an elite, by a mutation or from two elites, and give
it a few draws of the parameters that are new in it: a structure is judged by what its constants can make of it. Where recorded
frames gave a whole assembly (see mutation/chase.py), every second draw is of all its parameters together, as chance would
draw them, about the values that the recordings gave.

Where an environment shows a few numbers, most generations are a batch of a campaign instead (see campaigns.py): many
parameters are tuned together, in structures that begin with weighted sums of all that is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate, Rejection
from hl_dsl.synth.candidates.parameter_sampling import first_values, fitted_values, next_values
from hl_dsl.synth.candidates.proposer import Candidate, Proposer, Rejected, SearchContext
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.mutation import MUTATIONS, Mutant, Subject, cross, mutate
from hl_dsl.synth.mutation.constants import bare_comparisons
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.linear_rules import shows_few_numbers
from hl_dsl.synth.mutation.mutate import FITTED, LINEAR
from hl_dsl.synth.proposers.local.cma_brackets import FRESH, NEAR, BracketArm, CmaBrackets
from hl_dsl.synth.runs.statuses import Gate

_TUNE, _CROSS = 0.5, 0.1
_MOST_TRIES = 400  # proposals a generation may take to fill its slots
_DRAWS = {0: 1, 1: 2, 2: 3}  # first draws of a structure by its number of new parameters; four for more
_FITTED_DRAWS = 6  # of one whose parameters begin where recorded frames put them
_ASSEMBLIES, _ASSEMBLING = 3, 0.5  # so many are looked for before anything else, that often
_DRAWING = 0.5  # how often all parameters of such a structure are drawn anew
_CONSTANTS_FIRST = 0.6  # how often a program with bare comparisons has parameters put into them


_CAMPAIGNING = 0.9  # the share of generations that are a campaign's
_OTHER = 0.3  # how often a campaign begins from the best of any behaviour, not from an elite


class LocalProposer(Proposer):
    """See the module. What it keeps is a function of the trials and of the run's seed, so a run that goes on is the same."""

    def __init__(self):
        self._campaigns, self._assemblies = CmaBrackets(), {}

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        self._campaigns.settle(situation.archive)
        return list(_Generation(situation, self._campaigns, self._assemblies).run())


@dataclass(frozen=True)
class _Assembly:
    """A structure whose new parameters, `new`, begin where recorded frames put them. `known`: values for the others."""

    checked: CheckedCandidate
    known: Mapping[str, float]
    mutant: Mutant
    parents: tuple[str, ...]
    new: Sequence[str]


class _Generation:
    def __init__(self, situation: SearchContext, campaigns: CmaBrackets, assemblies: dict[str, _Assembly]):
        self.situation, self.campaigns, self.assemblies = situation, campaigns, assemblies
        random = generator(situation.run_seed, situation.next_index, "campaigns")
        few = shows_few_numbers(Draft(situation.subject(situation.archive.best), random))
        self.campaigning = few and random.random() < _CAMPAIGNING
        self.few = few
        self.index = situation.next_index
        self.left = situation.slots
        self.waiting: tuple[CheckedCandidate, Structure, Mutant, tuple[str, ...], list[str]] | None = None
        self.draws = 0
        self.taken: set[str] = set()

    def run(self) -> Iterator[Candidate | Rejected]:
        attempt = 0
        for _ in range(_MOST_TRIES):
            if not self.left or self.index - self.situation.next_index == self.situation.most:
                return
            random = generator(self.situation.run_seed, self.index, f"propose {attempt}")
            proposal = self._next(random)
            if proposal is None:
                attempt += 1
                continue
            self.index, attempt = self.index + 1, 0
            if type(proposal) is Candidate:
                self.left -= 1
                self.taken.add(proposal.checked.hash)
            yield proposal

    def _next(self, random: Random) -> Candidate | Rejected | None:
        if self.draws > 0:
            self.draws -= 1
            return self._draw_new(random)
        if self.campaigning:
            running = self.campaigns.turn()
            if running is None:
                return self._new_campaign(random)
            values = running.next_values()
            if values is not None:
                return self._point(running, values)
            self.campaigning = False  # the batch is out: the other slots are for other things
        archive = self.situation.archive
        if self.assemblies and random.random() < _DRAWING:
            return self._draw_assembly(random)
        # What has been tuned in vain for long is left alone more often.
        share = _TUNE / (1 + archive.best.fruitless / 16)
        tunable = archive.choose(random, tunable=True) if random.random() < share else None
        return self._tune(tunable, random) if tunable is not None else self._explore(random)

    # constants

    def _tune(self, structure: Structure, random: Random) -> Candidate | Rejected | None:
        for _ in range(8):
            values = next_values(structure.parameters, structure.samples, random)
            candidate = structure.checked.with_values(values)
            found = self._recognised(candidate)
            if type(found) is str:
                break
        moved = [name for name, value in values.items() if value != structure.best.values.get(name)]
        change = (
            "tuned " + ", ".join(f"`{name}`" for name in moved[:4]) + (", …" if len(moved) > 4 else "")
            if moved
            else "the same constants once more"
        )
        return self._passed(candidate, found, change, "tune", (structure.checked.hash,), values)

    def _draw_new(self, random: Random) -> Candidate | Rejected:
        checked, parent, mutant, parents, new = self.waiting
        draw = fitted_values if self._fitted(mutant) else first_values
        values = draw(checked.flow.parameters, parent.best.values, new, random)
        candidate = checked.with_values(values)
        return self._passed(candidate, self._recognised(candidate), mutant.change, mutant.mutation, parents, values)

    def _draw_assembly(self, random: Random) -> Candidate | Rejected:
        """All parameters of an assembly drawn together. Which of several: the better the likelier, and the less the more it was drawn.

        What a small structure can do is found sooner by many draws than by one that is moved step by step: on one trajectory
        a score says little of its neighbours.
        """
        structures = self.situation.archive.structures
        known = [structures.get(key) for key in self.assemblies]
        ranked = sorted(
            zip(self.assemblies.values(), known), key=lambda one: -one[1].best.score if one[1] else math.inf
        )
        weights = [
            0.6**rank / (1 + (len(found.samples) if found else _FITTED_DRAWS) / 16)
            for rank, (_, found) in enumerate(ranked)
        ]
        drawn = random.choices([assembly for assembly, _ in ranked], weights)[0]
        for _ in range(8):
            values = fitted_values(drawn.checked.flow.parameters, drawn.known, drawn.new, random)
            candidate = drawn.checked.with_values(values)
            found = self._recognised(candidate)
            if type(found) is str:
                break
        return self._passed(
            candidate, found, f"{drawn.mutant.change}, other constants", drawn.mutant.mutation, drawn.parents, values
        )

    # campaigns

    def _new_campaign(self, random: Random) -> Rejected | None:
        """Begins one: from nothing, in a first bracket; later also from what is known, changed or as it is."""
        archive, campaigns = self.situation.archive, self.campaigns
        if campaigns.bracket and not campaigns.started and archive.best.parameters:
            best = archive.best
            campaigns.add(
                BracketArm(
                    best.checked,
                    best.best.values,
                    NEAR,
                    "the best program's constants",
                    "campaign",
                    (best.checked.hash,),
                    random,
                )
            )
            return None
        known = archive.choose_other(random) if random.random() < _OTHER else archive.choose(random)
        subject, fresh = self.situation.subject(known), not campaigns.bracket or random.random() < 0.4
        weights = {"linear-rules": 1.0} if fresh else self._weights(known, subject, random)
        mutant = mutate(subject, random, weights)
        if mutant is None:
            return None
        parents = (known.checked.hash,)
        checked = self.situation.gates.check(mutant.policy)
        verdict = checked if isinstance(checked, Rejection) else self.situation.gates.prove(checked)
        if isinstance(verdict, Rejection):
            campaigns.passed_over()
            return Rejected(
                self.index, None, format_policy(mutant.policy), verdict, mutant.change, mutant.mutation, parents
            )
        if checked.structure not in campaigns.seen and checked.flow.parameters:
            campaigns.add(
                BracketArm(
                    checked,
                    known.best.values,
                    FRESH if fresh else NEAR,
                    mutant.change,
                    mutant.mutation,
                    parents,
                    random,
                )
            )
        return None

    def _point(self, running: BracketArm, values: dict[str, float]) -> Candidate | Rejected:
        candidate = running.checked.with_values(values)
        found = self._recognised(candidate)
        change = f"{running.change}, constants tuned together"
        proposal = self._passed(
            candidate, found, change, running.mutation, running.parents, values, brief=not running.at_middle
        )
        running.given(
            proposal.index
            if type(proposal) is Candidate
            else self.campaigns.known(proposal.index, proposal.rejection.known_as)
        )
        return proposal

    # structures

    def _explore(self, random: Random) -> Candidate | Rejected | None:
        archive = self.situation.archive
        parent = archive.choose(random)
        subject = self.situation.subject(parent)
        parents = (parent.checked.hash,)
        if len(archive.elites()) > 1 and random.random() < _CROSS:
            other = random.choice([one for one in archive.elites() if one is not parent])
            mutant = cross(subject, self.situation.subject(other), random)
            parents += (other.checked.hash,)
        else:
            assembling = len(self.assemblies) < _ASSEMBLIES and random.random() < _ASSEMBLING
            mutant = mutate(subject, random, FITTED) if assembling else None
            mutant = mutant or mutate(subject, random, self._weights(parent, subject, random))
        if mutant is None:
            return None
        checked = self.situation.gates.check(mutant.policy)
        if isinstance(checked, Rejection):
            return Rejected(
                self.index, None, format_policy(mutant.policy), checked, mutant.change, mutant.mutation, parents
            )
        new = [one.name for one in checked.flow.parameters if one.name.partition("[")[0] in mutant.new_params]
        if checked.structure in archive.structures:
            return self._tune(archive.structures[checked.structure], random)
        self.waiting = (checked, parent, mutant, parents, new)
        if self._fitted(mutant):
            self.assemblies[checked.structure] = _Assembly(checked, dict(parent.best.values), mutant, parents, new)
        if new:
            first = self._draw_new(random)
            # The proof and the duplicates speak of the structure: where its first draw stops there, so would the rest.
            if type(first) is Candidate:
                self.draws = min(_FITTED_DRAWS if self._fitted(mutant) else _DRAWS.get(len(new), 4), self.left) - 1
            return first
        values = {one.name: one.default for one in checked.flow.parameters}
        return self._passed(checked, self._recognised(checked), mutant.change, mutant.mutation, parents, values)

    def _weights(self, parent: Structure, subject: Subject, random: Random) -> dict[str, float]:
        """How often each mutation is drawn: its own weight, times how it has done in this run, and more often what can
        break a habit where the parent's episode ended in one."""
        stuck = self.situation.ended_without_reward(parent)
        weights = {
            name: one.weight * self._luck(name) * (one.when_stuck if stuck else 1.0) for name, one in MUTATIONS.items()
        }
        if bare_comparisons(Draft(subject, random)):
            rest = sum(weights.values()) - weights["offset-comparisons"]
            weights["offset-comparisons"] = rest * _CONSTANTS_FIRST / (1 - _CONSTANTS_FIRST)
        else:
            weights["offset-comparisons"] = 0.0
        return weights | (LINEAR if self.few else {})

    def _luck(self, name: str) -> float:
        tried, accepted = self.situation.credit.get(name, (0, 0))
        return (accepted + 1) / (tried + 4) * 4

    @staticmethod
    def _fitted(mutant: Mutant) -> bool:
        return mutant.mutation in MUTATIONS and MUTATIONS[mutant.mutation].fitted

    # gates

    def _recognised(self, candidate: CheckedCandidate) -> Rejection | str:
        found = self.situation.gates.recognise(candidate)
        if type(found) is str and found in self.taken:
            return Rejection(Gate.DUPLICATE, "the same program as one of this generation", found)
        return found

    def _passed(
        self,
        candidate: CheckedCandidate,
        found: Rejection | str,
        change: str,
        origin: str,
        parents,
        values,
        brief: bool = False,
    ) -> Candidate | Rejected:
        gates = self.situation.gates
        stopped = found if isinstance(found, Rejection) else None
        proof = ""
        if stopped is None:
            verdict = gates.prove(candidate)
            stopped, proof = (verdict, "") if isinstance(verdict, Rejection) else (None, verdict)
        if stopped is None:
            stopped = self.situation.recall(candidate)
        if stopped is not None:
            return Rejected(self.index, candidate, candidate.program.text, stopped, change, origin, parents)
        return Candidate(self.index, candidate, proof, change, origin, parents, dict(values), brief=brief)
