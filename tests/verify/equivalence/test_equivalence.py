"""Equivalence of two programs: floats are not reals, zeros have signs, boundaries clamp, memory may differ."""

from __future__ import annotations

import struct

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.operators import OPERATORS
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.equivalence.comparison import EquivalenceStatus
from hl_dsl.verify.equivalence.difference import list_used_inputs, render_difference, trace_difference
from hl_dsl.verify.equivalence.equivalence import compare, same_actions
from tests.support.generators.bench import all_forms, samples
from tests.verify.equivalence.pairs import (
    BATTERY,
    BREAKOUT,
    CART,
    X,
    Y,
    Z,
    assert_replays,
    compared,
    lean,
)


@pytest.mark.parametrize("head, a, b, expected", [row[1:] for row in BATTERY], ids=[row[0] for row in BATTERY])
def test_pair_has_the_expected_status(head, a, b, expected):
    first, second, found = compared(head, a, b)
    assert found.status == expected, found
    if found.run is not None:
        assert_replays(first, second, found)
    if expected != EquivalenceStatus.EQUAL_REALS:
        assert not same_actions(first, second) or expected in (EquivalenceStatus.IDENTICAL, EquivalenceStatus.EQUAL)


@pytest.mark.parametrize("head, a, b, expected", [row[1:] for row in BATTERY], ids=[row[0] for row in BATTERY])
def test_pair_has_the_expected_status_in_reverse_order(head, a, b, expected):
    first, second, found = compared(head, b, a)
    assert found.status == expected, found
    if found.run is not None:
        assert_replays(first, second, found)


@pytest.mark.parametrize(
    "a, b",
    [
        (f"{X} + {Y}", f"{X} + -(-{Y})"),
        (f"{X} - {Y}", f"{X} + -{Y}"),
        (f"{X} + {Y}", f"{X} - -{Y}"),
        (f"{X} * {Y}", f"-(-{X}) * -(-{Y})"),
        (f"atan2(-(-{X}), {Y})", f"atan2({X}, {Y})"),  # the sign of a zero counts
    ],
)
def test_cancelling_negations_are_exact_in_both_orders(a, b):
    assert [compared(CART, lean(first), lean(second))[2].status for first, second in ((a, b), (b, a))] == [
        EquivalenceStatus.EQUAL,
        EquivalenceStatus.EQUAL,
    ]
    first, second = (Program.parse(CART.format(lean(text))).flow for text in (a, b))
    assert same_actions(first, second) and same_actions(second, first)


def test_notes_and_runs_follow_the_order_of_the_caller():
    """Parameters that match by place, that only one program has, and that have other ranges."""
    a = "param g: real = 0.5 in [0, 1] param h: real = 0.5 in [0, 1] " + lean(f"{X} + g + h")
    b = "param k: real = 0.5 in [0, 1] param h: real = 0.5 in [0, 2] param own: real = 0.25 in [0, 1] " + lean(
        f"{Z} + k - h + own"
    )
    for first, second, side, other in ((a, b, "A", "B"), (b, a, "B", "A")):
        one, two, found = compared(CART, first, second)
        notes = "\n".join(found.notes)
        assert found.status == EquivalenceStatus.DIFFERENT and f"only {other} has the parameter `own`" in notes
        assert f"`{'g' if side == 'A' else 'k'}` of A is matched with `{'k' if side == 'A' else 'g'}` of B" in notes
        assert_replays(one, two, found)


def test_notes_on_properties_follow_the_order_of_the_caller():
    a, b = "invariant i: cart.position > -9 " + lean(f"min({X}, {Y})"), lean(f"min({Y}, {X})")
    assert "\n".join(compared(CART, a, b)[2].notes) == "the properties differ: only A has invariant `i`"
    assert "\n".join(compared(CART, b, a)[2].notes) == "the properties differ: only B has invariant `i`"


