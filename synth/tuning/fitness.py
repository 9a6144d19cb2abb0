"""What a sample is worth: one number from its returns over the seeds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hl_dsl.base.errors import HLError

_PARTS = {"mean": lambda returns: sum(returns) / len(returns), "min": min}
_TERM = re.compile(r"(?:(\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?([a-z]+)")
_HINT = "write `mean`, `min`, or a mix such as `0.5*min+0.5*mean`"


@dataclass(frozen=True)
class Fitness:
    """A weighted sum of the mean and the least return over the seeds. `text` is its canonical form."""

    weights: tuple[tuple[float, str], ...]

    @property
    def text(self) -> str:
        return "+".join(name if weight == 1 else f"{weight:g}*{name}" for weight, name in self.weights)

    @property
    def is_mean(self) -> bool:
        return self.weights == MEAN.weights

    def __call__(self, returns: Sequence[float]) -> float:
        return sum(weight * _PARTS[name](returns) for weight, name in self.weights)


MEAN = Fitness(((1.0, "mean"),))


def parse_fitness(text: str) -> Fitness:
    """`mean`, `min`, or weights of both: `0.5*min+0.5*mean`. Raises HLError."""
    weights = tuple(_term(text, term.strip()) for term in text.split("+"))
    names = [name for _, name in weights]
    again = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if again is not None:
        raise HLError(f"the fitness `{text}` names `{again}` twice", _HINT)
    return Fitness(weights)


def _term(text: str, term: str) -> tuple[float, str]:
    found = _TERM.fullmatch(term)
    if found is None or found[2] not in _PARTS:
        raise HLError(
            f"`{text}` is no fitness: `{term}` is not understood"
            if term
            else f"`{text}` is no fitness: a term is empty",
            _HINT,
        )
    weight = 1.0 if found[1] is None else float(found[1])
    if not 0 < weight < float("inf"):
        raise HLError(f"`{text}` is no fitness: a weight must be above 0 and finite", _HINT)
    return weight, found[2]
