"""Brackets of CMA-ES arms: successive halving over structures, whose parameters are tuned by CMA-ES.

An arm is one structure with a CMA-ES population of its parameters. A bracket starts with several arms. When each has
had its share of batches, the better half continues with three times as many, until one arm remains. That arm
continues until it has converged; then the next bracket starts. So a structure is judged by its best parameters, and a
structure gets few evaluations until it has shown good ones. (Successive halving: Jamieson and Talwalkar, 2016.)

A batch is the samples of one CMA-ES generation and their center. Samples are evaluated on the quick seeds only: that is
enough to rank them, and the best of many samples is often a lucky one. Only the center can become an elite. Each batch
rotates the development seeds, so that parameters are not fitted to the quick seeds of one batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from hl_dsl.synth.candidates.archive import WORST, Archive, ArchivedScore
from hl_dsl.synth.candidates.cma_es import CmaEs, CmaOptions, default_population
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_sampling import ParameterValues

BRACKET = 4  # arms at the start of a bracket
_FIRST_ROUND, _ROUND_FACTOR = 4, 3  # batches of the first round; factor for each later round
_BATCH = 8  # candidates in a batch, the center included; a multiple of it for many parameters
_MOST_FULL = 8  # parameters with a full covariance matrix; with more, a diagonal one is learned sooner
_PATIENCE = 30  # batches without a better sample, after which an arm counts as converged
# Scores are ranks, which are often equal; these termination criteria of `cma` would end an arm too soon.
_IGNORED_STOPS = frozenset({"tolfun", "tolflatfitness", "tolfunhist", "tolstagnation"})
FRESH, NEAR = 0.06, 0.04  # initial step sizes of CMA-ES, as parts of each range: new structure, known structure


@dataclass
class BracketArm:
    """A structure in a bracket.

    Attributes:
        checked: The structure.
        values: Initial values of its parameters; a missing one starts at its default.
        step: Initial step size of CMA-ES.
        change: How the structure was made, in words.
        mutation: The operator that made it.
        parents: Hashes of the programs that it was made from.
        random: Random numbers of its CMA-ES.
        best: Best result so far.
        center: Result of the last center.
        batches: Completed batches.
        batches_since_best: Batches without a better result.
    """

    checked: CheckedCandidate
    values: Mapping[str, float]
    step: float
    change: str
    mutation: str
    parents: tuple[str, ...]
    random: Random
    best: ArchivedScore = WORST
    center: ArchivedScore = WORST
    batches: int = 0
    batches_since_best: int = 0
    _strategy: CmaEs = field(init=False)
    _samples: list[ParameterValues] = field(default_factory=list, init=False)
    _trials: list[int | None] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Makes the optimizer."""
        parameters = self.checked.flow.parameters
        size = _BATCH * math.ceil(default_population(len(parameters)) / _BATCH) - 1
        options = CmaOptions(size, self.step, len(parameters) > _MOST_FULL, _IGNORED_STOPS)
        self._strategy = CmaEs(parameters, lambda restart: self.random, options)

    @property
    def has_converged(self) -> bool:
        """Whether more batches are not expected to improve it."""
        return self.batches_since_best >= _PATIENCE or self._strategy.is_started and self._strategy.has_converged

    def next_values(self) -> ParameterValues | None:
        """The next values of the batch, the center last; None if the batch is complete."""
        if not self._strategy.is_started:
            self._strategy.restart(self.values)
        if not self._samples:
            self._samples = self._strategy.ask()
        count = len(self._trials)
        if count == len(self._samples):
            return self._strategy.center
        return self._samples[count] if count < len(self._samples) else None

    @property
    def is_at_center(self) -> bool:
        """Whether the values that were returned last are the center."""
        return len(self._trials) == len(self._samples)

    def assign(self, trial: int | None) -> None:
        """Assigns a trial to the values that were returned last.

        None: there is no such trial, which counts as the worst result.
        """
        self._trials.append(trial)

    def settle(self, archive: Archive) -> None:
        """Updates CMA-ES with the results of the batch, if the batch is complete."""
        if len(self._trials) <= len(self._samples):
            return
        *results, center = [WORST if trial is None else archive.result(trial) for trial in self._trials]
        # Samples are compared on the seeds that all of them were evaluated on.
        scores = [-math.inf if trial is None else archive.quick_score(trial) for trial in self._trials[:-1]]
        ranks = sorted(set(scores), reverse=True)
        self._strategy.tell([-float(ranks.index(score)) for score in scores])
        best = max(*results, center)
        self.batches_since_best = 0 if best > self.best else self.batches_since_best + 1
        self.best = max(self.best, best)
        self.center = center
        self.batches += 1
        archive.seed_rotation += 1
        self._samples, self._trials = [], []


class CmaBrackets:
    """The current bracket. Its state is a function of the trials before.

    Attributes:
        bracket: Number of completed brackets.
        started: Number of arms that the current bracket started, rejected ones included.
        seen: Structures that have had an arm.
    """

    def __init__(self) -> None:
        self.bracket = 0
        self.seen: set[str] = set()
        self._representatives: dict[int, int | None] = {}
        self._start()

    def _start(self) -> None:
        self.arms: list[BracketArm] = []
        self.started, self._batches = 0, _FIRST_ROUND

    def settle(self, archive: Archive) -> None:
        """Updates all arms with the results of their batches."""
        for arm in self.arms:
            arm.settle(archive)

    def next_arm(self) -> BracketArm | None:
        """The arm that is evaluated next; None if a new arm is to be started."""
        while True:
            for arm in self.arms:
                if arm.batches < self._batches and not arm.has_converged:
                    return arm
            if self.started < BRACKET:
                return None
            if len(self.arms) > 1:
                ranked = sorted(self.arms, key=lambda arm: (arm.center, arm.best), reverse=True)
                self.arms, self._batches = ranked[: len(ranked) // 2], self._batches * _ROUND_FACTOR
            elif self.arms and not self.arms[0].has_converged:
                self._batches += 1
            else:
                self.bracket += 1
                self._start()

    def add(self, arm: BracketArm) -> None:
        """Adds an arm to the current bracket."""
        self.started += 1
        self.seen.add(arm.checked.structure)
        self.arms.append(arm)

    def skip(self) -> None:
        """Counts an arm whose structure a gate rejected."""
        self.started += 1

    def representative(self, trial: int, known_as: int | None) -> int | None:
        """The trial with the results of a duplicate.

        Args:
            trial: Number of the duplicate.
            known_as: The trial that it is a duplicate of, which may be a duplicate itself.
        """
        found = known_as if known_as is None else self._representatives.get(known_as, known_as)
        self._representatives[trial] = found
        return found
