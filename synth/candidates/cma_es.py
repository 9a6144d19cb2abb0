"""CMA-ES (package `cma`) over a program's parameters, each range scaled to [0, 1], with restarts.

A restart doubles the population (at most 16 times the first one); every second one starts at a random point.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.parameter_sampling import ParameterValues, values_at

DEFAULT_STEP_SIZE = 0.25  # part of each range; recommended in Hansen, "The CMA Evolution Strategy: A Tutorial"
_MOST_RESTARTS = 100
_MOST_DOUBLINGS = 4  # of the population
_FEWEST_DIMENSIONS = 2  # that CMA-ES needs; if one parameter is tuned the second dimension has no effect


def default_population(count: int) -> int:
    """CMA-ES's default population for `count` parameters: 4 + 3 ln n."""
    return 4 + int(3 * math.log(max(_FEWEST_DIMENSIONS, count)))


@dataclass(frozen=True)
class CmaOptions:
    """Options of CMA-ES.

    Attributes:
        population: Samples in a generation; None: the default for the number of parameters.
        step_size: Initial step size as a part of each range.
        is_diagonal: Whether each parameter is scaled by itself, without covariances.
        ignored_stops: Names of termination criteria of `cma` that do not count as convergence.
        limits: Further options of `cma`.
    """

    population: int | None = None
    step_size: float = DEFAULT_STEP_SIZE
    is_diagonal: bool = False
    ignored_stops: frozenset[str] = frozenset()
    limits: Mapping[str, Any] | None = None


class CmaEs:
    """An optimizer with the interface of `cma`: `ask` returns samples, `tell` takes their scores.

    Args:
        parameters: The parameters, each with its range.
        random_of: Random numbers of a restart, by its number.
        options: Population, step size and termination.
    """

    def __init__(self, parameters: Sequence[Parameter], random_of: Callable[[int], Random], options: CmaOptions):
        self.parameters, self.options, self._random_of = parameters, options, random_of
        self.population = options.population or default_population(len(parameters))
        self.restarts = -1  # the first start is restart 0
        self._strategy: Any = None
        self._points: list[Any] = []

    @property
    def has_converged(self) -> bool:
        """Whether it must be restarted: a termination criterion holds, or it was not started."""
        if self._strategy is None:
            return True
        with _without_warnings():
            return bool(set(self._strategy.stop()) - self.options.ignored_stops)

    @property
    def is_started(self) -> bool:
        """Whether it was started."""
        return self._strategy is not None

    @property
    def is_exhausted(self) -> bool:
        """Whether it was restarted as often as it may be."""
        return self.restarts + 1 >= _MOST_RESTARTS

    @property
    def sigma(self) -> float:
        """The current step size."""
        return float(self._strategy.sigma)

    @property
    def center(self) -> ParameterValues:
        """The center of the next samples.

        At first it is the start, then the weighted mean of the better half of a generation.
        """
        return values_at(self.parameters, self._strategy.result.xfavorite)

    def restart(self, start: Mapping[str, float]) -> None:
        """Starts, or restarts, at the values `start` or, every second time, at a random point."""
        import cma

        self.restarts += 1
        random = self._random_of(self.restarts)
        point = [_scaled(parameter, start) for parameter in self.parameters]
        if self.restarts % 2:
            point = [random.random() for _ in point]
        point += [0.5] * (_FEWEST_DIMENSIONS - len(point))
        options: dict[str, Any] = {
            "bounds": [0, 1],
            "seed": random.randrange(1, 2**31),
            "verbose": -9,
            "popsize": max(2, self.population) * 2 ** min(self.restarts, _MOST_DOUBLINGS),
            "CMA_diagonal": self.options.is_diagonal,
            **(self.options.limits or {}),
        }
        with _without_warnings():
            self._strategy = cma.CMAEvolutionStrategy(point, self.options.step_size, options)

    def ask(self) -> list[ParameterValues]:
        """The values of the next generation's samples."""
        self._points = self._strategy.ask()
        return [values_at(self.parameters, point) for point in self._points]

    def tell(self, scores: Sequence[float]) -> None:
        """Reports the scores of the samples that `ask` returned last; higher is better."""
        with _without_warnings():
            self._strategy.tell(self._points, [-score for score in scores])


def _scaled(parameter: Parameter, values: Mapping[str, float]) -> float:
    """A parameter's value as a part of its range."""
    if parameter.high <= parameter.low:
        return 0.5
    part = (values.get(parameter.name, parameter.default) - parameter.low) / (parameter.high - parameter.low)
    return min(max(float(part), 0.0), 1.0)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Without the warnings of `cma` about flat or noisy scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
