"""Archive of a search: structures, and the parameter values that they were evaluated with."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from random import Random

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.gates import CheckedCandidate

KEPT = 8  # elites: structures that new programs are derived from
_RANK_WEIGHT = 0.6  # weight of an elite relative to the next better one
_VAIN_SAMPLES = 8  # samples without a better one that halve an elite's weight for tuning

ArchivedScore = tuple[int, float]
"""Finished episodes of a trial, and their mean return. More episodes are better: a clearly worse trial gets fewer."""
WORST: ArchivedScore = (0, 0.0)


@dataclass(frozen=True)
class ScoredParameters:
    """Values of a structure's parameters, and their score in trial `trial`."""

    trial: int
    values: Mapping[str, float]
    score: float


@dataclass
class Structure:
    """A program up to the defaults of its parameters.

    Attributes:
        key: Hash of the structure.
        checked: Its best version so far.
        samples: Its scored parameter values, the best first.
        samples_since_best: Number of samples since the best one.
    """

    key: str
    checked: CheckedCandidate
    samples: list[ScoredParameters] = field(default_factory=list)
    samples_since_best: int = 0

    @property
    def best(self) -> ScoredParameters:
        """The best sample."""
        return self.samples[0]

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters."""
        return self.checked.flow.parameters

    @property
    def size(self) -> int:
        """Number of nodes of the dataflow graph."""
        return len(self.checked.flow.nodes)

    def add(self, sample: ScoredParameters, checked: CheckedCandidate) -> None:
        """Adds a sample. `checked`: the version of the structure that has these values."""
        is_better = not self.samples or sample.score > self.best.score
        self.samples.append(sample)
        self.samples.sort(key=lambda other: (-other.score, other.trial))
        self.samples_since_best = 0 if is_better else self.samples_since_best + 1
        if is_better:
            self.checked = checked


class Archive:
    """All structures that were scored.

    The elites, from which proposals are made, are the best `KEPT` structures that are not worse than the initial
    program. Of several with the same score only the smallest is an elite, because what the others have in addition is
    not needed.

    Attributes:
        structures: All structures by key.
        first: Score of the initial program.
        niches: For each behaviour (see behaviour.py), the best score with it and the structure that has it. These are
            alternatives when the best structure leads no further.
        behaviours: Behaviour of each structure's best version.
        seed_rotation: Decides which development seeds are evaluated first. A proposer increments it when all results
            that are to be compared are known.
    """

    def __init__(self) -> None:
        self.structures: dict[str, Structure] = {}
        self.first: float | None = None
        self.niches: dict[Hashable, tuple[float, str]] = {}
        self.behaviours: dict[str, Hashable] = {}
        self.seed_rotation = 0
        self._results: dict[int, ArchivedScore] = {}
        self._quick_scores: dict[int, float] = {}

    def record_result(self, trial: int, episodes: int, mean: float | None, quick_mean: float | None) -> None:
        """Records the result of a trial.

        Args:
            trial: Its number.
            episodes: Number of its finished episodes.
            mean: Their mean return; None if an episode was not finished.
            quick_mean: The mean return on the quick seeds; None likewise.
        """
        self._results[trial] = (episodes, mean) if mean is not None else WORST
        self._quick_scores[trial] = -math.inf if quick_mean is None else quick_mean

    def result(self, trial: int) -> ArchivedScore:
        """The result of a trial; the worst possible one if it was not evaluated."""
        return self._results.get(trial, WORST)

    def quick_score(self, trial: int) -> float:
        """A trial's mean return on the quick seeds; -inf if it was not evaluated."""
        return self._quick_scores.get(trial, -math.inf)

    def ranked(self) -> list[Structure]:
        """Structures by their best score; of equals, the smaller and the earlier first."""
        return sorted(
            self.structures.values(),
            key=lambda structure: (-structure.best.score, structure.size, structure.best.trial),
        )

    def elites(self) -> list[Structure]:
        """The elites, the best first."""
        elites: list[Structure] = []
        for structure in self.ranked():
            if len(elites) == KEPT or self.first is not None and structure.best.score < self.first:
                break
            if not elites or structure.best.score < elites[-1].best.score:
                elites.append(structure)
        return elites

    @property
    def best(self) -> Structure | None:
        """The best structure."""
        return next(iter(self.ranked()), None)

    def would_accept(self, structure: str, score: float) -> bool:
        """Whether a score is the structure's best so far and makes it an elite."""
        known = self.structures.get(structure)
        if self.first is not None and score < self.first or known is not None and score <= known.best.score:
            return False
        better = {
            other.best.score for key, other in self.structures.items() if key != structure and other.best.score > score
        }
        return len(better) < KEPT

    def add(self, sample: ScoredParameters, checked: CheckedCandidate, behaviour: Hashable = None) -> None:
        """Adds a scored candidate."""
        niche = self.niches.get(behaviour)
        if behaviour is not None and (niche is None or sample.score > niche[0]):
            self.niches[behaviour] = (sample.score, checked.structure)
        if self.first is None:
            self.first = sample.score
        structure = self.structures.get(checked.structure)
        if structure is None:
            structure = self.structures[checked.structure] = Structure(checked.structure, checked)
        structure.add(sample, checked)
        if structure.best is sample:
            self.behaviours[structure.key] = behaviour

    def choose(self, random: Random, tunable: bool = False) -> Structure | None:
        """Draws an elite; better ones are more likely.

        Args:
            random: Random numbers.
            tunable: Whether it must have parameters; then many samples without a better one make an elite less likely.
        """
        elites = [elite for elite in self.elites() if not tunable or elite.parameters]
        if not elites:
            return None
        weights = [
            _RANK_WEIGHT**rank / (1 + elite.samples_since_best / _VAIN_SAMPLES if tunable else 1)
            for rank, elite in enumerate(elites)
        ]
        return random.choices(elites, weights)[0]

    def choose_other(self, random: Random) -> Structure | None:
        """Draws the best structure of a behaviour; every behaviour is equally likely."""
        if not self.niches:
            return self.choose(random)
        return self.structures[random.choice(list(self.niches.values()))[1]]
