"""Why a property says nothing, in the words of its own form."""

from __future__ import annotations

import pytest

from hl_dsl.program import Program

TIMER = "memory t: int in [0, 300] = 0 { next = min(t + 1, 300) } "


@pytest.mark.parametrize(
    "declarations, detail",
    [
        (
            "invariant p: ram[1] > 300 implies action == NOOP",
            "the condition of an `implies` in it is never true: `300 < ram[1]`",
        ),
        (
            "invariant p: ram[2] > 3 implies (ram[1] > 300 implies action == NOOP)",
            "the condition of an `implies` in it is never true: `300 < ram[1]`",
        ),
        (
            "assume low: ram[1] < 9 invariant p: ram[1] > 20 implies action == NOOP",
            "the condition of an `implies` in it is never true where the `assume` facts hold: `20 < ram[1]`",
        ),
        (
            "let high = ram[1] > 300 invariant p: within 3 of high: action == NOOP",
            "the trigger of its `within` is never true: `high`",
        ),
        (
            "invariant p: after ram[1] > 300 until ram[2] == 0: action == NOOP",
            "the trigger of its `after` is never true: `300 < ram[1]`",
        ),
        (
            "invariant p: after ram[1] == 7 until ram[1] > 2: action == NOOP",
            "the stretch that its `after` begins is over at once: its `until` is true whenever it begins",
        ),
        # By the solver.
        (
            "invariant p: within 3 of ram[1] > ram[2] and ram[2] > ram[1]: action == NOOP",
            "the trigger of its `within` is never true: `ram[2] < ram[1] and ram[1] < ram[2]`",
        ),
        (
            "assume none: ram[3] > 255 invariant p: within 3 of ram[1] > 300: action == NOOP",
            "the assumptions contradict each other",
        ),
        (
            "assume odd: 2 * ram[2] == 2 * ram[3] + 1 invariant p: ram[1] > 300 implies action == NOOP",
            "the condition of an `implies` in it is never true where the `assume` facts hold: `300 < ram[1]`",
        ),
        (
            "assume odd: 2 * ram[2] == 2 * ram[3] + 1 invariant p: ram[1] > 30 implies ram[1] > 29",
            "the assumptions contradict each other",
        ),
        ("reachable p: ram[1] > 300", "it is false at every tick of every run"),
        (
            TIMER + "assume early: t < 10 reachable p: t == 20",
            "it is false at every tick of every run that keeps the `assume` facts `early`; without them a run reaches it",
        ),
        (
            TIMER + "assume early: t < 10 reachable p: t == 301",
            "it is false at every tick of every run that keeps the `assume` facts `early`",
        ),
    ],
)
def test_the_reason(declarations, detail):
    program = Program.parse(f'policy p for "Breakout-v5" {{ observe ram {declarations} act NOOP }}')
    result = next(result for result in program.prove().results if result.name == "p")
    assert (result.status, result.detail) == ("vacuous", detail)
