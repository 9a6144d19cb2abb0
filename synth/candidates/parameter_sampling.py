"""New values for a structure's parameters: wide while nothing is known, near the good ones afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.archive import ScoredParameters
from hl_dsl.synth.mutation.number_literals import short

ParameterValues = dict[str, float]
_WIDE, _NEAR = 0.25, 0.75  # how often values are drawn anew, or else near a good sample (the rest: between two)


def first_values(
    parameters: Sequence[Parameter], known: Mapping[str, float], new: Sequence[str], random: Random
) -> ParameterValues:
    """Values for a structure that has no samples: new parameters anywhere in their ranges or nearer their defaults, the
    others as in the parent, some of them moved a little."""
    values = {}
    for one in parameters:
        if one.name in new or one.name not in known:
            near = random.random() < 0.5
            values[one.name] = (
                moved(one, one.default, 10 ** random.uniform(-1.5, -0.5), random) if near else anywhere(one, random)
            )
        elif random.random() < 0.3:
            values[one.name] = moved(one, known[one.name], 0.05, random)
        else:
            values[one.name] = known[one.name]
    return values


def fitted_values(
    parameters: Sequence[Parameter], known: Mapping[str, float], new: Sequence[str], random: Random
) -> ParameterValues:
    """Values for a structure whose new parameters begin where recorded frames put them: all of those moved together, by little
    or by much, the others as in the parent."""
    reach = 10 ** random.uniform(-1.3, -0.4)
    return {
        one.name: known[one.name]
        if one.name in known and one.name not in new
        else moved(one, one.default, reach, random)
        for one in parameters
    }


def next_values(
    parameters: Sequence[Parameter], samples: Sequence[ScoredParameters], random: Random
) -> ParameterValues:
    """Values for a structure whose `samples` are known, the best first."""
    good = samples[: max(1, min(8, len(samples) // 3))]
    base = dict(random.choices(good, [0.7**rank for rank in range(len(good))])[0].values)
    way = random.random()
    if way < _WIDE:
        for one in _some(parameters, random):
            base[one.name] = anywhere(one, random)
    elif way < _NEAR or len(good) < 3:
        reach = 10 ** random.uniform(-2.0, -0.5)
        for one in _some(parameters, random):
            base[one.name] = moved(one, base[one.name], reach, random)
    else:
        first, second = random.sample(good, 2)
        factor = random.uniform(0.3, 1.2)
        for one in parameters:
            if one.base != "bool":
                ahead = base[one.name] + factor * (first.values[one.name] - second.values[one.name])
                base[one.name] = short(ahead, one.low, one.high, one.base)
    return base


def _some(parameters: Sequence[Parameter], random: Random) -> list[Parameter]:
    """Usually all of a few parameters, or a few of many."""
    count = min(len(parameters), random.choice((1, 2, 2, 3, 4)))
    return random.sample(list(parameters), count)


def anywhere(one: Parameter, random: Random) -> float:
    """A value from all over the range."""
    if one.base == "bool":
        return random.random() < 0.5
    return short(random.uniform(one.low, one.high), one.low, one.high, one.base)


def moved(one: Parameter, value: float, reach: float, random: Random) -> float:
    """A value near another; `reach` is a part of the range."""
    if one.base == "bool":
        return not value if random.random() < 0.3 else value
    step = random.gauss(0, 1) * reach * (one.high - one.low)
    if one.base == "int" and abs(step) < 1:
        step = 1 if step > 0 else -1
    return short(value + step, one.low, one.high, one.base)


def values_at(parameters: Sequence[Parameter], point: Sequence[float]) -> ParameterValues:
    """The values at a point of the unit cube that stands for the ranges; further coordinates are left out."""
    values = {}
    for one, part in zip(parameters, point):
        raw = one.low + float(part) * (one.high - one.low)
        values[one.name] = raw >= 0.5 if one.base == "bool" else short(raw, one.low, one.high, one.base)
    return values
