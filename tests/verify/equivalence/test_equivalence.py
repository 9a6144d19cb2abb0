"""Whether two programs act the same: floats are not reals, zeros have signs, boundaries clamp, memory may be told differently."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.equivalence.correspondence import simulate_jointly
from hl_dsl.verify.equivalence.difference import list_used_inputs, render_difference, trace_difference
from hl_dsl.verify.equivalence.comparison import EquivalenceStatus
from hl_dsl.verify.equivalence.equivalence import compare, same_actions
from hl_dsl.verify.equivalence.product import build_product
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.operators import OPERATORS
from hl_dsl.program import Program
from tests.support.generators.bench import all_forms, samples
from tests.support.generators.programs import programs

CART = 'policy p for "CartPole-v1" {{ observe cart.position, cart.velocity, pole.angle {} }}'
PENDULUM = 'policy p for "Pendulum-v1" {{ observe pole.cos, pole.sin {} }}'
BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward {} }}'
LIMITS = ProofLimits(solver_steps=200_000, bounded_steps=100_000, lanes=64, ticks=100)

COUNT = "memory {0}: int in [0, 9] = 0 {{ next = min({0} + 1, 9) }} "
FIRE = "act {{ when {} > 3 => FIRE otherwise => NOOP }}"


def lean(expression: str, more: str = "") -> str:
    return more + "act { when " + expression + " > 0.3 => LEFT otherwise => RIGHT }"


X, Y, Z = "cart.position", "cart.velocity", "pole.angle"

BATTERY = [
    ("a let that nothing uses", CART, lean(X), "let q = 1 " + lean(X), EquivalenceStatus.IDENTICAL),
    (
        "operands that commute",
        CART,
        lean(f"{X} * ({Y} + {Z})"),
        lean(f"({Z} + {Y}) * {X}"),
        EquivalenceStatus.IDENTICAL,
    ),
    (
        "memory by another name",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("k") + FIRE.format("k"),
        EquivalenceStatus.IDENTICAL,
    ),
    (
        "a product over a sum",
        CART,
        lean(f"{X} * ({Y} + {Z})"),
        lean(f"{X} * {Y} + {X} * {Z}"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a sum in another order",
        CART,
        lean(f"({X} + {Y}) + {Z}"),
        lean(f"{X} + ({Y} + {Z})"),
        EquivalenceStatus.DIFFERENT,
    ),
    ("a difference of a value with itself", CART, lean(f"{X} - {X} + {Y}"), lean(Y), EquivalenceStatus.EQUAL_REALS),
    ("what is added and taken off again", CART, lean(f"{X} + {Y} - {X}"), lean(Y), EquivalenceStatus.DIFFERENT),
    (
        "min the other way round, compared",
        CART,
        lean(f"min({X}, {Y})"),
        lean(f"min({Y}, {X})"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "min the other way round, as a torque",
        PENDULUM,
        "act min(pole.sin, pole.cos)",
        "act min(pole.cos, pole.sin)",
        EquivalenceStatus.EQUAL,
    ),
    (
        "min the other way round, where the sign of a zero counts",
        PENDULUM,
        "act clamp(atan2(min(pole.sin, 0), -1), -2, 2)",
        "act clamp(atan2(min(0, pole.sin), -1), -2, 2)",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "one more memory",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("k") + COUNT.format("j") + FIRE.format("k"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a counter with more room than it takes",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("[0, 9]", "[0, 99]") + FIRE.format("m"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a counter that stops too early",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("9", "3") + FIRE.format("m"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a counter that starts later",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("= 0", "= 1") + FIRE.format("m"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a dead rule",
        BREAKOUT,
        "act { when ram[1] > 10 => FIRE when ram[1] > 20 => LEFT otherwise => NOOP }",
        "act { when ram[1] > 10 => FIRE otherwise => NOOP }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "a rule that is hardly ever reached",
        BREAKOUT,
        "act { when ram[1] > 10 => FIRE when ram[1] == 10 and ram[2] == 77 and ram[3] == 5 => LEFT otherwise => NOOP }",
        "act { when ram[1] > 10 => FIRE otherwise => NOOP }",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "previous before and after a sum",
        CART,
        lean(f"previous({X} + 1, 1)"),
        lean(f"previous({X}, 0) + 1"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "the same with another start",
        CART,
        lean(f"previous({X} + 1, -1)"),
        lean(f"previous({X}, 0) + 1"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "conditions turned over",
        BREAKOUT,
        "act { when not (ram[1] > 3 and ram[2] > 5) => FIRE otherwise => NOOP }",
        "act { when ram[1] <= 3 or ram[2] <= 5 => FIRE otherwise => NOOP }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "modes written as memory",
        BREAKOUT,
        "modes { start a { act FIRE when ram[1] > 3 -> b } b { act LEFT when ram[2] > 3 -> a } }",
        "memory busy: bool = false { next = now } let now = if busy then not (ram[2] > 3) else ram[1] > 3 act { when now => LEFT otherwise => FIRE }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "other ranges that clamp",
        'policy p for "CartPole-v1" {{ observe cart.position in {} act {{ when cart.position > 0.5 => LEFT otherwise => RIGHT }} }}',
        "[-1, 1]",
        "[-0.4, 0.4]",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "other ranges, and it does not matter",
        'policy p for "CartPole-v1" {{ observe cart.position in {} act {{ when cart.position > 0.25 => LEFT otherwise => RIGHT }} }}',
        "[-1, 1]",
        "[-0.4, 0.4]",
        EquivalenceStatus.EQUAL,
    ),
    (
        "another default",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + g", "param g: real = 0.25 in [0, 1] "),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a parameter by another name",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] invariant i: g > -1 "),
        lean(f"{X} + h", "param h: real = 0.5 in [0, 1] "),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a wider range of a parameter",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + g", "param g: real = 0.5 in [0, 2] "),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a start that is equal for one value of a parameter",
        BREAKOUT,
        "param flag: bool = true memory m: int in [0, 300] = 0 { next = ram[1] } act { when (if flag then m + 5 else m) > 4 => FIRE otherwise => NOOP }",
        "param flag: bool = true memory k: int in [0, 305] = 5 { next = if flag then ram[1] + 5 else ram[1] } act { when k > 4 => FIRE otherwise => NOOP }",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a value negated twice",
        'policy p for "CartPole-v1" {{ observe pole.angle, pole.velocity act {{ when {} > 0.1 => RIGHT otherwise => LEFT }} }}',
        "pole.angle + pole.velocity",
        "pole.angle + -(-pole.velocity)",
        EquivalenceStatus.EQUAL,
    ),
    (
        "a parameter in place of a literal",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + 0.5"),
        EquivalenceStatus.DIFFERENT,
    ),
]


def compared(head: str, a: str, b: str):
    first, second = Program.parse(head.format(a)), Program.parse(head.format(b))
    return first.flow, second.flow, compare(first.flow, second.flow, LIMITS)


@pytest.mark.parametrize("head, a, b, expected", [row[1:] for row in BATTERY], ids=[row[0] for row in BATTERY])
def test_battery(head, a, b, expected):
    first, second, found = compared(head, a, b)
    assert found.status == expected, found
    if found.run is not None:
        assert_replays(first, second, found)
    if expected != EquivalenceStatus.EQUAL_REALS:
        assert not same_actions(first, second) or expected in (EquivalenceStatus.IDENTICAL, EquivalenceStatus.EQUAL)


@pytest.mark.parametrize("head, a, b, expected", [row[1:] for row in BATTERY], ids=[row[0] for row in BATTERY])
def test_battery_in_reverse_order(head, a, b, expected):
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
def test_negations_that_cancel_are_exact_in_both_orders(a, b):
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
    """What `build_product` rewrites, with the same bits before and after."""
    bits = lambda value: struct.pack("<d", value) if type(value) is float else repr(value)
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


def assert_replays(first, second, found):
    """The run, by an interpreter of each program: the actions differ at the last tick, and at no tick before."""
    trace = trace_difference(first, second, found)
    assert [tick["A"]["action"] == tick["B"]["action"] for tick in trace] == [True] * (len(trace) - 1) + [False]
    for side, flow in (("A", first), ("B", second)):
        interpreter = Interpreter(flow, trace[0]["parameters"][side])
        names = flow.card.action.names
        for tick in trace:
            done = interpreter.tick([tick["inputs"][entry.name] for entry in flow.inputs]).action
            assert (names[done[0]] if names else done[0] if len(done) == 1 else list(done)) == tick[side]["action"]
    assert "A " in render_difference(trace, list_used_inputs(found))


def test_what_else_differs_is_told():
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


def test_a_difference_over_the_reals_alone_is_told_in_the_words_of_a_comparison():
    *_, found = compared(
        CART,
        "let lost = cart.position + 1e+16 - 1e+16 act { when lost == 0.3 => LEFT otherwise => RIGHT }",
        "act RIGHT",
    )
    assert (
        found.status == EquivalenceStatus.UNKNOWN
        and "a trace of 1 tick distinguishes them; the replay in floats does not confirm it" in found.detail
    )


def test_a_table_shows_the_inputs_that_an_action_hangs_on():
    """Through memory too; `ram[7]` goes to a cell that no action looks at."""
    head = "memory late: int in [0, 255] = 0 { next = ram[5] } memory idle: int in [0, 255] = 0 { next = ram[7] } invariant i: ram[6] + idle >= 0 "
    first, second, found = compared(
        BREAKOUT,
        head + "act { when late > 3 => FIRE otherwise => NOOP }",
        head + "act { when late > 200 => FIRE when ram[2] > 200 => LEFT otherwise => NOOP }",
    )
    assert found.status == EquivalenceStatus.DIFFERENT and list_used_inputs(found) == {"ram[2]", "ram[5]"}
    text = render_difference(trace_difference(first, second, found), list_used_inputs(found))
    assert "ram[2]" in text and "ram[5]" in text and not any(f"ram[{place}]" in text for place in (1, 6, 7))


def test_programs_for_different_environments():
    with pytest.raises(HLError, match="CartPole-v1 and B for Breakout-v5"):
        compare(Program.parse(CART.format("act LEFT")).flow, Program.parse(BREAKOUT.format("act NOOP")).flow)


def test_without_the_solver_nothing_is_called_equal_that_is_not_shown():
    first, second = (Program.parse(CART.format(lean(f"min({pair})"))) for pair in (f"{X}, {Y}", f"{Y}, {X}"))
    assert compare(first.flow, second.flow, ProofLimits(solver=False, lanes=0)).status == EquivalenceStatus.UNKNOWN


def test_links_that_do_not_last_are_dropped():
    """Two counters that stay together longer than any simulated episode."""
    text = "memory m: int in [0, 99] = 0 {{ next = min(m + 1, {}) }} act {{ when m >= 90 => FIRE otherwise => NOOP }}"
    first, second, found = compared(BREAKOUT, text.format(99), text.format(80))
    assert found.status == EquivalenceStatus.DIFFERENT and len(found.run.rows) == 91
    assert_replays(first, second, found)


def test_only_flagged_operators_show_the_sign_of_a_zero():
    """What the merging of nodes that are equal as numbers rests on."""
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


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), a=programs(), b=programs())
def test_what_is_said_of_generated_programs(data, a, b):
    """A program is itself. Of two programs, whatever is called equal acts the same in every run drawn, and whatever is
    called different replays."""
    assert compare(a.flow, a.flow).status == EquivalenceStatus.IDENTICAL
    if a.card.environment != b.card.environment:
        return
    found = compare(a.flow, b.flow, ProofLimits(solver_steps=20_000, depths=(0,), bounded_depths=(0, 0), lanes=0))
    if found.run is not None:
        trace = trace_difference(a.flow, b.flow, found)
        assert trace[-1]["A"]["action"] != trace[-1]["B"]["action"]


SUMS = st.recursive(
    st.sampled_from((X, Y, Z, "kept", "g", "0.25")),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("({} * {})".format, inner, inner),
        st.builds("(-{})".format, inner),
        st.builds("(-(-{}))".format, inner),
        st.builds("min({}, {})".format, inner, inner),
        st.builds("(if {} > 0.1 then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@st.composite
def pairs_of_programs(draw):
    """Two programs over one expression: as drawn, and with some terms written another way, some of them with another rounding."""
    text = other = f"({X} + {draw(SUMS)} + {Y})"
    for old, new in draw(
        st.lists(
            st.sampled_from(
                (
                    (X, f"min({X}, 100)"),
                    (Y, f"(if {Y} > 1000 then 0 else {Y})"),
                    (X, f"(-(-{X}))"),
                    (Y, f"({Y} * 1)"),
                    (Z, f"({Z} + 0)"),
                    ("kept", "(kept + kept - kept)"),
                    (" + ", " - -"),
                    (" - ", " + -"),
                    ("min(", "0 + min("),
                    ("0.25", "0.3"),
                    (" * ", " + "),
                    ("kept", "(-(-kept))"),
                )
            ),
            min_size=1,
            max_size=3,
            unique=True,
        )
    ):
        other = other.replace(old, new)
    following = draw(st.sampled_from((X, "kept", f"0.5 * kept + 0.5 * {X}")))
    heads = [
        f"param g: real = 0.5 in [0, {draw(st.sampled_from((1, 2)))}] memory kept: real in [-5, 5] = 0 {{ next = clamp({next_}, -5, 5) }} "
        for next_ in (following, draw(st.sampled_from((following, f"-(-({following}))"))))
    ]
    return tuple(Program.parse(CART.format(lean(body, head))).flow for head, body in zip(heads, (text, other)))


ORDER = ProofLimits(
    boxes=20, solver_steps=20_000, depths=(0,), bounded_depths=(2, 2), bounded_steps=20_000, lanes=0, components=False
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(pair=pairs_of_programs())
def test_the_status_does_not_depend_on_the_order(pair):
    """The status of A against B is that of B against A, and a run that separates them in one order does so in the other."""
    a, b = pair
    one, other = compare(a, b, ORDER), compare(b, a, ORDER)
    assert one.status == other.status
    assert same_actions(a, b) == same_actions(b, a)
    if one.run is not None:
        forward, backward = trace_difference(a, b, one), trace_difference(b, a, other)
        assert_replays(a, b, one)
        assert_replays(b, a, other)
        assert [tick["inputs"] for tick in forward] == [tick["inputs"] for tick in backward]
        assert [(tick["A"]["action"], tick["B"]["action"]) for tick in forward] == [
            (tick["B"]["action"], tick["A"]["action"]) for tick in backward
        ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), a=programs())
def test_the_status_of_generated_programs_does_not_depend_on_the_order(data, a):
    b = data.draw(programs(cards=(a.card,)))
    limits = ProofLimits(solver_steps=20_000, depths=(0,), bounded_depths=(0, 0), lanes=0)
    one, other = compare(a.flow, b.flow, limits), compare(b.flow, a.flow, limits)
    assert one.status == other.status and (one.run is None) == (other.run is None)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), program=programs(wild=False))
def test_a_changed_literal(data, program):
    """One literal of the graph changed: what is called the same is the same on random ticks."""
    flow = program.flow
    literals = [
        number for number, node in enumerate(flow.nodes) if node.op == "constant" and node.base in ("real", "int")
    ]
    if not literals:
        return
    number = data.draw(st.sampled_from(literals))
    nodes = list(flow.nodes)
    nodes[number] = nodes[number]._replace(value=nodes[number].value + data.draw(st.sampled_from((1, -1, 3))))
    other = replace(flow, nodes=nodes)
    if same_actions(flow, other):
        joint = build_product(flow, other)
        assert simulate_jointly(joint, episodes=60, ticks=12).run is None
