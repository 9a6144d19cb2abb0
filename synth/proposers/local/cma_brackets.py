"""Tuning all parameters of a structure together, and which structures are worth it.

Each campaign is an island: one structure, and a population of its parameters led by CMA-ES. A bracket begins with several
campaigns. When each has had its share of batches the better half goes on for three times as many, until one is left; that one
goes on until it has come to rest, and then another bracket begins. So a structure is judged by what its constants can make
of it, and no structure is given much before it has shown something.

A batch is a few points and the middle of the population. The points are played on the smoke seeds alone: that is enough to
tell which way is better, and the best of many is mostly a lucky one. The middle can come among the elites. For each
batch other development seeds come first, so that nothing is fitted to the few on which most points end.
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

BRACKET = 4  # campaigns a bracket begins with
_FIRST, _LONGER = 4, 3  # batches in its first round, and how many times as many in each later one
_BATCH = 8  # points, the middle included; or twice as many where there are many parameters
_MANY = 8  # parameters; of more, each is scaled by itself, which is learned sooner than how they hang together
_PATIENCE = 30  # batches without a better point, and the last campaign is at rest
_IGNORED_STOPS = frozenset({"tolfun", "tolflatfitness", "tolfunhist", "tolstagnation"})  # scores are ranks: often equal
FRESH, NEAR = 0.06, 0.04  # first steps of CMA-ES, every range scaled to [0, 1]


@dataclass
class BracketArm:
    """`values`: where it begins. `step`: how far its first points are spread. `change`, `mutation`, `parents`: how the
    structure came about, as a trial records it."""

    checked: CheckedCandidate
    values: Mapping[str, float]
    step: float
    change: str
    mutation: str
    parents: tuple[str, ...]
    random: Random
    best: ArchivedScore = WORST
    middle: ArchivedScore = WORST
    batches: int = 0
    stale: int = 0
    _strategy: CmaEs = field(init=False)
    _points: list[ParameterValues] = field(default_factory=list, init=False)
    _trials: list[int | None] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Makes the optimizer."""
        parameters = self.checked.flow.parameters
        size = _BATCH * math.ceil(default_population(len(parameters)) / _BATCH) - 1
        options = CmaOptions(size, self.step, len(parameters) > _MANY, _IGNORED_STOPS)
        self._strategy = CmaEs(parameters, lambda restart: self.random, options)

    @property
    def at_rest(self) -> bool:
        return self.stale >= _PATIENCE or self._strategy.is_started and self._strategy.has_converged

    def next_values(self) -> ParameterValues | None:
        """The next point of the batch; None where all of it has been given."""
        if not self._strategy.is_started:
            self._strategy.restart(self.values)
        if not self._points:
            self._points = self._strategy.ask()
        given = len(self._trials)
        if given == len(self._points):
            return self._strategy.center
        return self._points[given] if given < len(self._points) else None

    @property
    def at_middle(self) -> bool:
        """Whether the point that was asked for last is the middle of the population."""
        return len(self._trials) == len(self._points)

    def given(self, trial: int | None) -> None:
        """Which trial tells what the point came to; None: no trial does."""
        self._trials.append(trial)

    def settle(self, archive: Archive) -> None:
        """Learns from the batch, once all of it has been settled."""
        if len(self._trials) <= len(self._points):
            return
        *results, middle = [WORST if trial is None else archive.result(trial) for trial in self._trials]
        # The points are compared on the seeds that all of them played.
        smoke = [-math.inf if trial is None else archive.smoke(trial) for trial in self._trials[:-1]]
        order = sorted(set(smoke), reverse=True)
        self._strategy.tell([-float(order.index(score)) for score in smoke])
        best = max(*results, middle)
        self.stale = 0 if best > self.best else self.stale + 1
        self.best = max(self.best, best)
        self.middle = middle
        self.batches += 1
        archive.turn += 1
        self._points, self._trials = [], []


class CmaBrackets:
    """Whose turn it is. A function of what the trials before came to."""

    def __init__(self):
        self.bracket = 0
        self.seen: set[str] = set()
        self._same_as: dict[int, int | None] = {}
        self._begin()

    def _begin(self) -> None:
        self.running: list[BracketArm] = []
        self.started, self._batches = 0, _FIRST

    def settle(self, archive: Archive) -> None:
        for one in self.running:
            one.settle(archive)

    def turn(self) -> BracketArm | None:
        """The campaign to go on with; None: a new one should begin."""
        while True:
            for one in self.running:
                if one.batches < self._batches and not one.at_rest:
                    return one
            if self.started < BRACKET:
                return None
            if len(self.running) > 1:
                ranked = sorted(self.running, key=lambda one: (one.middle, one.best), reverse=True)
                self.running, self._batches = ranked[: len(ranked) // 2], self._batches * _LONGER
            elif self.running and not self.running[0].at_rest:
                self._batches += 1
            else:
                self.bracket += 1
                self._begin()

    def add(self, campaign: BracketArm) -> None:
        self.started += 1
        self.seen.add(campaign.checked.structure)
        self.running.append(campaign)

    def known(self, trial: int, known_as: int | None) -> int | None:
        """The trial that tells what a duplicate comes to."""
        self._same_as[trial] = found = self._same_as.get(known_as, known_as)
        return found

    def passed_over(self) -> None:
        """A structure that was to begin did not pass the gates."""
        self.started += 1
