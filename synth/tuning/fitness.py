"""Fitness of a sample: one number from its returns over the seeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hl_dsl.base.errors import HLError


def _mean(returns: Sequence[float]) -> float:
    return sum(returns) / len(returns)


def _least(returns: Sequence[float]) -> float:
    return min(returns)


_PARTS: Mapping[str, Callable[[Sequence[float]], float]] = {"mean": _mean, "min": _least}
_TERM = re.compile(r"(?:(\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?([a-z]+)")
_HINT = "write `mean`, `min`, or a mix such as `0.5*min+0.5*mean`"


@dataclass(frozen=True)
class Fitness:
    """A weighted sum of the mean and the least return over the seeds, as (weight, part)."""

    weights: tuple[tuple[float, str], ...]

    @property
    def text(self) -> str:
        """Its canonical form."""
        return "+".join(name if weight == 1 else f"{weight:g}*{name}" for weight, name in self.weights)

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean return."""
        return self.weights == MEAN.weights

    def __call__(self, returns: Sequence[float]) -> float:
        """The fitness of a sample with these returns."""
        return sum(weight * _PARTS[name](returns) for weight, name in self.weights)


MEAN = Fitness(((1.0, "mean"),))


def parse_fitness(text: str) -> Fitness:
    """Parses `mean`, `min`, or a weighted sum such as `0.5*min+0.5*mean`. Raises HLError if it is invalid."""
    weights = tuple(_term(text, term.strip()) for term in text.split("+"))
    names = [name for _, name in weights]
    repeated = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if repeated is not None:
        raise HLError(f"the fitness `{text}` names `{repeated}` twice", _HINT)
    return Fitness(weights)


def _term(text: str, term: str) -> tuple[float, str]:
    match = _TERM.fullmatch(term)
    if match is None or match[2] not in _PARTS:
        raise HLError(
            f"`{text}` is not a valid fitness: `{term}` is not understood"
            if term
            else f"`{text}` is not a valid fitness: a term is empty",
            _HINT,
        )
    weight = 1.0 if match[1] is None else float(match[1])
    if not 0 < weight < float("inf"):
        raise HLError(f"`{text}` is not a valid fitness: a weight must be above 0 and finite", _HINT)
    return weight, match[2]
