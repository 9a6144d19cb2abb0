"""What the search has found: structures, and the values their parameters were tried with."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from random import Random

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.gates import CheckedCandidate

KEPT = 8  # structures that have children

# How many episodes a trial came to the end of, and their mean. More episodes are better: a trial that is clearly worse is
# given fewer.
ArchivedScore = tuple[int, float]
WORST: ArchivedScore = (0, 0.0)


@dataclass(frozen=True)
class ScoredParameters:
    """Values of a structure's parameters, and the score they gave."""

    trial: int
    values: Mapping[str, float]
    score: float


@dataclass
class Structure:
    """A program up to the defaults of its parameters. `checked` is its best version so far, `hash` that version's.

    `fruitless`: samples since the best one.
    """

    key: str
    checked: CheckedCandidate
    samples: list[ScoredParameters] = field(default_factory=list)
    fruitless: int = 0

    @property
    def best(self) -> ScoredParameters:
        return self.samples[0]

    @property
    def parameters(self) -> list[Parameter]:
        return self.checked.flow.parameters

    @property
    def size(self) -> int:
        return len(self.checked.flow.nodes)

    def add(self, sample: ScoredParameters, checked: CheckedCandidate) -> None:
        """Takes a sample."""
        better = not self.samples or sample.score > self.best.score
        self.samples.append(sample)
        self.samples.sort(key=lambda one: (-one.score, one.trial))
        self.fruitless = 0 if better else self.fruitless + 1
        if better:
            self.checked = checked


class Archive:
    """All structures that were scored. The elites, from which proposals are made, are the best `KEPT` of them that are no
    worse than the first program; of those with one score, only the smallest: what it has more than that one, it does not
    need. `first` is the first program's score. Beside the elites stands, for every behaviour that was seen (see
    behaviour.py), the structure that scored best with it: other ways to go on from, when the best one leads no further.
    `turn` says which development seeds come first; who proposes moves it on once all is known that is to be compared.
    """

    def __init__(self):
        self.structures: dict[str, Structure] = {}
        self.first: float | None = None
        self.niches: dict[Hashable, tuple[float, str]] = {}
        self.behaviours: dict[str, Hashable] = {}  # of each structure's best version
        self.turn = 0
        self._results: dict[int, ArchivedScore] = {}
        self._smoke: dict[int, float] = {}

    def note(self, trial: int, episodes: int, mean: float | None, smoke: float | None) -> None:
        """Keeps what a trial came to, whole or not, and its mean on the smoke seeds; None: an episode did not end."""
        self._results[trial] = (episodes, mean) if mean is not None else WORST
        self._smoke[trial] = -math.inf if smoke is None else smoke

    def result(self, trial: int) -> ArchivedScore:
        """What a trial came to; the worst there is where it played nothing."""
        return self._results.get(trial, WORST)

    def smoke(self, trial: int) -> float:
        """A trial's mean on the smoke seeds; -inf where it played nothing."""
        return self._smoke.get(trial, -math.inf)

    def ranked(self) -> list[Structure]:
        """By their best score, the smaller and the earlier first among equals."""
        return sorted(self.structures.values(), key=lambda one: (-one.best.score, one.size, one.best.trial))

    def elites(self) -> list[Structure]:
        found: list[Structure] = []
        for one in self.ranked():
            if len(found) == KEPT or one.best.score < self.first:
                break
            if not found or one.best.score < found[-1].best.score:
                found.append(one)
        return found

    @property
    def best(self) -> Structure | None:
        return next(iter(self.ranked()), None)

    def would_accept(self, structure: str, score: float) -> bool:
        """Whether a score is a structure's best so far and puts it among the elites."""
        known = self.structures.get(structure)
        if self.first is not None and score < self.first or known is not None and score <= known.best.score:
            return False
        return (
            len({one.best.score for key, one in self.structures.items() if key != structure and one.best.score > score})
            < KEPT
        )

    def add(self, sample: ScoredParameters, checked: CheckedCandidate, behaviour: Hashable = None) -> None:
        """Takes a scored candidate."""
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
        """An elite, the better the likelier; one that has had many fruitless samples is less so when tuning."""
        elites = [one for one in self.elites() if not tunable or one.parameters]
        if not elites:
            return None
        weights = [0.6**rank / (1 + one.fruitless / 8 if tunable else 1) for rank, one in enumerate(elites)]
        return random.choices(elites, weights)[0]

    def choose_other(self, random: Random) -> Structure:
        """The best structure of a behaviour, each behaviour as likely as another."""
        return self.structures[random.choice(list(self.niches.values()))[1]] if self.niches else self.choose(random)
