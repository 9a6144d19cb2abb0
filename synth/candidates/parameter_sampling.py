"""Random values for a structure's parameters: in the whole range at first, near good values later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from hl_dsl.compiler.ir.dataflow import Parameter
from hl_dsl.synth.candidates.archive import ScoredParameters
from hl_dsl.synth.mutation.number_literals import short

ParameterValues = dict[str, float]
_WIDE, _NEAR = 0.25, 0.75  # cumulated: values in the whole range, near a good sample (the rest: between two samples)


def first_values(
    parameters: Sequence[Parameter], known: Mapping[str, float], new: Sequence[str], random: Random
) -> ParameterValues:
    """Values for a structure without samples.

    New parameters are drawn from their whole ranges or near their defaults. The others have the parent's values, some
    of them changed a little.

    Args:
        parameters: The structure's parameters.
        known: Values of the parent.
        new: Names of the parameters that the parent does not have.
        random: Random numbers.
    """
    values = {}
    for parameter in parameters:
        if parameter.name in new or parameter.name not in known:
            near = random.random() < 0.5
            values[parameter.name] = (
                moved(parameter, parameter.default, 10 ** random.uniform(-1.5, -0.5), random)
                if near
                else anywhere(parameter, random)
            )
        elif random.random() < 0.3:
            values[parameter.name] = moved(parameter, known[parameter.name], 0.05, random)
        else:
            values[parameter.name] = known[parameter.name]
    return values


def fitted_values(
    parameters: Sequence[Parameter], known: Mapping[str, float], new: Sequence[str], random: Random
) -> ParameterValues:
    """Values for a structure whose new parameters have defaults that were fitted to recorded frames.

    All new parameters are moved together, by little or by much; the others have the parent's values. The arguments
    are those of `first_values`.
    """
    reach = 10 ** random.uniform(-1.3, -0.4)
    return {
        parameter.name: known[parameter.name]
        if parameter.name in known and parameter.name not in new
        else moved(parameter, parameter.default, reach, random)
        for parameter in parameters
    }


def next_values(
    parameters: Sequence[Parameter], samples: Sequence[ScoredParameters], random: Random
) -> ParameterValues:
    """Values for a structure with known `samples`, the best first."""
    good = samples[: max(1, min(8, len(samples) // 3))]
    base = dict(random.choices(good, [0.7**rank for rank in range(len(good))])[0].values)
    choice = random.random()
    if choice < _WIDE:
        for parameter in _some(parameters, random):
            base[parameter.name] = anywhere(parameter, random)
    elif choice < _NEAR or len(good) < 3:
        reach = 10 ** random.uniform(-2.0, -0.5)
        for parameter in _some(parameters, random):
            base[parameter.name] = moved(parameter, base[parameter.name], reach, random)
    else:
        first, second = random.sample(good, 2)
        factor = random.uniform(0.3, 1.2)
        for parameter in parameters:
            if parameter.base != "bool":
                ahead = base[parameter.name] + factor * (first.values[parameter.name] - second.values[parameter.name])
                base[parameter.name] = short(ahead, parameter.low, parameter.high, parameter.base)
    return base


def _some(parameters: Sequence[Parameter], random: Random) -> list[Parameter]:
    """A random subset of one to four parameters."""
    count = min(len(parameters), random.choice((1, 2, 2, 3, 4)))
    return random.sample(list(parameters), count)


def anywhere(parameter: Parameter, random: Random) -> float:
    """A value from the whole range."""
    if parameter.base == "bool":
        return random.random() < 0.5
    return short(random.uniform(parameter.low, parameter.high), parameter.low, parameter.high, parameter.base)


def moved(parameter: Parameter, value: float, reach: float, random: Random) -> float:
    """A value near another one. `reach`: standard deviation as a part of the range."""
    if parameter.base == "bool":
        return not value if random.random() < 0.3 else value
    step = random.gauss(0, 1) * reach * (parameter.high - parameter.low)
    if parameter.base == "int" and abs(step) < 1:
        step = 1 if step > 0 else -1
    return short(value + step, parameter.low, parameter.high, parameter.base)


def values_at(parameters: Sequence[Parameter], point: Sequence[float]) -> ParameterValues:
    """The values at a point of the unit cube onto which the ranges are scaled; excess coordinates are ignored."""
    values = {}
    for parameter, part in zip(parameters, point):
        raw = parameter.low + float(part) * (parameter.high - parameter.low)
        values[parameter.name] = (
            raw >= 0.5 if parameter.base == "bool" else short(raw, parameter.low, parameter.high, parameter.base)
        )
    return values
