"""Which observations and parameters of two programs are the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hl_dsl.compiler.ir.dataflow import Dataflow, Input, Parameter


@dataclass(frozen=True)
class Matching:
    """`joint_inputs`: raw observations, each in a range that holds both programs' ranges; `inputs[side][i]`: the joint
    position of a program's input, and whether its own range is smaller, so that its boundary may clamp.

    `joint_parameters`; `parameters[side][i]`: the joint position of a program's parameter, None where it is held at its
    default, because the other program has another one. `notes` say how parameters were matched and what was compared.
    """

    joint_inputs: tuple[Input, ...]
    inputs: tuple[tuple[tuple[int, bool], ...], tuple[tuple[int, bool], ...]]
    joint_parameters: tuple[Parameter, ...]
    parameters: tuple[tuple[int | None, ...], tuple[int | None, ...]]
    notes: tuple[str, ...]


def match(a: Dataflow, b: Dataflow) -> Matching:
    """Observations by where they are read. Parameters by name and type; those left over by their place, where all but the name
    is the same."""
    notes: list[str] = []
    joint_inputs, inputs = _inputs(a, b, notes)
    joint_parameters, parameters = _parameters(a, b, notes)
    if a.plan is not None or b.plan is not None:
        notes.append(
            "what is planned is taken to be any value in its range, the same in A and in B: how they plan is not compared"
        )
    return Matching(tuple(joint_inputs), inputs, tuple(joint_parameters), parameters, tuple(notes))


def _inputs(a: Dataflow, b: Dataflow, notes: list[str]):
    joint: list[Input] = []
    places: dict[tuple, int] = {}
    for entry in [*a.inputs, *b.inputs]:
        key = (entry.source, entry.column, entry.base)
        if key not in places:
            places[key] = len(joint)
            joint.append(entry)
            continue
        known = joint[places[key]]
        if (known.low, known.high) != (entry.low, entry.high):
            notes.append(
                f"`{entry.name}` is clamped into [{known.low!r}, {known.high!r}] by A and into [{entry.low!r}, {entry.high!r}] by B"
            )
            default = next(
                value
                for value in (known.default, entry.default)
                if _clamped(known, value) == known.default and _clamped(entry, value) == entry.default
            )
            joint[places[key]] = replace(
                known, low=min(known.low, entry.low), high=max(known.high, entry.high), default=default
            )
    by_side = []
    for flow in (a, b):
        row = []
        for entry in flow.inputs:
            position = places[entry.source, entry.column, entry.base]
            row.append((position, (entry.low, entry.high) != (joint[position].low, joint[position].high)))
        by_side.append(tuple(row))
    return joint, tuple(by_side)


def _clamped(entry: Input, value):
    return min(max(value, entry.low), entry.high)


def _parameters(a: Dataflow, b: Dataflow, notes: list[str]):
    pairs = _paired(a.parameters, b.parameters, notes)
    joint: list[Parameter] = []
    first: list[int | None] = []
    second: list[int | None] = [None] * len(b.parameters)
    partners = dict(pairs)
    for position, entry in enumerate(a.parameters):
        other = None if position not in partners else b.parameters[partners[position]]
        if other is not None and not _alike(entry.default, other.default):
            notes.append(
                f"the default of `{entry.name}` is {entry.default!r} in A and {other.default!r} in B: each is held at its own"
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
    taken = set(partners.values())
    for position, entry in enumerate(b.parameters):
        if position not in taken:
            notes.append(f"only B has the parameter `{entry.name}`: it takes any value in its range")
            second[position] = len(joint)
            joint.append(replace(entry, name=entry.name if entry.name not in names else f"{entry.name} (B)"))
    return joint, (tuple(first), tuple(second))


def _paired(a: Sequence[Parameter], b: Sequence[Parameter], notes: list[str]) -> list[tuple[int, int]]:
    by_name = {(entry.name, entry.base, entry.names): position for position, entry in enumerate(b)}
    pairs = [
        (position, by_name[entry.name, entry.base, entry.names])
        for position, entry in enumerate(a)
        if (entry.name, entry.base, entry.names) in by_name
    ]
    left_a = [position for position in range(len(a)) if position not in {first for first, _ in pairs}]
    left_b = [position for position in range(len(b)) if position not in {second for _, second in pairs}]
    for first in left_a:
        for second in left_b:
            if replace(a[first], name="") == replace(b[second], name="") and _alike(
                a[first].default, b[second].default
            ):
                notes.append(
                    f"`{a[first].name}` of A is taken for `{b[second].name}` of B: all but the name is the same"
                )
                pairs.append((first, second))
                left_b.remove(second)
                break
    return pairs


def _alike(first, second) -> bool:
    """0.0 and -0.0 are not alike."""
    return repr(first) == repr(second)
