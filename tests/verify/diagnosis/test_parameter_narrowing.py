"""Smaller ranges of parameters that are proved, if the declared ones are not."""

from __future__ import annotations

import pytest

from hl_dsl.program import Program
from hl_dsl.verify.diagnosis.parameter_narrowing import _axes, narrow_parameters, with_ranges

HEAD = 'policy p for "CartPole-v1" { observe pole.angle, cart.position '
ACT = " act { when lean > 0 => RIGHT otherwise => LEFT } }"


def narrowed(body: str):
    program = Program.parse(HEAD + body + ACT)
    return program, narrow_parameters(program.flow)


@pytest.mark.parametrize(
    "body",
    [
        "param gain: real = 0.25 in [0, 4] param other: real = -0.5 in [-5, 5] let lean = gain * pole.angle + other "
        "* cart.position invariant small: lean in [-6, 6]",
        "param w: vec[2] = [0.5, 1] in [0, 9] let lean = w[0] * pole.angle + w[1] invariant small: lean <= 3",
        "param most: int = 3 in [0, 50] memory m: int in [0, 9] = 0 { next = min(m + 1, most) } let lean = m",
        "param d: real = 2 in [-1, 3] let lean = pole.angle / d",
        "param a: real = 0 in [-1, 1] let lean = a invariant never_much: a < 0.5",
    ],
)
def test_smaller_box_is_found_and_proved(body):
    program, found = narrowed(body)
    assert not program.prove().passed and found.changed and found.proof.passed
    box = with_ranges(program.flow, _axes(program.flow.parameters), found.ranges)
    for entry, whole in zip(box.parameters, program.flow.parameters):
        assert whole.low <= entry.low <= entry.default <= entry.high <= whole.high
        assert type(entry.low) is type(whole.low)
    text = program.text
    for name in found.changed:  # as a person would paste it
        line = next(line for line in text.splitlines() if f"param {name}:" in line)
        low, high = found.ranges[name]
        text = text.replace(line, line[: line.rindex(" in ")] + f" in [{low!r}, {high!r}]")
    assert Program.parse(text).prove().passed
    assert narrow_parameters(program.flow).ranges == found.ranges


def test_end_that_need_not_move_is_kept():
    _, found = narrowed(
        "param gain: real = 1 in [0, 100] let lean = gain * pole.angle invariant small: lean in [-4.2, 4.2]"
    )
    low, high = found.ranges["gain"]
    assert low == 0 and 8 < high < 10.1


def test_proved_program_keeps_its_ranges():
    _, found = narrowed("param gain: real = 1 in [0, 2] let lean = gain * pole.angle")
    assert (found.changed, found.ranges) == ((), {"gain": (0.0, 2.0)})


def test_no_ranges_if_the_defaults_fail():
    _, found = narrowed("param gain: real = 1 in [0, 2] let lean = gain * pole.angle invariant small: lean < 0.1")
    assert found.ranges is None and found.failing == ("invariant:small",)