def test_rewrites_of_the_operator_table_are_exact():
    """The rewrites of `build_product` do not change a bit."""

    def bits(value):
        return struct.pack("<d", value) if type(value) is float else repr(value)

    checked = set()
    for item in all_forms():
        row, form = item.row, item.form
        for operands in samples(item, 400):
            if any(type(value) is float and value != value for value in operands):
                continue
            if row.involution:
                assert bits(form.scalar(form.scalar(*operands))) == bits(*operands)
                checked.add(row.name)
            if row.absorbs is not None:
                inner, outer = (
                    next(one for one in OPERATORS[name].forms if one.result == form.result) for name in row.absorbs
                )
                before, after = form.scalar(*operands[:-1], inner.scalar(operands[-1])), outer.scalar(*operands)
                assert bits(before) == bits(after) or before != before and after != after
                checked.add(row.name)
    assert checked == {row.name for row in OPERATORS.values() if row.involution or row.absorbs} >= {"negate", "add"}


def test_other_differences_are_noted():
    notes = "\n".join(
        compared(CART, *BATTERY[[row[0] for row in BATTERY].index("a parameter by another name")][2:4])[2].notes
    )
    assert "`g` of A is matched with `h` of B" in notes and "only A has invariant `i`" in notes
    notes = compared(
        CART, lean(X + " + g", "param g: real = 0.5 in [0, 1] "), lean(X + " + g", "param g: real = 0.5 in [0, 2] ")
    )[2].notes
    assert notes == ("the ranges of `g` differ: compared for values in [0.0, 1.0]",)
    notes = compared(CART, *BATTERY[3][2:4])[2].notes
    assert notes == ("over the reals they act the same: only rounding makes the difference",)


def test_detail_of_an_unknown_result_uses_the_words_of_a_comparison():
    *_, found = compared(
        CART,
        "let lost = cart.position + 1e+16 - 1e+16 act { when lost == 0.3 => LEFT otherwise => RIGHT }",
        "act RIGHT",
    )
    assert (
        found.status == EquivalenceStatus.UNKNOWN
        and "a trace of 1 tick distinguishes them; the replay in floats does not confirm it" in found.detail
    )


def test_table_shows_the_inputs_that_an_action_depends_on():
    """Also through memory. `ram[7]` is stored in a cell that no action depends on."""
    head = (
        "memory late: int in [0, 255] = 0 { next = ram[5] } memory idle: int in [0, 255] = 0 { next = ram[7] } "
        "invariant i: ram[6] + idle >= 0 "
    )
    first, second, found = compared(
        BREAKOUT,
        head + "act { when late > 3 => FIRE otherwise => NOOP }",
        head + "act { when late > 200 => FIRE when ram[2] > 200 => LEFT otherwise => NOOP }",
    )
    assert found.status == EquivalenceStatus.DIFFERENT and list_used_inputs(found) == {"ram[2]", "ram[5]"}
    text = render_difference(trace_difference(first, second, found), list_used_inputs(found))
    assert "ram[2]" in text and "ram[5]" in text and not any(f"ram[{place}]" in text for place in (1, 6, 7))


def test_programs_for_different_environments_are_rejected():
    with pytest.raises(HLError, match="CartPole-v1 and B for Breakout-v5"):
        compare(Program.parse(CART.format("act LEFT")).flow, Program.parse(BREAKOUT.format("act NOOP")).flow)


def test_status_is_unknown_without_the_solver():
    first, second = (Program.parse(CART.format(lean(f"min({pair})"))) for pair in (f"{X}, {Y}", f"{Y}, {X}"))
    assert compare(first.flow, second.flow, ProofLimits(solver=False, lanes=0)).status == EquivalenceStatus.UNKNOWN


def test_links_that_fail_later_are_dropped():
    """Two counters are equal for longer than any simulated episode."""
    text = "memory m: int in [0, 99] = 0 {{ next = min(m + 1, {}) }} act {{ when m >= 90 => FIRE otherwise => NOOP }}"
    first, second, found = compared(BREAKOUT, text.format(99), text.format(80))
    assert found.status == EquivalenceStatus.DIFFERENT and len(found.run.rows) == 91
    assert_replays(first, second, found)


def test_only_flagged_operators_show_the_sign_of_a_zero():
    """Merging of nodes that are equal as numbers depends on this."""
    for item in all_forms():
        if item.form.sees_zero_sign:
            continue
        for operands in samples(item, 400):
            as_reachability_verdict = tuple(
                -value if type(value) is float and value == 0 else value for value in operands
            )
            before, after = item.form.scalar(*operands), item.form.scalar(*as_reachability_verdict)
            assert before == after or (before != before and after != after), (item.row.name, operands)
    assert any(form.sees_zero_sign for row in OPERATORS.values() for form in row.forms)
