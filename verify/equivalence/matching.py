"""Matching of the observations and parameters of two programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from hl_dsl.compiler.ir.dataflow import Dataflow, Input, Parameter

# For each input of a program: its joint position, and whether its own range is smaller, so that it is clamped.
MatchedInputs: TypeAlias = tuple[tuple[int, bool], ...]
# For each parameter of a program: its joint position; None if it is held at its default.
MatchedParameters: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True)
class Matching:
    """Joint observations and parameters of two programs.

    Attributes:
        joint_inputs: Raw observations. Each range contains the ranges of both programs.
        inputs: The inputs of A and of B.
        joint_parameters: Parameters that vary. Each range is the intersection of the ranges of both programs.
        parameters: The parameters of A and of B. A parameter whose defaults differ is held at its default.
        notes: How parameters were matched, and what was compared.
    """

    joint_inputs: tuple[Input, ...]
    inputs: tuple[MatchedInputs, MatchedInputs]
    joint_parameters: tuple[Parameter, ...]
    parameters: tuple[MatchedParameters, MatchedParameters]
    notes: tuple[str, ...]


def match(a: Dataflow, b: Dataflow) -> Matching:
    """Matches observations by their source, and parameters by name and type.

    The remaining parameters are matched in order if everything but the name is the same.
    """
    notes: list[str] = []
    joint_inputs, inputs = _inputs(a, b, notes)
    joint_parameters, parameters = _parameters(a, b, notes)
    if a.plan is not None or b.plan is not None:
        notes.append(
            "a planned value may be any value in its range, the same in A and in B: how they plan is not compared"
        )
    return Matching(tuple(joint_inputs), inputs, tuple(joint_parameters), parameters, tuple(notes))


def _inputs(a: Dataflow, b: Dataflow, notes: list[str]) -> tuple[list[Input], tuple[MatchedInputs, MatchedInputs]]:
    joint: list[Input] = []
    places: dict[tuple[str, int, str], int] = {}
    for entry in [*a.inputs, *b.inputs]:
        key = (entry.source, entry.column, entry.base)
        if key not in places:
            places[key] = len(joint)
            joint.append(entry)
            continue
        known = joint[places[key]]
        if (known.low, known.high) != (entry.low, entry.high):
            notes.append(
                f"`{entry.name}` is clamped into [{known.low!r}, {known.high!r}] by A "
                f"and into [{entry.low!r}, {entry.high!r}] by B"
            )
            joint[places[key]] = _join_inputs(known, entry)

    def matched(flow: Dataflow) -> MatchedInputs:
        positions = [places[entry.source, entry.column, entry.base] for entry in flow.inputs]
        return tuple(
            (position, (entry.low, entry.high) != (joint[position].low, joint[position].high))
            for position, entry in zip(positions, flow.inputs)
        )

    return joint, (matched(a), matched(b))


def _join_inputs(known: Input, entry: Input) -> Input:
    """Returns an input with both ranges, and a default that both programs clamp to their own default."""
    default = next(
        value
        for value in (known.default, entry.default)
        if _clamped(known, value) == known.default and _clamped(entry, value) == entry.default
    )
    return replace(known, low=min(known.low, entry.low), high=max(known.high, entry.high), default=default)


def _clamped(entry: Input, value: int | float) -> int | float:
    return min(max(value, entry.low), entry.high)


def _parameters(
    a: Dataflow, b: Dataflow, notes: list[str]
) -> tuple[list[Parameter], tuple[MatchedParameters, MatchedParameters]]:
    partners = dict(_pairs(a.parameters, b.parameters, notes))
    joint: list[Parameter] = []
    first: list[int | None] = []
    second: list[int | None] = [None] * len(b.parameters)
    for position, entry in enumerate(a.parameters):
        other = None if position not in partners else b.parameters[partners[position]]
        if other is not None and not _is_same_number(entry.default, other.default):
            notes.append(
                f"the default of `{entry.name}` is {entry.default!r} in A and {other.default!r} in B: "
                "each keeps its default"
            )
            first.append(None)
            continue
        if other is None:
            notes.append(f"only A has the parameter `{entry.name}`: it takes any value in its range")
        elif (entry.low, entry.high) != (other.low, other.high):
            low, high = max(entry.low, other.low), min(entry.high, other.high)
            notes.append(f"the ranges of `{entry.name}` differ: compared for values in [{low!r}, {high!r}]")
            entry = replace(entry, low=low, high=high)
        first.append(len(joint))
        if other is not None:
            second[partners[position]] = len(joint)
        joint.append(entry)
    names = {entry.name for entry in joint}
    matched = set(partners.values())
    for position, entry in enumerate(b.parameters):
        if position not in matched:
            notes.append(f"only B has the parameter `{entry.name}`: it takes any value in its range")
            second[position] = len(joint)
            joint.append(replace(entry, name=entry.name if entry.name not in names else f"{entry.name} (B)"))
    return joint, (tuple(first), tuple(second))


def _pairs(a: Sequence[Parameter], b: Sequence[Parameter], notes: list[str]) -> list[tuple[int, int]]:
    """Returns the positions in A and in B of matched parameters."""
    by_name = {(entry.name, entry.base, entry.names): position for position, entry in enumerate(b)}
    pairs = [
        (position, by_name[entry.name, entry.base, entry.names])
        for position, entry in enumerate(a)
        if (entry.name, entry.base, entry.names) in by_name
    ]
    remaining_a = [position for position in range(len(a)) if position not in {first for first, _ in pairs}]
    remaining_b = [position for position in range(len(b)) if position not in {second for _, second in pairs}]
    for first in remaining_a:
        for second in remaining_b:
            if replace(a[first], name="") == replace(b[second], name="") and _is_same_number(
                a[first].default, b[second].default
            ):
                notes.append(
                    f"`{a[first].name}` of A is matched with `{b[second].name}` of B: all but the name is the same"
                )
                pairs.append((first, second))
                remaining_b.remove(second)
                break
    return pairs


def _is_same_number(first: int | float, second: int | float) -> bool:
    """Returns True for equal numbers of the same type. 0.0 and -0.0 differ."""
    return repr(first) == repr(second)
