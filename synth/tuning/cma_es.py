"""CMA-ES over the unit cube that stands for the ranges, begun again whenever it has come to rest."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.parameter_sampling import values_at
from hl_dsl.synth.environments.random_numbers import generator

STEP = 0.25  # the usual first step size; every range is scaled to [0, 1]
_MOST_RESTARTS = 100


def usual_population(count: int) -> int:
    """CMA-ES's own: 4 + 3 ln n."""
    return 4 + int(3 * math.log(max(2, count)))


class CmaEs:
    """Begins at the best point known, every second time anywhere, each time with twice the population (16 times at most)."""

    def __init__(self, parameters: Sequence[Parameter], seed: int, population: int | None, step_size: float | None):
        self.parameters, self.seed = parameters, seed
        self.population, self.step_size = population or usual_population(len(parameters)), step_size or STEP
        self.restarts = -1
        self._current = None

    @property
    def rested(self) -> bool:
        """Whether it is at its end, or has not begun."""
        return self._current is None or bool(self._current.stop())

    @property
    def exhausted(self) -> bool:
        return self.restarts + 1 >= _MOST_RESTARTS

    @property
    def sigma(self) -> float:
        return float(self._current.sigma)

    def begin(self, start: Mapping[str, float]) -> None:
        """Begins, or begins again."""
        import cma

        self.restarts += 1
        random = generator(self.seed, self.restarts, "tune")
        point = [(start[one.name] - one.low) / (one.high - one.low) for one in self.parameters]
        if self.restarts % 2:
            point = [random.random() for _ in point]
        # CMA-ES needs two dimensions; where one parameter is tuned the second does nothing.
        point += [0.5] * (2 - len(point))
        options = {
            "bounds": [0, 1],
            "seed": random.randrange(1, 2**31),
            "verbose": -9,
            "tolflatfitness": 5,
            "maxiter": 100 * len(point),
        }
        options["popsize"] = max(2, self.population) * 2 ** min(self.restarts, 4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._current = cma.CMAEvolutionStrategy(point, self.step_size, options)

    def ask(self) -> list[dict[str, float]]:
        """The values of the next generation."""
        self._points = self._current.ask()
        return [values_at(self.parameters, point) for point in self._points]

    @property
    def center(self) -> dict[str, float]:
        """The values that the samples are drawn around: where it began, then the weighted mean of the better half of a generation."""
        return values_at(self.parameters, self._current.result.xfavorite)

    def tell(self, scores: Sequence[float]) -> None:
        """What they came to; more is better."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._current.tell(self._points, [-score for score in scores])
