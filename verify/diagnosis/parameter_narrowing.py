"""Parameter narrowing: smaller ranges of the parameters, around their defaults, for which a program is proved.

If the whole box of ranges fails, all ranges first shrink together towards the defaults, by bisection, until the
program is proved. Then each end moves out again as far as a bisection finds. The result is rounded inwards to short
numbers and proved once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow, Parameter
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof
from hl_dsl.verify.screening import screen

_HALVINGS = 7  # steps of the bisection of all ranges together
_STEPS = 5  # steps of the bisection of one end
_SOLVER_STEPS = 200_000  # z3's resource counter for one query
_DIGITS = 3  # significant digits of an end, at first


class Axis(NamedTuple):
    """One declared parameter with a range.

    Attributes:
        name: Its name.
        positions: Positions of its components among the scalar parameters.
        base: "real" or "int".
        low: Declared lower end.
        high: Declared upper end.
        first: Smallest default of a component.
        last: Largest default of a component.
    """

    name: str
    positions: tuple[int, ...]
    base: str
    low: int | float
    high: int | float
    first: int | float
    last: int | float


@dataclass(frozen=True)
class NarrowedRanges:
    """Result of a narrowing.

    Attributes:
        ranges: The proved range of each parameter, by name; None if the program is not proved even at the defaults.
        changed: Names of the parameters whose range is smaller than declared.
        failing: Ids of the goals that are not proved at the defaults.
        proof: The proof for these ranges, or at the defaults.
        proofs: Number of proofs made.
    """

    ranges: dict[str, tuple[int | float, int | float]] | None
    changed: tuple[str, ...]
    failing: tuple[str, ...]
    proof: Proof
    proofs: int


# The range of each parameter, by name.
Box: TypeAlias = dict[str, tuple[int | float, int | float]]


def narrow_parameters(flow: Dataflow, limits: ProofLimits = DEFAULT_LIMITS) -> NarrowedRanges:
    """Finds ranges for which all goals are proved. If all are proved for the declared ranges, nothing changes."""
    axes = _axes(flow.parameters)
    search = _Search(flow, axes, limits)
    whole: Box = {axis.name: (axis.low, axis.high) for axis in axes}
    point: Box = {axis.name: (axis.first, axis.last) for axis in axes}
    proof = prove(with_ranges(flow, axes, whole), limits)
    if proof.passed:
        return NarrowedRanges(whole, (), (), proof, 1)
    at_defaults = prove(with_ranges(flow, axes, point), limits)
    if not at_defaults.passed:
        failing = tuple(result.id for result in at_defaults.results if result.status != ProofStatus.PROVED)
        return NarrowedRanges(None, (), failing, at_defaults, 2)
    box = _grow(axes, _shrink(axes, search.passes), search.passes)
    for digits in (_DIGITS, 6, 17):
        rounded = {axis.name: _round(axis, box[axis.name], digits) for axis in axes}
        proof = prove(with_ranges(flow, axes, rounded), limits)
        if proof.passed:
            break
    else:
        rounded, proof = point, at_defaults
    return NarrowedRanges(
        rounded,
        tuple(axis.name for axis in axes if rounded[axis.name] != whole[axis.name]),
        (),
        proof,
        search.proofs + 3,
    )


def _axes(parameters: Sequence[Parameter]) -> list[Axis]:
    positions_of: dict[str, list[int]] = {}
    for position, entry in enumerate(parameters):
        if entry.base != "bool" and not entry.names:
            positions_of.setdefault(entry.name.partition("[")[0], []).append(position)
    axes = []
    for name, positions in positions_of.items():
        first = parameters[positions[0]]
        defaults = [parameters[position].default for position in positions]
        axes.append(Axis(name, tuple(positions), first.base, first.low, first.high, min(defaults), max(defaults)))
    return axes


def with_ranges(flow: Dataflow, axes: Sequence[Axis], box: Box) -> Dataflow:
    """Returns the program with other ranges of its parameters."""
    parameters = list(flow.parameters)
    for axis in axes:
        low, high = box[axis.name]
        for position in axis.positions:
            parameters[position] = replace(parameters[position], low=low, high=high)
    return replace(flow, parameters=parameters)


class _Search:
    def __init__(self, flow: Dataflow, axes: Sequence[Axis], limits: ProofLimits):
        self.flow, self.axes = flow, axes
        # The search for violations only costs time here: a box is proved or it is not.
        self.limits = replace(
            limits, solver_steps=min(_SOLVER_STEPS, limits.solver_steps), bounded_depths=(0, 0), lanes=0
        )
        self.search_cache = SearchCache()
        self.proofs = 0

    def passes(self, box: Box) -> bool:
        self.proofs += 1
        flow = with_ranges(self.flow, self.axes, box)
        return screen(flow, self.search_cache).passed or prove(flow, self.limits, self.search_cache).passed


def _shrink(axes: Sequence[Axis], passes: Callable[[Box], bool]) -> Box:
    """Returns the largest common share of all ranges, towards the defaults, that bisection finds to pass."""
    good, bad = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (good + bad) / 2
        if passes(_share(axes, share)):
            good = share
        else:
            bad = share
    return _share(axes, good)


def _share(axes: Sequence[Axis], share: float) -> Box:
    return {
        axis.name: (_between(axis, axis.first, axis.low, share), _between(axis, axis.last, axis.high, share))
        for axis in axes
    }


def _between(axis: Axis, start: int | float, end: int | float, share: float) -> int | float:
    if axis.base == "int":
        return start + math.trunc((end - start) * share)
    value = start + (end - start) * share
    return min(max(value, min(start, end)), max(start, end))


def _grow(axes: Sequence[Axis], box: Box, passes: Callable[[Box], bool]) -> Box:
    """Moves each end out as far as it passes with the other ends in place, the first ones first."""
    for axis in axes:
        for side, limit in ((0, axis.low), (1, axis.high)):
            start = box[axis.name][side]
            good, bad = 0.0, 1.0
            if start == limit:
                continue
            if passes(_move(box, axis, side, limit)):
                box = _move(box, axis, side, limit)
                continue
            for _ in range(_STEPS):
                share = (good + bad) / 2
                if passes(_move(box, axis, side, _between(axis, start, limit, share))):
                    good = share
                else:
                    bad = share
            box = _move(box, axis, side, _between(axis, start, limit, good))
    return box


def _move(box: Box, axis: Axis, side: int, end: int | float) -> Box:
    low, high = box[axis.name]
    return {**box, axis.name: (end, high) if side == 0 else (low, end)}


def _round(axis: Axis, pair: tuple[int | float, int | float], digits: int) -> tuple[int | float, int | float]:
    """Returns ends with few digits, inside these ends and around the defaults. Declared ends stay the same."""
    if axis.base == "int":
        return pair
    low = pair[0] if pair[0] == axis.low else min(_short(pair[0], digits, math.ceil), axis.first)
    high = pair[1] if pair[1] == axis.high else max(_short(pair[1], digits, math.floor), axis.last)
    return (low, high)


def _short(value: float, digits: int, towards: Callable[[float], int]) -> float:
    if value == 0 or digits > 16:
        return value
    scale = digits - 1 - math.floor(math.log10(abs(value)))
    whole = towards(value * 10.0**scale)
    short = float(f"{whole}e{-scale}")
    return short if (short >= value if towards is math.ceil else short <= value) else value
